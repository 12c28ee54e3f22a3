// The commands about memories, run as processes.
import Foundation
import Memoir
import Testing

extension TestProgram {
  /// Remembers a sentence about Bob; what came of it.
  fileprivate func remember(_ words: String...) throws -> [String: Any] {
    let run = try run(["remember", "bob", "--json"] + words, input: Data())
    #expect(run.exitCode == 0, "\(run.errors)")
    return try run.object()
  }

  /// The texts of Bob's memories.
  fileprivate func memories(_ words: String...) throws -> [String] {
    let page = try run(["memories", "bob", "--json"] + words, input: Data()).object()
    return try #require(page["memories"] as? [[String: Any]]).compactMap { $0["fact"] as? String }
  }
}

@Suite struct `memoir remember` {
  @Test func `makes a store, and says what became of the memory`() throws {
    let memoir = TestProgram()
    let stored = try memoir.remember(
      "Lives", "in", "Lisbon", "--category", "home", "--fact-id", "home", "--importance", "0.75", "--tag", "a", "-t",
      "b", "--ttl", "3600", "--session", "s-1", "--metadata", #"{"n":1}"#, "--agent", "web", "--memory-type",
      "episodic", "--confidence", "0.5")
    #expect(Set(stored.keys) == ["event_ids", "fact_id", "outcome", "superseded", "version"])
    #expect(stored["outcome"] as? String == "stored" && stored["fact_id"] as? String == "home")
    #expect(stored["version"] as? Int == 1 && (stored["event_ids"] as? [String])?.count == 1)
    let event = try memoir.run("events", "bob").object()
    let data = try #require(event["data"] as? [String: Any])
    #expect(data["fact"] as? String == "Lives in Lisbon" && data["category"] as? String == "home")
    #expect(data["importance"] as? Double == 0.75 && data["confidence"] as? Double == 0.5)
    #expect(data["memory_type"] as? String == "episodic" && data["tags"] as? [String] == ["a", "b"])
    #expect((data["metadata"] as? [String: Int]) == ["n": 1] && data["expires_at"] is String)
    #expect(event["session"] as? String == "s-1" && (event["metadata"] as? [String: String]) == ["agent": "web"])

    let confirmed = try memoir.remember("lives in LISBON.", "--category", "home")
    #expect(confirmed["outcome"] as? String == "confirmed" && confirmed["fact_id"] as? String == "home")
    let moved = try memoir.remember("Lives in Porto", "--category", "home")
    #expect(moved["outcome"] as? String == "stored" && moved["superseded"] as? [String] == ["home"])
    #expect(moved["version"] as? Int == 4)
    #expect(try memoir.memories() == ["Lives in Porto"])
    #expect(try memoir.memories("--at-version", "2") == ["Lives in Lisbon"])
  }

