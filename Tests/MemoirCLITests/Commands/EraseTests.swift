// `memoir erase`, run as a process; and what the other commands say of somebody who was erased.
import Foundation
import Memoir
import TestSupport
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
    try memoir.run("append", input: line(9))
    #expect(try memoir.run("backup", memoir.path("copy")).exitCode == 0)
    #expect(try memoir.run("erase", "bob", "--yes").exitCode == 0)
    let restored = memoir.path("restored")
    let run = try memoir.run(
      "--store", restored, "restore", memoir.path("copy"), "--tombstones", memoir.store + "/TOMBSTONES")
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.contains("Erased again, as after the backup was made: 1 person, 9 events."), "\(run.output)")
    let earlier = try memoir.run(
      "--store", memoir.path("earlier"), "restore", memoir.path("copy"), "--tombstones", memoir.store + "/TOMBSTONES",
      "--at-position", "8")
    #expect(earlier.output.contains("Erased again, as after the backup was made: 1 person, 8 events."), "\(earlier)")
    let plain = try memoir.run("--store", memoir.path("plain"), "restore", memoir.path("copy"))
    #expect(plain.exitCode == 0 && !plain.output.contains("again"))
    #expect(try memoir.run("--store", memoir.path("plain"), "state", "bob").exitCode == 0)
    // What an erased person's state and report say; of whom it was, figures do not know.
    #expect(try memoir.run("state", "bob").output.contains("was erased then."))
    #expect(try memoir.run("report", "bob").output.contains("10 events (9 of them erased)"))
    let state = try memoir.run("--store", restored, "state", "bob", "--json").object()
    #expect(state["erased_at"] is String && (state["facts"] as? [Any])?.isEmpty == true)
    let missing = try memoir.run(
      "--store", memoir.path("other"), "restore", memoir.path("copy"), "--tombstones", memoir.path("none"), "--json")
    #expect(missing.exitCode == 3)
    #expect(try missing.errorCode() == "not_found")
  }

  // They were called a damaged store.
  @Test func `of a backup takes no other file for its tombstones`() throws {
    let memoir = try TestProgram.withBob(), other = try TestProgram.withBob()
    #expect(try memoir.run("backup", memoir.path("copy")).exitCode == 0)
    #expect(try other.run("erase", "bob", "--yes").exitCode == 0)
    let notes = try memoir.file("notes.txt", "hello\n")
    for file in [notes, memoir.folder.path, other.store + "/TOMBSTONES"] {
      let run = try memoir.run(
        "--store", memoir.path("restored"), "restore", memoir.path("copy"), "--tombstones", file, "--json")
      #expect(run.exitCode == 2, "\(run.errors)")
      #expect(try run.errorCode() == "invalid_argument")
      #expect(try (run.error()["message"] as? String)?.hasPrefix("--tombstones: \(file) is ") == true)
      #expect(!FileManager.default.fileExists(atPath: memoir.path("restored")))
    }
  }

  @Test func `a damaged file of tombstones says itself what to do, and where it is damaged`() throws {
    let memoir = try TestProgram.withBob()
    try memoir.run("append", input: line(21, "eve"))
    for user in ["bob", "eve"] { #expect(try memoir.run("erase", user, "--yes").exitCode == 0) }
    let path = memoir.store + "/TOMBSTONES"
    let whole = try Data(contentsOf: URL(filePath: path))
    try whole.dropLast(5).write(to: URL(filePath: path))
    for words in [["verify"], ["state", "bob"]] {
      let run = try memoir.run(words, input: Data())
      #expect(run.exitCode == 5)
      #expect(run.errors.contains("line 3 of \(path) is damaged; put a whole copy"), "\(run.errors)")
      #expect(!run.errors.contains("restore a backup"))
    }
    try whole.write(to: URL(filePath: path))
    #expect(try memoir.run("verify").exitCode == 0)
  }

  @Test func `several times is told as so many erasures`() throws {
    let memoir = try TestProgram.withBob()
    try memoir.run("append", "--namespace", "two", input: line(21, "eve") + line(22, "eve"))
    for number in 31...33 {
      #expect(try memoir.run("erase", "bob", "--yes").exitCode == 0)
      try memoir.run("append", input: line(number))
    }
    #expect(try memoir.run("verify").output.contains("What 10 of them said was taken out by 3 erasures."))
    let two = try memoir.run("verify", "--namespace", "two")
    #expect(two.exitCode == 0 && two.output.hasPrefix("Sound. 2 events of 1 user in two: every record"))
    #expect(!two.output.contains("erasure"))
    let object = try memoir.run("verify", "--namespace", "two", "--json").object()
    #expect(object["events"] as? Int == 2 && object["users"] as? Int == 1 && object["namespace"] as? String == "two")
    #expect(try memoir.run("verify", "--json").object()["erased"] as? Int == 10)
  }

  @Test func `leaves events that are printed, and can't be appended elsewhere`() throws {
    let memoir = try TestProgram.withBob(), other = TestProgram()
    #expect(try memoir.run("erase", "bob", "--yes").exitCode == 0)
    let run = try other.run("append", "--json", input: memoir.run("events").lines[0] + "\n")
    #expect(run.exitCode == 2)
    #expect(try (run.error()["message"] as? String)?.contains("redacted: what it said was taken out") == true)
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
