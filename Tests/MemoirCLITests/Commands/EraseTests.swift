// `memoir erase`, run as a process; and what the other commands say of somebody who was erased.
import Foundation
import Memoir
import Testing

@Suite struct `Erasing on the command line` {
  @Test func `does nothing unless told, and says how much would go`() throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run("erase", "bob", "--json")
    #expect(run.exitCode == 2)
    #expect(try run.errorCode() == "invalid_argument")
    #expect(run.errors.contains("8 events of bob"))
    #expect(try memoir.run("state", "bob").exitCode == 0)
    // Between the lines that begin and end it.
    #expect(try memoir.run("export", "bob").lines.count == 10)
  }

  @Test func `takes everything, and proves the rest`() throws {
    let memoir = try TestProgram.withBob()
    let history = try memoir.run("export", "bob").output
    let chain = try memoir.run("verify", "--json").object()["chain"] as? String
    let run = try memoir.run("erase", "bob", "--yes", "--by", "the office", "--json")
    #expect(run.output == #"{"erased":8,"scrubbed":true}"# + "\n", "\(run.errors)")
    let verified = try memoir.run("verify", "--json").object()
    #expect(
      verified["sound"] as? Bool == true && verified["redacted"] as? Int == 8 && verified["erasures"] as? Int == 1)
    #expect(verified["chain"] as? String != chain)
    #expect(try memoir.run("verify").output.contains("What 8 of them said was taken out by 1 erasure."))
    let state = try memoir.run("state", "bob", "--json").object()
    #expect(state["erased_at"] is String && (state["facts"] as? [Any])?.isEmpty == true)
    #expect(try memoir.run("users").output.contains("bob") == false)
    let stats = try memoir.run("stats", "--json").object()
    #expect(stats["users"] as? Int == 0 && stats["erased_users"] as? Int == 1 && stats["scrubbed"] as? Bool == true)
    let events = try memoir.run("events").lines
    #expect(events.count == 9 && events.last?.contains("UserErased") == true)
    #expect(events.allSatisfy { !$0.contains("\"user\"") })
    #expect(try memoir.run("export", "bob").lines.count == 2)

    // Twice is once.
    #expect(try memoir.run("erase", "bob", "--yes").output.hasPrefix("Erased 0 events"))
    // An old file does not bring it back.
    let file = try memoir.file("old.jsonl", history)
    let refused = try memoir.run("append", file, "--json")
    #expect(refused.exitCode == 4)
    #expect(try refused.errorCode() == "id_conflict")
    #expect(try memoir.run("append", file, "--take-erased").exitCode == 0)
    #expect(try memoir.run("append", file).object()["duplicates"] as? Int == 8)
    #expect(try memoir.run("export", "bob").lines.count == 10)
    #expect(try memoir.run("verify").exitCode == 0)
  }

  @Test func `of nobody is not found`() throws {
    let memoir = try TestProgram.withBob()
    for words in [["erase", "nobody"], ["erase", "nobody", "--yes"]] {
      let run = try memoir.run(words + ["--json"], input: Data())
      #expect(run.exitCode == 3)
      #expect(try run.errorCode() == "not_found")
    }
    #expect(try memoir.run("erase").exitCode == 2)
    #expect(try memoir.run("erase", "bob", "--yes", "--by", "").exitCode == 2)
    #expect(try TestProgram().run("erase", "bob", "--yes").exitCode == 3)
  }

  @Test func `holds in a backup of before, restored with the tombstones`() throws {
    let memoir = try TestProgram.withBob()
    #expect(try memoir.run("backup", memoir.path("copy")).exitCode == 0)
    #expect(try memoir.run("erase", "bob", "--yes").exitCode == 0)
    let restored = memoir.path("restored")
    let run = try memoir.run(
      "--store", restored, "restore", memoir.path("copy"), "--tombstones", memoir.store + "/TOMBSTONES")
    #expect(run.exitCode == 0, "\(run.errors)")
    let state = try memoir.run("--store", restored, "state", "bob", "--json").object()
    #expect(state["erased_at"] is String && (state["facts"] as? [Any])?.isEmpty == true)
    let missing = try memoir.run(
      "--store", memoir.path("other"), "restore", memoir.path("copy"), "--tombstones", memoir.path("none"), "--json")
    #expect(missing.exitCode == 3)
    #expect(try missing.errorCode() == "not_found")
  }

  @Test func `is seen by a process that has the store open`() async throws {
    let memoir = try TestProgram.withBob()
    var options = EventLog.Options()
    options.mapSize = 1 << 30
    let store = try MemoirStore(folder: memoir.store, options: options)
    let bob = StreamName(try UserID("bob"))
    #expect(try store.state(of: bob).facts.count == 2)
    #expect(try memoir.run("erase", "bob", "--yes").exitCode == 0)
    #expect(try store.state(of: bob).facts.isEmpty)
    #expect(try store.log.streams().isEmpty)
    try await store.append([.messageAdded(MessageAdded(role: .user, content: "Back."))], to: bob)
    #expect(try store.state(of: bob).version == 10)
    try store.close()
    #expect(try memoir.run("verify").exitCode == 0)
    #expect(try memoir.run("users").output.contains("bob"))
  }
}