  @Test func `tells people the same`() throws {
    let memoir = TestProgram()
    #expect(
      try memoir.run("remember", "bob", "Lives in Lisbon", "--fact-id", "a").output
        == "Remembered: Lives in Lisbon  (general, 80%, a)\n")
    #expect(
      try memoir.run("remember", "bob", "lives in lisbon").output
        == "Confirmed: Lives in Lisbon  (general, 90%, a)\n")
    #expect(
      try memoir.run("remember", "bob", "Lives in Porto", "--fact-id", "b").output
        == "Remembered: Lives in Porto  (general, 80%, b)\n  in the place of: Lives in Lisbon  (a)\n")
    #expect(
      try memoir.run("remember", "bob", "Lives in Porto", "--fact-id", "b").output
        == "Known already: Lives in Porto  (general, 80%, b)\n")
    #expect(
      try memoir.run("remember", "bob", "--update", "b", "--confidence", "1").output
        == "Revised: Lives in Porto  (general, 100%, b)\n")
    #expect(
      try memoir.run("forget", "bob", "b").output == "Forgotten: Lives in Porto  (b)\n")
  }

  @Test func `reads a long text from standard input`() throws {
    let memoir = TestProgram()
    let text = String(repeating: "word ", count: 200_000)
    #expect(try memoir.run("remember", "bob", "-", input: text + "\n").exitCode == 0)
    #expect(try memoir.memories() == [text])
    let tooLong = try memoir.run("remember", "bob", "-", "--json", input: String(repeating: "é", count: 1_000_000))
    #expect(try tooLong.exitCode == 2 && tooLong.errorCode() == "too_large")
    #expect(try memoir.run(["remember", "bob", "-"], input: Data([0xff, 0x41])).exitCode == 2)
    #expect(try memoir.memories().count == 1)
  }

  static let refused: [([String], String)] = [
    ([], "TEXT"), ([""], "TEXT"), ([" "], "TEXT"), (["x", "--importance", "1.1"], "--importance"),
    (["x", "--confidence", "-0.1"], "--confidence"), (["x", "--confidence", "much"], "--confidence"),
    (["x", "--ttl", "-5"], "--ttl"), (["x", "--ttl", "0"], "--ttl"), (["x", "--ttl", "3155760001"], "--ttl"),
    (["x", "--tag", "a\tb"], "--tag"), (["x", "--tag", String(repeating: "t", count: 101)], "--tag"),
    (["x", "--category", "a\u{202e}b"], "--category"), (["x", "--memory-type", "muscle"], "--memory-type"),
    (["x", "--metadata", "[1]"], "--metadata"), (["x", "--metadata", "{"], "--metadata"),
    (["x", "--fact-id", ".."], "--fact-id"), (["x", "--session", "a\nb"], "--session"),
    (["x", "--update", "a", "--fact-id", "b"], "--fact-id"),
    (["x", "--agent", String(repeating: "a", count: 101)], "--agent"),
  ]

  @Test(arguments: refused) func `refuses what cannot be remembered, and makes no store`(words: [String], named: String)
    throws
  {
    let memoir = TestProgram()
    let run = try memoir.run(["remember", "bob", "--json"] + words, input: Data())
    #expect(run.exitCode == 2)
    #expect(try run.errorCode() == "invalid_argument")
    #expect(try #require(run.error()["message"] as? String).contains(named), "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: memoir.store))
  }

  @Test func `updates only what is there`() throws {
    let memoir = TestProgram()
    #expect(try memoir.run("remember", "bob", "--update", "a", "x").exitCode == 3)
    #expect(!FileManager.default.fileExists(atPath: memoir.store))
    _ = try memoir.remember("Owns a cat", "--fact-id", "a")
    _ = try memoir.remember("Owns a dog", "--fact-id", "b")
    #expect(try memoir.remember("Owns two cats", "--update", "a")["outcome"] as? String == "revised")
    #expect(try memoir.memories() == ["Owns two cats", "Owns a dog"])
    try memoir.run("forget", "bob", "a")
    let forgotten = try memoir.run("remember", "bob", "--update", "a", "x", "--json")
    #expect(try forgotten.exitCode == 3 && forgotten.errorCode() == "not_found")
    #expect(try memoir.run("remember", "bob", "--update", "b").exitCode == 0)
    let taken = try memoir.run("remember", "bob", "Owns a bird", "--fact-id", "b", "--json")
    #expect(try taken.exitCode == 4 && taken.errorCode() == "id_conflict")
    #expect(try taken.errorDetails()["ids"] as? [String] == ["b"])
  }

  // Who came second found its facts or took its turn; nobody's memory was stored twice.
  @Test func `by several processes at once loses and doubles nothing`() throws {
    let memoir = TestProgram()
    let run = try memoir.shell(
      """
      for agent in 1 2 3; do
        (for n in 1 2 3 4 5 6; do
          memoir remember bob "Likes dish $n" --agent $agent > /dev/null || echo "failed $?"
          memoir remember bob "Met person $agent-$n" --agent $agent > /dev/null || echo "failed $?"
        done) &
      done
      wait
      """)
    #expect(run.output.isEmpty && run.errors.isEmpty, "\(run.output)\(run.errors)")
    let expected = (1...6).flatMap { n in ["Likes dish \(n)"] + (1...3).map { "Met person \($0)-\(n)" } }
    #expect(try memoir.memories().sorted() == expected.sorted())
    let types = try memoir.run("events", "bob").objects().compactMap { $0["type"] as? String }
    #expect(types.filter { $0 == "FactLearned" }.count == 24 && types.filter { $0 == "FactRevised" }.count == 12)
  }

  @Test func `is seen by a reader that waits for it in another process`() async throws {
    let memoir = TestProgram()
    _ = try memoir.remember("Owns a cat")
    let store = try MemoirStore(folder: memoir.store)
    let bob = StreamName(try UserID("bob"))
    let reading = Task { try await store.state(of: bob, atLeast: 2, within: .seconds(60)) }
    let agents = Task {
      var agents: [String] = []
      for try await event in store.changes(of: bob, after: 1) {
        agents.append(event.agent ?? "")
        if agents.count == 2 { break }
      }
      return agents
    }
    _ = try memoir.remember("Owns a dog", "--agent", "one")
    _ = try memoir.remember("Owns a bird", "--agent", "two")
    #expect(try await reading.value.version >= 2)
    #expect(try await agents.value == ["one", "two"])
    try store.close()
  }
}

@Suite struct `memoir forget` {
  @Test func `forgets once, keeps history, and says why`() throws {
    let memoir = TestProgram()
    _ = try memoir.remember("Owns a cat", "--fact-id", "cat")
    let run = try memoir.run("forget", "bob", "cat", "--reason", "ran away", "--agent", "web", "--json").object()
    #expect(run["fact_id"] as? String == "cat" && run["version"] as? Int == 2)
    let again = try memoir.run("forget", "bob", "cat", "--json")
    #expect(try again.exitCode == 3 && again.errorCode() == "not_found")
    #expect(try #require(again.error()["message"] as? String).contains("forgotten"))
    #expect(try memoir.run("forget", "bob", "dog").exitCode == 3)
    #expect(try memoir.run("forget", "eve", "cat").exitCode == 3)
    #expect(try memoir.run("forget", "bob", "cat", "--namespace", "other").exitCode == 3)
    #expect(try memoir.memories() == [] && memoir.memories("--at-version", "1") == ["Owns a cat"])
    #expect(try memoir.run("explain", "bob", "fact:cat").output.contains("ran away"))
  }
}

