// Sessions from the command line: started, ended, swept by several processes, killed in between.
import Foundation
import Memoir
import TestSupport
import Testing

@Suite struct `The sessions command` {
  @Test func `starts, shows, touches and ends a session`() throws {
    let memoir = try TestProgram.withBob()
    let started = try memoir.run(
      "sessions", "bob", "--start", "--session", "s-9", "--idle-timeout", "60", "--metadata", #"{"channel":"web"}"#,
      "--message", "I work at Acme.", "--agent", "web", "--json")
    #expect(started.exitCode == 0, "\(started.errors)")
    let object = try started.object()
    #expect((object["event_ids"] as? [String])?.count == 2 && object["version"] as? Int == 10)
    #expect((object["session"] as? [String: Any])?["message_count"] as? Int == 1)
    #expect(try memoir.run("sessions", "bob", "--touch", "s-9").output == "s-9 is alive.\n")
    let messages = try memoir.run("sessions", "bob", "--messages", "s-9", "--json").object()
    let said = try #require((messages["messages"] as? [[String: Any]])?.first)
    #expect((said["data"] as? [String: Any])?["content"] as? String == "I work at Acme." && messages["next"] is NSNull)

    let ended = try memoir.run("sessions", "bob", "--end", "s-9", "--json").object()
    #expect(ended["had_ended"] as? Bool == false && ended["distiller"] as? String == "rules 1")
    let again = try memoir.run("sessions", "bob", "--end", "s-9", "--summary", "Other.", "--json").object()
    #expect(again["had_ended"] as? Bool == true && (again["event_ids"] as? [String])?.isEmpty == true)
    #expect((again["session"] as? [String: Any])?["summary"] as? String == "Works at Acme.")
    let memories = try memoir.run("sessions", "bob", "--memories", "s-9", "--json").object()
    let memory = try #require((memories["memories"] as? [[String: Any]])?.first)
    #expect(memory["fact"] as? String == "Works at Acme." && memory["category"] as? String == "fact")
    #expect(memory["source_message_id"] as? String == said["id"] as? String)
    // For people.
    #expect(try memoir.run("sessions", "bob", "--memories", "s-9").output.contains("Works at Acme."))
    #expect(try memoir.run("sessions", "bob", "--messages", "s-9").output.contains("user  I work at Acme."))
    #expect(try memoir.run("sessions", "bob", "--end", "s-9").output.contains("had ended already"))
  }

  @Test func `lists the open ones, and the newest first`() throws {
    let memoir = try TestProgram.withBob()
    func names(_ words: String...) throws -> [String?] {
      let object = try memoir.run(["sessions", "bob", "--json"] + words, input: Data()).object()
      return (object["sessions"] as? [[String: Any]] ?? []).map { $0["session"] as? String }
    }
    #expect(try names("--open") == ["s-2"] && names("--newest") == ["s-2", "s-1"])
    #expect(try names("--newest", "--limit", "1") == ["s-2"])
  }

  @Test func `refuses what means nothing, and says what is missing`() throws {
    let memoir = try TestProgram.withBob()
    let wrong = [
      ["--start", "--end", "s-1"], ["--session", "s-3"], ["--idle-timeout", "5"], ["--summary", "x"],
      ["--start", "--idle-timeout", "-1"], ["--start", "--metadata", "[]"], ["--start", "--metadata", "{"],
      ["--start", "--session", ""], ["--end", "s-1", "--open"], ["--messages", "s-1", "--agent", "a"],
    ]
    for words in wrong {
      #expect(try memoir.run(["sessions", "bob"] + words, input: Data()).exitCode == 2, "\(words)")
    }
    #expect(try memoir.run("sessions", "bob", "--touch", "s-1").exitCode == 2)
    #expect(try memoir.run("sessions", "bob", "--start", "--session", "s-1").exitCode == 4)
    for words in [["--end", "nope"], ["--messages", "nope"], ["--memories", "nope"], ["--touch", "nope"]] {
      #expect(try memoir.run(["sessions", "bob"] + words, input: Data()).exitCode == 3, "\(words)")
    }
    #expect(try memoir.run("sessions", "alice", "--end", "s-1").exitCode == 3)
    let error = try memoir.run("sessions", "bob", "--start", "--session", "s-1", "--json")
    #expect(try error.errorCode() == "id_conflict" && error.errorDetails()["session"] as? String == "s-1")
    #expect(try TestProgram().run("sessions", "bob", "--start").exitCode == 3, "no store is made")
  }

  @Test func `distils what ended by an import, once`() throws {
    let memoir = try TestProgram.withBob()
    let first = try memoir.run("distill", "bob", "--json").object()
    #expect(first["distilled"] as? Int == 1)
    #expect(try memoir.run("distill", "bob").output == "There is nothing to distil.\n")
    #expect(try memoir.run("distill", "bob", "--session", "s-1").output == "s-1 was distilled by rules 1 already.\n")
    #expect(try memoir.run("distill", "bob", "--session", "s-2").exitCode == 2, "it is open")
    #expect(try memoir.run("distill", "bob", "--session", "s-9").exitCode == 3)
    #expect(try memoir.run("distill", "alice").exitCode == 3)
    #expect(try memoir.run("distill", "bob", "--session", "s-1", "--all").exitCode == 2)
  }

