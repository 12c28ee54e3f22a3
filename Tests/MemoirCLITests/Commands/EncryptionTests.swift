// An encrypted store on the command line: `memoir encryption`, and every other command with and without the key.
import Foundation
import Glibc
import Memoir
import Testing

/// The program on a store with a master key.
private struct EncryptedProgram {
  let memoir = TestProgram()

  func keyFile(_ name: String = "key") -> String { memoir.path(name) }

  @discardableResult
  func run(_ words: String..., key: String? = "key", input: String = "") throws -> Run {
    var environment = ["MEMOIR_STORE": memoir.store]
    environment["MEMOIR_MASTER_KEY_FILE"] = key.map(keyFile)
    return try TestProgram.launch(TestProgram.program, words, input: Data(input.utf8), environment: environment)
  }

  static func withBob() throws -> EncryptedProgram {
    let program = EncryptedProgram()
    for name in ["key", "new", "wrong"] {
      #expect(try program.run("encryption", "new-key", program.keyFile(name), key: nil).exitCode == 0)
    }
    // Appends of their own, so that one can be restored at each.
    let run = try program.run("append", "--batch", "1", input: bobsHistory)
    #expect(run.exitCode == 0, "\(run.errors)")
    return program
  }

  func holds(_ text: String) throws -> Bool {
    try Data(contentsOf: URL(filePath: memoir.store + "/data.mdb")).range(of: Data(text.utf8)) != nil
  }
}

@Suite struct `Encryption on the command line` {
  @Test func `is there from the first event on, where there is a key`() throws {
    let program = try EncryptedProgram.withBob()
    #expect(try !program.holds("Porto"))
    let status = try program.run("encryption", "status", "--json").object()
    let id = try #require(status["master_key"] as? String)
    #expect(status["encrypted"] as? Bool == true && (status["algorithm"] as? String)?.isEmpty == false)
    #expect(try program.run("encryption", "status").output.contains(id))
    let stats = try program.run("stats", "--json").object()["encryption"] as? [String: Any]
    #expect(stats?["master_key"] as? String == id)
    #expect(try program.run("events", "bob").output.contains("Porto"))
    #expect(try program.run("remember", "bob", "Was born in Braga").exitCode == 0)
    #expect(try program.run("recall", "bob", "where was he born").output.contains("Braga"))
    #expect(try !program.holds("Braga"))
    #expect(try program.run("context", "bob", "where does he live").exitCode == 0)
    #expect(try program.run("verify").exitCode == 0)
    #expect(try program.run("verify", "--repair-derived").exitCode == 0)
    #expect(try program.run("replay", "--dry-run").exitCode == 0)
    #expect(try program.run("attest").exitCode == 0)
    #expect(try program.run("compact").exitCode == 0)
    #expect(try !program.holds("Porto"))

    let plain = try TestProgram.withBob()
    #expect(try plain.run("encryption", "status", "--json").object()["encrypted"] as? Bool == false)
    #expect(try plain.run("stats").output.contains("encryption"))
    #expect(try Data(contentsOf: URL(filePath: plain.store + "/data.mdb")).range(of: Data("Porto".utf8)) != nil)
  }

  @Test func `keeps everybody out who has no key, or another one`() throws {
    let program = try EncryptedProgram.withBob()
    let id = try #require(program.run("encryption", "status", "--json").object()["master_key"] as? String)
    for words in [
      ["events"], ["append"], ["state", "bob"], ["stats"], ["verify"], ["mcp"], ["serve"], ["compact"],
      ["erase", "bob", "--yes"], ["encryption", "status"], ["backup", program.memoir.path("copy")],
    ] {
      for key in [nil, "wrong"] {
        var environment = ["MEMOIR_STORE": program.memoir.store]
        environment["MEMOIR_MASTER_KEY_FILE"] = key.map { program.keyFile($0) }
        let run = try TestProgram.launch(
          TestProgram.program, words + ["--json"], input: Data(), environment: environment)
        #expect(run.exitCode == 2, "\(words) \(run.errors)")
        #expect(try run.errorCode() == "invalid_argument", "\(words)")
        #expect(run.errors.contains(id), "\(words) \(run.errors)")
      }
    }
    #expect(try program.run("events", key: nil).errors.contains("MEMOIR_MASTER_KEY_FILE"))
    let plain = try TestProgram.withBob()
    let run = try TestProgram.launch(
      TestProgram.program, ["events"], input: Data(),
      environment: ["MEMOIR_STORE": plain.store, "MEMOIR_MASTER_KEY_FILE": program.keyFile()])
    #expect(run.exitCode == 2 && run.errors.contains("not encrypted"))
    #expect(try program.run("events", key: "none").exitCode == 2)
    #expect(try program.run("verify").exitCode == 0)
  }

