// The commands that look into a store, run as processes.
import Foundation
import Testing

@Suite struct `Listing events` {
  @Test func `prints lines that append takes again`() throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run("events")
    let other = TestProgram()
    #expect(try other.run("append", input: run.output).output.contains("\"appended\":8,"))
    let event = try #require(try run.objects().first { $0["type"] as? String == "FactLearned" })
    #expect(event["user"] as? String == "bob")
    #expect(event["version"] as? Int == 3)
    #expect((event["data"] as? [String: Any])?["confidence"] as? Double == 0.9)
    #expect((event["metadata"] as? [String: Any])?["agent"] as? String == "web")
  }

  @Test func `takes a part of the log`() throws {
    let memoir = try TestProgram.withBob()
    try memoir.run("append", input: line(1, "eve") + line(2, "eve"))
    func versions(_ words: String...) throws -> [Int] {
      try memoir.run(["events"] + words, input: Data()).objects().compactMap { $0["version"] as? Int }
    }
    #expect(try versions("bob", "--from", "3", "--to", "5") == [3, 4, 5])
    #expect(try versions("bob", "--reverse", "-n", "2") == [8, 7])
    #expect(try versions("bob", "--reverse", "--to", "4", "--from", "3") == [4, 3])
    #expect(try versions("bob", "--type", "FactLearned", "--type", "FactRevised") == [3, 6, 8])
    #expect(try versions("bob", "--session", "s-2") == [8])
    #expect(try versions("bob", "--after-position", "6") == [7, 8])
    #expect(try versions("bob", "--after-position", "600") == [])
    #expect(try versions("--after-position", "7") == [8, 1, 2])
    #expect(try versions("--reverse", "--after-position", "7") == [2, 1, 8])
    #expect(try versions("--limit", "3", "--reverse") == [2, 1, 8])
    #expect(try versions("nobody") == [])
    #expect(try versions("--namespace", "elsewhere") == [])
  }

  @Test func `a type in another case cannot be, and says so`() throws {
    let run = try TestProgram.withBob().run("events", "--type", "factlearned", "--json")
    #expect(run.exitCode == 2)
    #expect(try run.errorDetails()["did_you_mean"] as? String == "FactLearned")
    #expect(try TestProgram.withBob().run("events", "--type", "Fact Learned").exitCode == 2)
    #expect(try TestProgram.withBob().run("events", "--type", "OrderPlaced").exitCode == 0)
  }

  @Test func `ends quietly when its reader goes away`() throws {
    let memoir = TestProgram()
    try memoir.run("append", input: (1...3000).map { line($0) }.joined())
    let run = try memoir.shell("memoir events | head -n 1; echo ${PIPESTATUS[0]}")
    #expect(run.lines.count == 2)
    #expect(run.lines.last == "141")
    #expect(run.errors.isEmpty)
  }

  @Test func `says so when the output cannot be written`() throws {
    let run = try TestProgram.withBob().shell("memoir events > /dev/full")
    #expect(run.exitCode == 1)
    #expect(run.errors.contains("cannot write the output"))
  }

  @Test func `follows, from a checkpoint that moves on`() throws {
    let memoir = try TestProgram.withBob()
    let first = try memoir.run("events", "--follow", "--subscription", "mail", "--ack", "--limit", "5")
    #expect(try first.objects().map { $0["position"] as? Int } == [1, 2, 3, 4, 5])
    let second = try memoir.run("events", "--follow", "--subscription", "mail", "--limit", "2")
    #expect(try second.objects().map { $0["position"] as? Int } == [6, 7])
    // Without --ack nothing has moved.
    let third = try memoir.run("events", "--follow", "--subscription", "mail", "--ack", "--limit", "3")
    #expect(try third.objects().map { $0["position"] as? Int } == [6, 7, 8])
    let live = try memoir.shell(
      "(sleep 0.3; echo '\(line(9).dropLast())' | memoir append > /dev/null) & timeout 20 memoir events bob --follow --after-position 8 -n 1"
    )
    #expect(live.exitCode == 0, "\(live.errors)")
    #expect(try live.objects().map { $0["version"] as? Int } == [9])
  }

  @Test func `following ends when it is asked to`() throws {
    let run = try TestProgram.withBob().shell(
      "memoir events --follow & sleep 0.4; kill -TERM $!; wait $!; echo \"code $?\"")
    #expect(run.lines.count == 9)
    #expect(run.lines.last == "code 0")
  }

  @Test func `following ends when its reader goes away, also where nothing comes any more`() throws {
    let run = try TestProgram.withBob().shell(
      "timeout 20 memoir events --follow | head -n 1; echo ${PIPESTATUS[0]}")
    #expect(run.lines.count == 2)
    #expect(run.lines.last == "141")
    #expect(run.errors.isEmpty)
  }
}