  @Test(arguments: [["distill", "bob"], ["sweep", "--now", "2099-01-01T00:00:00Z"]])
  func `says so where the model failed and the rules took its place`(command: [String]) throws {
    let server = try LoopbackServer { _ in .json("{}", status: 401) }
    let line = "MEMOIR_CHAT_URL=\(server.url) MEMOIR_CHAT_MODEL=m memoir " + command.joined(separator: " ")
    let text = try TestProgram.withBob().shell(line)
    #expect(text.exitCode == 0 && text.output.contains("The distiller failed (refused)"), "\(text)")
    let object = try TestProgram.withBob().shell(line + " --json").object()
    let session = try #require((object["sessions"] as? [[String: Any]])?.first)
    #expect(session["failure"] as? String == "refused")
    // Where none was asked, none failed.
    let plain = try TestProgram.withBob().run(command, input: Data())
    #expect(plain.exitCode == 0 && !plain.output.contains("failed"))
  }
}

@Suite struct `The sweep command` {
  /// A store in which many sessions of many users are open.
  private func filled(users: Int, sessions: Int) throws -> TestProgram {
    let memoir = TestProgram()
    var text = ""
    var number = 0
    for user in 1...users {
      for session in 1...sessions {
        for said in ["I live in town \(session).", "I prefer tea number \(session)."] {
          number += 1
          text += line(
            number, "user-\(user)", "MessageAdded", #"{"role":"user","content":"\#(said)"}"#, session: "s-\(session)")
        }
      }
    }
    #expect(try memoir.run("append", input: text).exitCode == 0)
    return memoir
  }

  /// Every session has one end, and its memories with it: as neighbours, recorded at one moment.
  private func check(_ memoir: TestProgram, ended: Int) throws {
    let events = try memoir.run("events").objects()
    let ends = events.filter { $0["type"] as? String == "SessionEnded" }
    let keys = ends.map { "\($0["user"] ?? "") \($0["session"] ?? "")" }
    #expect(keys.count == ended && Set(keys).count == ended)
    for end in ends {
      #expect((end["data"] as? [String: Any])?["reason"] as? String == "timeout")
      let position = try #require(end["position"] as? Int)
      for memory in events[(position - 3)..<(position - 1)] {
        #expect(["FactLearned", "FactRevised"].contains(memory["type"] as? String))
        #expect(memory["session"] as? String == end["session"] as? String)
        #expect(memory["recorded_at"] as? String == end["recorded_at"] as? String)
      }
    }
    #expect(try memoir.run("verify").exitCode == 0)
  }

  @Test func `says what it closed, and closes it once`() throws {
    let memoir = try TestProgram.withBob()
    #expect(try memoir.run("sweep", "--json").object()["closed"] as? Int == 0)
    let then = "2099-01-01T00:00:00Z"
    let swept = try memoir.run("sweep", "--now", then, "--json").object()
    #expect(swept["closed"] as? Int == 1 && swept["users"] as? Int == 1 && swept["failed"] as? Int == 0)
    let session = try #require((swept["sessions"] as? [[String: Any]])?.first)
    #expect(session["user"] as? String == "bob" && session["session"] as? String == "s-2")
    #expect(try memoir.run("sweep", "--now", then).output == "0 sessions closed, of 1 user.\n")
    #expect(try memoir.run("sweep", "--now", "soon").exitCode == 2)
    #expect(try TestProgram().run("sweep").exitCode == 3)
  }

  @Test func `run by several processes at once closes each session once`() throws {
    let memoir = try filled(users: 20, sessions: 3)
    let program = try TestProgram.program.path
    let processes = try (1...4).map { _ in
      try RunningProcess(
        program, ["--store", memoir.store, "--json", "sweep", "--now", "2099-01-01T00:00:00Z"])
    }
    var closed = 0
    for process in processes {
      let text = try process.lines().joined()
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      closed += object?["closed"] as? Int ?? 0
      #expect(object?["failed"] as? Int == 0, "\(text)")
      #expect(try process.wait() == .exit(0))
    }
    #expect(closed == 60)
    try check(memoir, ended: 60)
  }

  @Test func `killed in between is gone on with, and nothing is closed by half or twice`() throws {
    let memoir = try filled(users: 40, sessions: 2)
    let program = try TestProgram.program.path
    for round in 1...5 {
      let process = try RunningProcess(
        program, ["--store", memoir.store, "sweep", "--now", "2099-01-0\(round)T00:00:00Z"])
      usleep(UInt32(4_000 * round))
      try process.kill9()
    }
    #expect(try memoir.run("sweep", "--now", "2099-01-09T00:00:00Z").exitCode == 0)
    try check(memoir, ended: 80)
  }
}