  @Test func `has a backup that takes the same key`() throws {
    let program = try EncryptedProgram.withBob()
    let copy = program.memoir.path("copy")
    #expect(try program.run("backup", copy).exitCode == 0)
    for (key, exitCode) in [("key", 0), ("wrong", 2), (nil, 2)] as [(String?, Int32)] {
      let restored = program.memoir.path("restored-\(key ?? "none")")
      let run = try program.run("--store", restored, "restore", copy, key: key)
      #expect(run.exitCode == exitCode, "\(run.errors)")
      guard exitCode == 0 else { continue }
      #expect(try program.run("--store", restored, "events", "bob").output.contains("Porto"))
      #expect(try program.run("--store", restored, "events", key: nil).exitCode == 2)
    }
    #expect(try program.run("--store", program.memoir.path("at"), "restore", copy, "--at-position", "3").exitCode == 0)
    #expect(try program.run("--store", program.memoir.path("at"), "events").lines.count == 3)
  }

  @Test func `can be given another master key`() throws {
    let program = try EncryptedProgram.withBob()
    let events = try program.run("events").output
    let run = try program.run("encryption", "rotate", "--new-key-file", program.keyFile("new"), "--json")
    #expect(run.exitCode == 0, "\(run.errors)")
    let rotation = try run.object()
    #expect(rotation["users"] as? Int == 1 && rotation["scrubbed"] as? Bool == true)
    #expect(try program.run("events").exitCode == 2)
    #expect(try program.run("events", key: "new").output == events)
    #expect(try program.run("verify", key: "new").exitCode == 0)
    for words in [
      ["encryption"], ["encryption", "rotate"], ["encryption", "new-key"], ["encryption", "status", "file"],
      ["encryption", "new-key", program.keyFile("new")], ["encryption", "status", "--new-key-file", "x"],
      ["encryption", "rotate", "--new-key-file", program.keyFile("none")],
      ["encryption", "rotate", "--new-key-file", program.keyFile("new")],
    ] {
      let run = try TestProgram.launch(
        TestProgram.program, words, input: Data(),
        environment: ["MEMOIR_STORE": program.memoir.store, "MEMOIR_MASTER_KEY_FILE": program.keyFile("new")])
      #expect(run.exitCode == 2, "\(words) \(run.errors)")
    }
    #expect(try program.run("events", key: "new").output == events)
  }

  // Whenever it is killed, one of the two keys opens the store, and then all of it.
  @Test func `has the one key or the other when it is killed while it is given another`() throws {
    let program = try EncryptedProgram.withBob()
    var history = ""
    for number in 100..<400 { history += line(number, "user-\(number)") }
    #expect(try program.run("append", input: history).exitCode == 0)
    let events = try program.run("events").output
    var (key, other) = ("key", "new")
    var rotations = 0
    for delay in 0..<24 {
      let process = Process()
      process.executableURL = try TestProgram.program
      process.arguments = ["encryption", "rotate", "--new-key-file", program.keyFile(other)]
      process.environment = [
        "MEMOIR_STORE": program.memoir.store, "MEMOIR_MASTER_KEY_FILE": program.keyFile(key),
        "SWIFT_BACKTRACE": "enable=no",
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      usleep(UInt32(1_000 + delay * 2_500))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let isNew = try program.run("encryption", "status", key: other).exitCode == 0
      #expect(try program.run("encryption", "status", key: key).exitCode == (isNew ? 2 : 0))
      if isNew { (key, other, rotations) = (other, key, rotations + 1) }
      if delay % 6 == 5 {
        #expect(try program.run("events", key: key).output == events)
        #expect(try program.run("verify", key: key).exitCode == 0)
      }
    }
    // Some were too early and some too late to change anything, or there was nothing to be tested.
    #expect(rotations < 24, "\(rotations)")
  }
}