@Suite struct `memoir memories` {
  @Test func `lists what is wanted, page by page`() throws {
    let memoir = TestProgram()
    _ = try memoir.remember("one", "-c", "a", "--importance", "0.9", "-t", "x", "-t", "y", "--session", "s-1")
    _ = try memoir.remember("two", "-c", "b", "--importance", "0.2", "-t", "x", "--memory-type", "working")
    _ = try memoir.remember("three", "-c", "a")
    #expect(try memoir.memories("-c", "a") == ["one", "three"] && memoir.memories("-c", "a", "-c", "b").count == 3)
    #expect(
      try memoir.memories("-t", "x", "-t", "y") == ["one"] && memoir.memories("--min-importance", "0.5") == ["one"])
    #expect(
      try memoir.memories("--memory-type", "working") == ["two"] && memoir.memories("--session", "s-1") == ["one"])
    #expect(try memoir.memories("--session", "s-9") == [] && memoir.memories("--after", "1", "-n", "1") == ["two"])
    let page = try memoir.run("memories", "bob", "-n", "2", "--json").object()
    #expect(page["next"] as? Int == 2 && page["total"] as? Int == 3)
    #expect(try memoir.run("memories", "eve").exitCode == 3)
    #expect(try memoir.run("memories", "bob", "--at-version", "9").exitCode == 2)
    let text = try memoir.run("memories", "bob", "-n", "2").output
    #expect(text.contains("■■■■■") || text.contains("■■■■□"))
    #expect(text.contains("one") && text.contains("There are more: --after 2"))
  }

  @Test func `shows one, with all there is to say`() throws {
    let memoir = TestProgram()
    _ = try memoir.remember("Owns a cat", "--fact-id", "cat", "-t", "pet", "--session", "s-1", "--ttl", "9999")
    let object = try memoir.run("memories", "bob", "cat", "--json").object()
    #expect(object["fact"] as? String == "Owns a cat" && object["session"] as? String == "s-1")
    #expect(
      Set(try #require(object["staleness"] as? [String: Any]).keys) == [
        "age_seconds", "refresh", "threshold_seconds", "valid",
      ])
    #expect(try #require(object["importance_now"] as? Double) <= 0.5)
    let text = try memoir.run("memories", "bob", "cat").output
    for part in ["Owns a cat", "■", "general", "semantic", "80%", "pet", "s-1", "until", "v1"] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(try memoir.run("memories", "bob", "dog").exitCode == 3)
    #expect(try memoir.run("memories", "bob", "cat", "--at-version", "0").exitCode == 3)
  }

  @Test func `shows which are old`() throws {
    let memoir = TestProgram()
    try memoir.run(
      "append",
      input: line(
        1, "bob", "FactLearned", #"{"fact":"Owns a cat","category":"pets","confidence":1,"importance":0.3}"#,
        #","occurred_at":"2020-01-01T00:00:00Z""#))
    let text = try memoir.run("memories", "bob").output
    #expect(text.contains("stale") && text.contains("archived"), "\(text)")
  }
}

@Suite struct `memoir conflicts` {
  @Test func `lists what was superseded, with its successor`() throws {
    let memoir = TestProgram()
    _ = try memoir.remember("Lives in Lisbon", "--fact-id", "lisbon")
    #expect(try memoir.run("conflicts", "bob").output == "No fact was superseded.\n")
    _ = try memoir.remember("Lives in Porto", "--fact-id", "porto")
    _ = try memoir.remember("Lives in Faro", "--fact-id", "faro")
    let page = try memoir.run("conflicts", "bob", "--json").object()
    let conflicts = try #require(page["conflicts"] as? [[String: Any]])
    #expect(
      conflicts.compactMap { ($0["superseded"] as? [String: Any])?["fact_id"] as? String } == ["lisbon", "porto"])
    #expect(
      conflicts.compactMap { ($0["successor"] as? [String: Any])?["fact"] as? String } == [
        "Lives in Porto", "Lives in Faro",
      ])
    #expect(conflicts.compactMap { $0["version"] as? Int } == [3, 5] && page["next"] is NSNull)
    let text = try memoir.run("conflicts", "bob", "-n", "1").output
    #expect(text.contains("- Lives in Lisbon") && text.contains("+ Lives in Porto") && text.contains("--after 3"))
    #expect(try memoir.run("conflicts", "bob", "--after", "3", "--json").output.contains("Faro"))
    #expect(try memoir.run("conflicts", "bob", "--at-version", "2").output == "No fact was superseded.\n")
    #expect(try memoir.run("conflicts", "eve").exitCode == 3)
  }
}
