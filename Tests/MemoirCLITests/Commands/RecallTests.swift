// `memoir recall`, run as a process: what it prints, what it refuses.
import Foundation
import TestSupport
import Testing

@Suite struct `Recalling on the command line` {
  /// A point at which nothing has faded yet.
  private static let then = ["--occurred-at", "2026-04-02T09:00:00Z"]

  /// The memories of an answer.
  private func memories(_ run: Run) throws -> [[String: Any]] {
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.lines.count == 1)
    return try #require(try run.object()["memories"] as? [[String: Any]])
  }

  @Test func `prints each memory with why it came`() throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run(
      ["recall", "bob", "where", "does", "he", "live", "in", "Lisbon?"] + Self.then, input: Data())
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.lines.first == "1. Lives in Lisbon.")
    #expect(run.output.contains("fact, home"))
    #expect(run.output.contains("2026-03-02 09:01Z  s-1  v3"))
    #expect(run.output.contains("words █"))
    #expect(run.output.contains("summary"))
    #expect(run.errors.isEmpty)
  }

  @Test func `prints one object with everything that is known of a memory`() throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run(["recall", "bob", "Lisbon", "--json", "-k", "1"] + Self.then, input: Data())
    let fact = try #require(try memories(run).first)
    #expect(fact["kind"] as? String == "fact")
    #expect(fact["id"] as? String == "home")
    #expect(fact["content"] as? String == "Lives in Lisbon.")
    #expect(fact["category"] as? String == "home")
    #expect(fact["confidence"] as? Double == 0.9)
    #expect(fact["event_id"] as? String == "00000000-0000-4000-8000-000000000003")
    #expect(fact["version"] as? Int == 3)
    #expect(fact["occurred_at"] as? String == "2026-03-02T09:01:01.000000Z")
    #expect(fact["session"] as? String == "s-1")
    #expect(fact["source_message_id"] as? String == "00000000-0000-4000-8000-000000000002")
    let score = try #require(fact["score"] as? Double)
    let parts = try #require(fact["score_parts"] as? [String: Double])
    #expect(parts["words"] ?? 0 > 0)
    #expect(abs(parts.values.reduce(0, +) - score) < 0.00001)
    #expect(Set(parts.keys).isSubset(of: ["words", "recency", "importance"]))

    let message = try #require(
      try memories(memoir.run("recall", "bob", "Porto", "--kind", "message", "--json")).first)
    #expect(message["kind"] as? String == "message")
    #expect(message["role"] as? String == "user")
    #expect(message["content"] as? String == "I live in Porto.")
    #expect(message["id"] as? String == message["event_id"] as? String)
  }

  @Test func `says beside the answer what it does without`() throws {
    let memoir = try TestProgram.withBob()
    let recall = "MEMOIR_EMBEDDINGS_MODEL=two memoir recall bob Lisbon --occurred-at 2026-04-02T09:00:00Z"
    let failing = try LoopbackServer { _ in .json("{}", status: 500) }
    let down = try memoir.shell("MEMOIR_EMBEDDINGS_URL=\(failing.url) " + recall)
    #expect(down.exitCode == 0 && down.lines.first == "1. Lives in Lisbon.")
    #expect(down.errors == "Found by words alone: the model's server is in trouble (500).\n")
    #expect(try memoir.shell("MEMOIR_EMBEDDINGS_URL=\(failing.url) " + recall + " --json").errors.isEmpty)
    let working = try LoopbackServer { _ in .json(#"{"data":[{"index":0,"embedding":[1,0]}]}"#) }
    let missing = try memoir.shell("MEMOIR_EMBEDDINGS_URL=\(working.url) " + recall)
    #expect(missing.errors.contains("without a vector") && missing.lines.first == "1. Lives in Lisbon.")
  }

  @Test func `answers as it would have at an earlier point`() throws {
    let memoir = try TestProgram.withBob()
    // When Bob's eight events came in, his facts had faded; these have not.
    try memoir.run(
      "append",
      input: line(
        9, "eve", "FactLearned", #"{"fact":"Lives in Porto.","category":"home","confidence":1,"fact_id":"home"}"#)
        + line(10, "eve", "FactRevised", #"{"fact_id":"home","fact":"Lives in Lisbon."}"#))
    func first(_ user: String, _ words: String...) throws -> String? {
      try memories(memoir.run(["recall", user, "lives", "--kind", "fact", "--json"] + words, input: Data()))
        .first?["content"] as? String
    }
    #expect(try first("eve") == "Lives in Lisbon.")
    #expect(try first("eve", "--at-version", "1") == "Lives in Porto.")
    #expect(try first("eve", "--at-position", "9") == "Lives in Porto.")
    #expect(try first("eve", "--at-position", "10") == "Lives in Lisbon.")
    #expect(try first("bob", "--occurred-at", "2026-03-31T00:00:00Z") == "Lives in Porto.")
    #expect(try first("bob", "--occurred-at", "2026-04-01T12:00:00Z") == "Lives in Lisbon.")
    #expect(try first("bob") == nil)
    #expect(try first("eve", "--at-version", "0") == nil)
    #expect(try first("eve", "--recorded-at", "1970-01-01T00:00:00Z") == nil)
  }

  @Test func `takes every filter`() throws {
    let memoir = try TestProgram.withBob()
    try memoir.run(
      "append",
      input: line(
        9, "bob", "FactLearned",
        #"{"fact":"Feeds the cat at eight.","category":"pets","confidence":1,"importance":0.9,"memory_type":"procedural","tags":["cat","day"]}"#,
        session: "s-2", #","occurred_at":"2026-04-03T08:00:00Z""#))
    // Long before anything fades.
    func contents(_ words: String...) throws -> Set<String> {
      let all = ["recall", "bob", "cat", "--json", "--occurred-at", "2026-04-03T09:00:00Z"] + words
      return Set(try memories(memoir.run(all, input: Data())).compactMap { $0["content"] as? String })
    }
    #expect(try contents().count == 4)
    #expect(try contents("--tag", "day", "--tag", "none") == ["Feeds the cat at eight."])
    #expect(try contents("--memory-type", "procedural") == ["Feeds the cat at eight."])
    #expect(try contents("--min-importance", "0.8") == ["Feeds the cat at eight."])
    #expect(try contents("--session", "s-2") == ["Feeds the cat at eight.", "Owns a cat."])
    #expect(try contents("--since", "2026-04-02T00:00:00Z", "--until", "2026-04-02T23:00:00Z") == ["Owns a cat."])
    #expect(try contents("--kind", "summary") == ["Bob said where he lives."])
    #expect(try contents("--top-k", "2").count == 2)
  }

  @Test func `says how many have faded`() throws {
    let memoir = try TestProgram.withBob()
    try memoir.run(
      "append",
      input: line(
        1, "ann", "FactLearned", #"{"fact":"Owns a boat.","category":"things","confidence":1}"#,
        #","occurred_at":"2020-04-03T08:00:00Z""#))
    let run = try memoir.run("recall", "ann", "boat")
    #expect(run.exitCode == 0)
    #expect(run.output.contains("1 memory has faded; 'memoir memories ann' lists them."))
    #expect(try memoir.run("recall", "ann", "boat", "--json").object()["faded"] as? Int == 1)
    #expect(try memoir.run("recall", "ann", "boat", "--at-version", "0").output.contains("faded") == false)
    // Also where there is an answer, and not where nobody asked for facts.
    try memoir.run("remember", "ann", "Owns", "a", "car", "--category", "car")
    let both = try memoir.run("recall", "ann", "owns")
    #expect(both.lines.first == "1. Owns a car" && both.lines.last?.hasPrefix("1 memory has faded;") == true)
    #expect(try memoir.run("recall", "ann", "owns", "--kind", "message").output.contains("faded") == false)
  }

  @Test func `of somebody nobody has heard of is empty`() throws {
    let memoir = try TestProgram.withBob()
    #expect(try memories(memoir.run("recall", "nobody", "Lisbon", "--json")).isEmpty)
    #expect(try memories(memoir.run("recall", "bob", "Lisbon", "--namespace", "elsewhere", "--json")).isEmpty)
    let run = try memoir.run("recall", "nobody", "Lisbon")
    #expect(run.exitCode == 0 && run.output.contains("Nothing is remembered"))
    #expect(run.errors == "Nobody is known as nobody.\n")
    #expect(
      try memoir.run("recall", "nobody", "Lisbon", "--json").output
        == #"{"faded":0,"known":false,"memories":[]}"# + "\n")
    #expect(try memoir.run("recall", "bob", "Lisbon", "--at-version", "0", "--json").object()["known"] == nil)
    #expect(try memoir.run("recall", "bob", "Lisbon", "--at-version", "0").errors.isEmpty)
  }

  @Test(arguments: [
    (["--top-k", "0"], "--top-k"), (["--top-k", "10001"], "--top-k"), (["-k", "18446744073709551615"], "--top-k"),
    (["--min-importance", "1.1"], "--min-importance"), (["--min-importance=-0.1"], "--min-importance"),
    (["--since", "2026-02-01T00:00:00Z", "--until", "2026-01-01T00:00:00Z"], "--since"),
    (["--at-version", "9"], "--at-version"), (["--at-position", "9"], "--at-position"),
  ]) func `names what it cannot accept`(words: [String], field: String) throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run(["recall", "bob", "Lisbon", "--json"] + words, input: Data())
    #expect(run.exitCode == 2 && run.output.isEmpty)
    #expect(try run.errorCode() == "invalid_argument")
    #expect(try run.errorDetails()["field"] as? String == field)
  }

  @Test(arguments: ["", " ", "\t\n"]) func `refuses a blank question`(question: String) throws {
    let run = try TestProgram.withBob().run("recall", "bob", question, "--json")
    #expect(run.exitCode == 2)
    #expect(try run.errorCode() == "invalid_argument")
    #expect(try run.errorDetails()["field"] as? String == "QUERY")
  }

  @Test func `refuses a question that is too long`() throws {
    let memoir = try TestProgram.withBob()
    // One word may be no longer than 128 KiB here, so many of them.
    let words = Array(repeating: String(repeating: "a", count: 100_000), count: 10)
    let run = try memoir.run(["recall", "bob", "--json"] + words, input: Data())
    #expect(run.exitCode == 2 && run.output.isEmpty)
    #expect(try run.errorCode() == "too_large")
    #expect(run.errors.utf8.count < 1_000)
  }

  @Test(arguments: [
    ["--kind", "facts"], ["--memory-type", "x"], ["--min-importance", "much"], ["--min-importance", "nan"],
    ["--top-k", "-1"], ["--top-k", "many"], ["--since", "yesterday"], ["--session", ""],
    ["--at-version", "1", "--recorded-at", "2026-01-01T00:00:00Z"],
  ]) func `refuses words that mean nothing`(words: [String]) throws {
    let run = try TestProgram.withBob().run(["recall", "bob", "Lisbon"] + words, input: Data())
    #expect(run.exitCode == 2 && run.output.isEmpty && !run.errors.isEmpty)
  }

  @Test func `needs a question and a store`() throws {
    #expect(try TestProgram.withBob().run("recall", "bob").exitCode == 2)
    let run = try TestProgram().run("recall", "bob", "Lisbon", "--json")
    #expect(run.exitCode == 3)
    #expect(try run.errorCode() == "not_found")
  }
}