@Suite struct `Looking at a state` {
  @Test func `now and earlier`() throws {
    let memoir = try TestProgram.withBob()
    func facts(_ words: String...) throws -> [String] {
      let state = try memoir.run(["state", "bob", "--json"] + words, input: Data()).object()
      return try #require(state["facts"] as? [[String: Any]]).compactMap { $0["fact"] as? String }
    }
    #expect(try facts() == ["Lives in Lisbon.", "Owns a cat."])
    #expect(try facts("--at-version", "5") == ["Lives in Porto."])
    #expect(try facts("--at-position", "5") == ["Lives in Porto."])
    #expect(try facts("--at-version", "0") == [])
    #expect(try facts("--occurred-at", "2026-04-01T11:59:59Z") == ["Lives in Porto."])
    #expect(try facts("--occurred-at", "2026-04-01T14:00:00+02:00") == ["Lives in Lisbon."])
    #expect(try facts("--recorded-at", "2020-01-01T00:00:00Z") == [])
  }

  @Test func `in the form of the contract`() throws {
    let memoir = try TestProgram.withBob()
    let state = try memoir.run("state", "bob", "--json").object()
    #expect(state["user"] as? String == "bob")
    #expect(state["version"] as? Int == 8)
    #expect((state["as_of"] as? [String: Any])?["head"] as? Bool == true)
    let theme = try #require((state["preferences"] as? [String: [String: Any]])?["theme"])
    #expect(theme["value"] as? String == "light")
    #expect(theme["previous_value"] as? String == "dark")
    #expect((state["messages"] as? [String: Any])?["total"] as? Int == 1)
    #expect(try memoir.run("state", "bob", "--json").output == memoir.run("state", "bob", "--json").output)
  }

  @Test func `for people it names facts, preferences and sessions`() throws {
    let text = try TestProgram.withBob().run("state", "bob").output
    for word in [
      "bob, now", "Facts: home", "Lives in Lisbon.", "theme: light", "before: dark",
      "Bob said where he lives.",
    ] {
      #expect(text.contains(word), "\(text)")
    }
  }

