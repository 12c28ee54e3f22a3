// `memoir context`, `memoir receipt` and `memoir stats --effectiveness`, run as processes.
import Foundation
import Testing

@Suite struct `Asking for a context` {
  /// Facts of now: those of long ago have faded.
  private func program() throws -> TestProgram {
    let memoir = TestProgram()
    let now = Date.now.formatted(.iso8601)
    let events = [
      #"{"user":"bob","type":"FactLearned","occurred_at":"\#(now)","data":{"fact":"Write the release notes","category":"task","confidence":0.9}}"#,
      #"{"user":"bob","type":"FactLearned","occurred_at":"\#(now)","data":{"fact":"The database is PostgreSQL","category":"decision","confidence":0.9}}"#,
      #"{"user":"bob","session":"s-1","type":"MessageAdded","occurred_at":"\#(now)","data":{"role":"user","content":"Back up the database, please."}}"#,
    ]
    #expect(try memoir.run("append", input: events.joined(separator: "\n")).exitCode == 0)
    return memoir
  }

  @Test func `prints the text for a prompt, and says what it took and under which receipt it is kept`() throws {
    let memoir = try program()
    let run = try memoir.run("context", "bob", "which", "database?")
    #expect(run.exitCode == 0)
    #expect(run.output.hasPrefix("# What is known of bob\n\n## Open tasks\n- Write the release notes\n"))
    #expect(run.output.contains("- decision: The database is PostgreSQL\n"))
    #expect(run.errors.contains(" tokens of 4,000; receipt "))
    let receipt = try #require(run.errors.split(separator: " ").last).trimmingCharacters(in: .newlines)
    let again = try memoir.run("receipt", receipt)
    #expect(again.output == run.output)
    #expect(again.errors.contains("bob on "))
  }

  @Test func `as JSON has text, tokens, items and receipt; and the receipt has the same bytes`() throws {
    let memoir = try program()
    let run = try memoir.run("context", "bob", "database", "--budget", "60", "--json")
    let object = try run.object()
    let tokens = try #require(object["tokens"] as? Int)
    #expect(tokens > 0 && tokens <= 60)
    #expect((object["text"] as? String)?.isEmpty == false)
    let items = try #require(object["items"] as? [[String: Any]])
    #expect(!items.isEmpty)
    for item in items {
      for key in ["event_id", "id", "kind", "priority", "recency", "relevance", "score", "section", "text", "version"] {
        #expect(item[key] != nil, "\(key)")
      }
    }
    let receipt = try #require(object["receipt"] as? String)
    try memoir.run(
      "append", input: #"{"user":"bob","type":"FactLearned","data":{"fact":"database","category":"x","confidence":1}}"#)
    #expect(try memoir.run("receipt", receipt, "--json").output == run.output)
  }

  @Test func `of an earlier point, of nobody, and of nothing`() throws {
    let memoir = try program()
    #expect(try memoir.run("context", "bob", "database", "--at-version", "1").output.contains("PostgreSQL") == false)
    #expect(try memoir.run("context", "ann", "database").output.isEmpty)
    #expect(try memoir.run("context", "ann", "database").errors.contains("Nobody is known as ann."))
    #expect(try !memoir.run("context", "bob", "--at-version", "0").errors.contains("Nobody"))
    #expect(try memoir.run("context", "bob").output.contains("Write the release notes"))
  }

  @Test func `of nobody there is no receipt, and nothing of the question is kept`() throws {
    let memoir = try program()
    let run = try memoir.run("context", "nobody", "my", "secret", "UNKQ", "--json")
    #expect(run.exitCode == 0)
    #expect(run.output == #"{"items":[],"known":false,"omitted":0,"text":"","tokens":0}"# + "\n")
    #expect(try memoir.run("context", "nobody", "my secret UNKQ").errors.contains("no receipt"))
    let data = try Data(contentsOf: URL(filePath: memoir.store + "/data.mdb"))
    #expect(data.range(of: Data("UNKQ".utf8)) == nil)
  }

  // It needed to write, though its help says otherwise.
  @Test func `on a read-only disk there is the text, and no receipt`() throws {
    let memoir = try program()
    let script = try memoir.file(
      "script",
      """
      mount --bind "$MEMOIR_STORE" "$MEMOIR_STORE" && mount -o remount,bind,ro "$MEMOIR_STORE" || exit
      memoir context bob which database
      """)
    for mode in ["-m", "-Urm"] {
      let run = try memoir.shell("unshare \(mode) bash \(script)")
      if run.output.isEmpty { continue }
      #expect(run.exitCode == 0, "\(run.errors)")
      #expect(run.output.contains("- decision: The database is PostgreSQL\n"))
      #expect(run.errors.contains("; no receipt"))
      return
    }
    withKnownIssue("no disk could be made read-only here") { Issue.record("a read-only disk was not tested") }
  }

  @Test func `refuses what can't be, naming it`() throws {
    let memoir = try program()
    let run = try memoir.run("context", "bob", "x", "--budget", "1000001", "--json")
    #expect(run.exitCode == 2)
    #expect(try run.error()["message"] as? String == "--budget: is 1000001; it must be 1…1000000")
    #expect(try memoir.run("context", "bob", "x", "--budget", "0").exitCode == 2)
    #expect(try memoir.run("context", "bob", "x", "--at-version", "9").exitCode == 2)
    #expect(try memoir.run("receipt", "nonsense").exitCode == 2)
    #expect(try memoir.run("receipt", "00000000-0000-7000-8000-000000000000").exitCode == 3)
    #expect(try TestProgram().run("context", "bob", "x").exitCode == 3)
  }

  @Test func `counts for the effectiveness`() throws {
    let memoir = try program()
    #expect(try memoir.run("context", "bob", "database").exitCode == 0)
    #expect(try memoir.run("context", "bob", "zebra").exitCode == 0)
    let report = try memoir.run("stats", "--effectiveness", "--json").object()
    #expect(report["contexts"] as? Int == 2)
    #expect(report["hit_rate"] as? Double == 0.5)
    #expect(report["facts_learned"] as? Int == 2)
    #expect((report["tokens_used"] as? Int ?? 0) > 0)
    let early = try memoir.run("stats", "--effectiveness", "--until", "2020-01-01T00:00:00Z", "--json").object()
    #expect(early["contexts"] as? Int == 0)
    #expect(early["hit_rate"] is NSNull)
    let text = try memoir.run("stats", "--effectiveness", "--user", "bob").output
    #expect(text.contains("50 % of the questions"))
    #expect(try memoir.run("stats", "--since", "2020-01-01T00:00:00Z").exitCode == 2)
  }
}
