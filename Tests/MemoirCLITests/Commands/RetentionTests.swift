// `memoir retention` and `memoir compact`, run as processes.
import Foundation
import Memoir
import TestSupport
import Testing

@testable import MemoirCLI

@Suite struct `Keeping for a time, on the command line` {
  /// A store with a message of long ago and one of today.
  private static func withOldAndNew() async throws -> TestProgram {
    let memoir = TestProgram()
    for (text, time) in [("said long ago", 1_600_000_000_000_000), ("said today", nil)] as [(String, Int64?)] {
      var options = EventLog.Options()
      if let time { options.clock = { Timestamp(clamping: time) } }
      let store = try MemoirStore(folder: memoir.store, options: options)
      try await store.append(
        [.messageAdded(try MessageAdded(role: .user, content: text))], to: StreamName(try UserID("bob")))
      try store.close()
    }
    return memoir
  }

  private func isInFile(_ text: String, _ memoir: TestProgram) throws -> Bool {
    try Data(contentsOf: URL(filePath: memoir.store + "/data.mdb")).range(of: Data(text.utf8)) != nil
  }

  @Test func `a policy is set, listed, run and removed`() async throws {
    let memoir = try await Self.withOldAndNew()
    #expect(try memoir.run("retention", "list").output == "Everything is kept for good.\n")
    #expect(try memoir.run("retention", "set", "--messages", "30").output.contains("messages for 30 days"))
    #expect(
      try memoir.run("--json", "retention", "list").output
        == #"{"facts_days":null,"messages_days":30,"namespace":"default","summaries_days":null}"# + "\n")
    #expect(try memoir.run("retention", "list").output.contains("30 days"))
    let dry = try memoir.run("retention", "run", "--dry-run", "--json").object()
    #expect(dry["dry_run"] as? Bool == true)
    #expect(try isInFile("said long ago", memoir))
    #expect(try memoir.run("retention", "run", "--dry-run").output.contains("bob"))
    let run = try memoir.run("retention", "run", "--json")
    #expect(run.exitCode == 0)
    #expect(try run.object()["scrubbed"] as? Bool == true)
    let namespaces = try #require(try run.object()["namespaces"] as? [[String: Any]])
    #expect(namespaces.first?["messages"] as? Int == 1)
    #expect(try !isInFile("said long ago", memoir))
    #expect(try isInFile("said today", memoir))
    let verified = try memoir.run("verify")
    #expect(
      verified.exitCode == 0
        && verified.output.contains("What 1 of them said was taken out one by one, as retention does."))
    #expect(!verified.output.contains("erasure"))
    #expect(try memoir.run("retention", "run").output == "Nothing is older than it may be.\n")
    #expect(try memoir.run("retention", "remove").exitCode == 0)
    #expect(try memoir.run("retention", "list", "--json").output.isEmpty)
    #expect(try memoir.run("retention", "run").output.contains("no policy"))
  }

  @Test func `a damaged event stops nothing else, and is told`() async throws {
    let memoir = TestProgram()
    var options = EventLog.Options()
    options.clock = { Timestamp(clamping: 1_600_000_000_000_000) }
    // In a run by then.
    options.blockSize = 4
    options.stepLimit = 64
    let store = try MemoirStore(folder: memoir.store, options: options)
    for number in 1...30 {
      try await store.append(
        [.messageAdded(try MessageAdded(role: .user, content: number == 1 ? "said long ago" : "said then"))],
        to: StreamName(try UserID("user-\(number % 3)")))
    }
    try store.close()
    try memoir.run("retention", "set", "--messages", "30")
    let url = URL(filePath: memoir.store + "/data.mdb")
    var data = try Data(contentsOf: url)
    while let place = data.range(of: Data("said long ago".utf8)) { data[place.lowerBound] ^= 1 }
    try data.write(to: url)
    for words in [["run", "--dry-run"], ["run"]] {
      let run = try memoir.run(["retention"] + words, input: Data())
      #expect(run.exitCode == 5)
      #expect(run.output.contains("Damaged, and left as they are: 1 event, the first at position 1."), "\(run.output)")
    }
    #expect(try !isInFile("said then", memoir))
    let object = try memoir.run("retention", "run", "--json").object()
    #expect(object["damaged_events"] as? Int == 0 && object["damaged_receipts"] as? Int == 0)
  }

  @Test(arguments: [
    ["set"], ["set", "--messages", "0"], ["set", "--messages", "36501"], ["set", "--facts", "x"],
    ["list", "--messages", "30"], ["set", "--messages", "30", "--dry-run"], ["run", "--summaries", "3"], ["forget"], [],
  ])
  func `what makes no sense is refused`(words: [String]) async throws {
    let memoir = try await Self.withOldAndNew()
    let run = try memoir.run(["retention"] + words, input: Data())
    #expect(run.exitCode == 2)
    #expect(try memoir.run("retention", "list", "--json").output.isEmpty)
  }

  @Test func `a missing store is said`() throws {
    let memoir = TestProgram()
    #expect(try memoir.run("retention", "list").exitCode == 3)
    #expect(try memoir.run("retention", "run").exitCode == 3)
    #expect(try memoir.run("compact").exitCode == 3)
  }
}

@Suite struct `Compacting, on the command line` {
  @Test func `tells the sizes, and leaves the store as it was`() throws {
    let memoir = try TestProgram.withBob()
    let before = try memoir.run("verify", "--json").object()
    let run = try memoir.run("compact", "--json")
    #expect(run.exitCode == 0)
    let (old, new) = (try run.object()["bytes_before"] as? Int, try run.object()["bytes_after"] as? Int)
    #expect(try #require(new) <= #require(old))
    #expect(try memoir.run("compact").output.contains("The file has"))
    let after = try memoir.run("verify", "--json").object()
    #expect(after["sound"] as? Bool == true)
    #expect(after["chain"] as? String == before["chain"] as? String)
    #expect(try memoir.run("state", "bob").exitCode == 0)
  }

  @Test func `a process that is killed leaves the store as it was`() throws {
    let memoir = try TestProgram.withBob()
    let before = try memoir.run("verify", "--json").object()
    for step in 0..<12 {
      let run = try memoir.shell("memoir compact & sleep 0.0\(step); kill -9 $!; wait $! 2>/dev/null; true")
      #expect(run.exitCode == 0)
      let after = try memoir.run("verify", "--json").object()
      #expect(after["sound"] as? Bool == true)
      #expect(after["chain"] as? String == before["chain"] as? String)
    }
    #expect(try memoir.run("compact").exitCode == 0)
    #expect(!FileManager.default.fileExists(atPath: memoir.store + "/data.compacting"))
  }
}