  @Test func `fits in 80 columns of a terminal, and no text can steer it`() throws {
    let memoir = try TestProgram.withBob()
    let nasty =
      #"{"fact":"red \u001b[31m \u202eback \#(String(repeating: "long ", count: 60))","category":"x","confidence":1}"#
    try memoir.run("append", input: line(9, "bob", "FactLearned", nasty))
    let run = try memoir.terminal("state", "bob")
    #expect(run.exitCode == 0)
    #expect(run.output.contains("\u{1B}[1m"))
    #expect(!run.output.contains("\u{1B}[31m"))
    #expect(!run.output.contains("\u{202E}"))
    let plain = run.output.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    for line in plain.split(whereSeparator: \.isNewline) { #expect(line.count <= 80, "\(line)") }
    let json = try memoir.terminal("state", "bob", "--json")
    #expect(!json.output.contains("\u{202E}"))
    #expect(json.output.contains(#"\u202e"#))
    let uncoloured = try memoir.terminal("state", "bob", environment: ["NO_COLOR": "1"])
    #expect(!uncoloured.output.contains("\u{1B}"))
  }

  @Test func `a point past the head, or a user nobody knows`() throws {
    let memoir = try TestProgram.withBob()
    for words in [
      ["--at-version", "9"], ["--at-position", "9"], ["--recorded-at", "2999-01-01T00:00:00Z"],
    ] {
      // A replay is of users with heads of their own: a version beyond one is that head.
      for command in words[0] == "--at-version" ? ["state"] : ["state", "replay"] {
        let run = try memoir.run([command, "bob", "--json"] + words, input: Data())
        #expect(run.exitCode == 2)
        #expect(try run.errorCode() == "invalid_argument")
        #expect(try run.errorDetails()["field"] as? String == words[0])
      }
      #expect(try memoir.run(["state", "bob"] + words, input: Data()).errors.contains("memoir: \(words[0]): is"))
    }
    #expect(try memoir.run("state", "bob", "--occurred-at", "2999-01-01T00:00:00Z").exitCode == 0)
    let unknown = try memoir.run("state", "eve", "--json")
    #expect(unknown.exitCode == 3)
    #expect(try unknown.errorCode() == "not_found")
  }
}

@Suite struct `Asking for history` {
  @Test func `a difference names what changed and the events responsible`() throws {
    let memoir = try TestProgram.withBob()
    let diff = try memoir.run("diff", "bob", "--from", "v5", "--to", "now", "--json").object()
    let facts = try #require(diff["facts"] as? [String: [[String: Any]]])
    #expect(facts["learned"]?.compactMap { $0["fact"] as? String } == ["Owns a cat."])
    #expect(facts["revised"]?.compactMap { $0["fact"] as? String } == ["Lives in Lisbon."])
    let events = try #require(diff["events"] as? [[String: Any]])
    #expect(events.compactMap { $0["version"] as? Int } == [6, 7, 8])
    let text = try memoir.run("diff", "bob", "--from", "start", "--to", "occurred:2026-03-31T00:00:00Z")
      .output
    #expect(text.contains("+ Lives in Porto."))
    #expect(text.contains("(home, home, v3)"), "\(text)")
    #expect(text.contains("Sessions: 1 begun, 1 ended"))
    let later = try memoir.run("diff", "bob", "--from", "v5", "--to", "now").output
    #expect(later.contains("~ Lives in Lisbon.  (home, v6)"), "\(later)")
    #expect(later.contains("+ Owns a cat.  (pets, v8)"), "\(later)")
    #expect(try memoir.run("diff", "bob", "--from", "now", "--to", "now").output.contains("Nothing changed."))
  }

  @Test(arguments: [
    ("v5", "v3"), ("now", "v3"), ("v5", "occurred:2026-03-31T00:00:00Z"), ("v1", "start"), ("v3", "v900"),
    ("occurred:2026-03-31T00:00:00Z", "occurred:2026-03-30T00:00:00Z"), ("v-1", "now"), ("yesterday", "now"),
  ]) func `points that do not go together are refused`(from: String, to: String) throws {
    let run = try TestProgram.withBob().run("diff", "bob", "--from", from, "--to", to, "--json")
    #expect(run.exitCode == 2)
    #expect(try run.errorCode() == "invalid_argument")
    #expect(["--from", "--to"].contains(try run.errorDetails()["field"] as? String))
  }

  @Test func `an item is explained by its events and its message`() throws {
    let memoir = try TestProgram.withBob()
    let object = try memoir.run("explain", "bob", "fact:home", "--json").object()
    let events = try #require(object["events"] as? [[String: Any]])
    #expect(events.compactMap { $0["effect"] as? String } == ["learned", "revised"])
    let text = try memoir.run("explain", "bob", "home").output
    for word in ["fact:home of bob", "Lives in Lisbon.", "learned", "by web", "from: user: I live in Porto."] {
      #expect(text.contains(word), "\(text)")
    }
    #expect(text.contains("2026-03-02 09:01Z  learned  v3"), "\(text)")
    #expect(try memoir.run("explain", "bob", "preference:theme").output.contains("theme is dark"))
    #expect(try memoir.run("explain", "bob", "s-1").output.contains("Bob said where he lives."))
    #expect(try memoir.run("explain", "bob", "nothing").exitCode == 3)
    // What was revised, where the words are the same.
    let revised = #"{"fact_id":"home","confidence":0.25,"tags":["a","b"]}"#
    try memoir.run(
      "append", input: line(31, "bob", "FactRevised", revised) + line(32, "bob", "FactRevised", #"{"fact_id":"home"}"#))
    let again = try memoir.run("explain", "bob", "home").output
    #expect(again.contains("    confidence 25%, tags a, b\n") && again.contains("    confirmed\n"), "\(again)")
    #expect(try memoir.run("explain", "bob", "fact:", "--json").errorDetails()["field"] as? String == "ITEM")
    try memoir.run("append", input: line(9, "bob", "PreferenceUpdated", #"{"key":"home","value":1}"#))
    #expect(try memoir.run("explain", "bob", "home").exitCode == 2)
    #expect(try memoir.run("explain", "bob", "fact:home").exitCode == 0)
  }

  @Test func `following ends where nothing more can come`() throws {
    let memoir = try TestProgram.withBob()
    // Asked to end, it would end well.
    let run = try memoir.shell("timeout -s KILL 20 memoir events bob --from 2 --to 4 --follow")
    #expect(run.exitCode == 0)
    #expect(run.lines.count == 3)
  }

  @Test(arguments: [
    "messages", "facts", "preferences", "relationships", "sessions", "episodes", "profile", "context",
  ]) func `a replay has one digest, however it is done`(projector: String) throws {
    let memoir = try TestProgram.withBob()
    try memoir.run("append", input: line(1, "eve"))
    var digests: Set<String> = []
    for words in [["--jobs", "1"], ["-j", "4"], ["--no-snapshots"]] {
      let object = try memoir.run(
        ["replay", "--json", "--projector", projector] + words, input: Data()
      ).object()
      #expect(object["projector"] as? String == projector)
      #expect(object["users"] as? Int == 2)
      #expect(object["events"] as? Int == 9)
      #expect(object["seconds"] as? Double != nil)
      #expect(object["events_per_second"] as? Int != nil)
      digests.insert(try #require(object["digest"] as? String))
    }
    #expect(digests.count == 1)
  }

  @Test func `a replay of some users, or at a point`() throws {
    let memoir = try TestProgram.withBob()
    try memoir.run("append", input: line(1, "eve"))
    #expect(try memoir.run("replay", "--json", "eve", "eve").object()["events"] as? Int == 1)
    #expect(try memoir.run("replay", "--json", "bob", "--at-version", "5").object()["events"] as? Int == 5)
    #expect(try memoir.run("replay", "--namespace", "none", "--json").object()["users"] as? Int == 0)
    #expect(try memoir.run("replay", "nobody").exitCode == 3)
    #expect(try memoir.run("replay", "--projector", "moods").exitCode == 2)
    #expect(try memoir.run("replay").output.contains("Replayed 9 events of 2 users to their context"))
  }

  @Test func `sessions come in pages`() throws {
    let memoir = try TestProgram.withBob()
    let first = try memoir.run("sessions", "bob", "--json", "-n", "1").object()
    #expect((first["sessions"] as? [[String: Any]])?.compactMap { $0["session"] as? String } == ["s-1"])
    #expect(first["total"] as? Int == 2)
    #expect(first["open"] as? Int == 1)
    let next = try #require(first["next"] as? Int)
    let second = try memoir.run("sessions", "bob", "--json", "--after", String(next)).object()
    #expect((second["sessions"] as? [[String: Any]])?.compactMap { $0["session"] as? String } == ["s-2"])
    #expect(second["next"] is NSNull)
    #expect(try memoir.run("sessions", "bob").output.contains("Bob said where he lives."))
    #expect(try memoir.run("sessions", "eve").exitCode == 3)
  }
}
