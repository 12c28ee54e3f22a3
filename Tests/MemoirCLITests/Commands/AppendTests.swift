// `memoir append`, run as a process.
import Foundation
import Testing

@Suite struct `Appending a file` {
  @Test func `says what was stored, in order and durable`() throws {
    let memoir = TestProgram()
    let run = try memoir.run("append", input: bobsHistory)
    #expect(run.exitCode == 0)
    #expect(run.output == "{\"appended\":8,\"duplicates\":0,\"last_position\":8}\n")
    #expect(run.errors.isEmpty)
    #expect(try memoir.run("events").objects().map { $0["position"] as? Int } == Array(1...8))
  }

  @Test func `again changes nothing`() throws {
    let memoir = try TestProgram.withBob()
    let file = try memoir.file("again.jsonl", bobsHistory)
    let run = try memoir.run("append", file)
    #expect(run.output == "{\"appended\":0,\"duplicates\":8,\"last_position\":8}\n")
    #expect(try memoir.run("events").lines.count == 8)
  }

  @Test func `passes over empty lines, a byte order mark and the line breaks of other systems`() throws {
    let memoir = TestProgram()
    let run = try memoir.run(
      "append", input: "\u{FEFF}\n \r\n" + line(1).replacing("\n", with: "\r\n") + "\t\n" + line(2))
    #expect(run.output.contains("\"appended\":2,"))
  }

  @Test func `needs no line break at the end`() throws {
    #expect(
      try TestProgram().run("append", input: String(line(1).dropLast())).output.contains("\"appended\":1,"))
  }

  @Test func `makes a store of an empty file, and of nothing else`() throws {
    let memoir = TestProgram()
    #expect(try memoir.run("append").output == "{\"appended\":0,\"duplicates\":0,\"last_position\":0}\n")
    #expect(try memoir.run("events").exitCode == 0)

    let other = TestProgram()
    #expect(try other.run("append", "/nowhere/at/all.jsonl").exitCode == 3)
    #expect(try other.run("append", "/tmp").errors == "memoir: FILE: /tmp is a folder\n")
    #expect(try other.run("append", input: "no JSON\n").errors.contains("line 1: no value of JSON begins like this"))
    #expect(!FileManager.default.fileExists(atPath: other.store))
  }

  @Test func `a line known earlier in the file is a duplicate`() throws {
    let run = try TestProgram().run("append", "--batch", "2", input: line(1) + line(1) + line(2) + line(1))
    #expect(run.output == "{\"appended\":2,\"duplicates\":2,\"last_position\":2}\n")
  }

  @Test func `a bad line stops with its number, and earlier batches are kept`() throws {
    let memoir = TestProgram()
    let run = try memoir.run(
      "append", "--batch", "2", "--json",
      input: line(1) + line(2) + line(3) + "{\"user\":\"bob\"}\n" + line(4))
    #expect(run.exitCode == 2)
    #expect(run.output.isEmpty)
    let error = try run.error()
    #expect(error["code"] as? String == "invalid_argument")
    #expect((error["message"] as? String)?.hasPrefix("line 4: type: is missing") == true)
    let details = try run.errorDetails()
    #expect(details["line"] as? Int == 4)
    #expect(details["appended"] as? Int == 2)
    #expect(try memoir.run("events").lines.count == 2)

    let people = try memoir.run("append", "--batch", "2", input: line(1) + line(2) + line(3) + "x")
    #expect(people.errors.contains("line 4: "))
    #expect(
      people.errors.contains("Lines 1 to 2 are stored, 2 of them known before; nothing from line 3 on."))
  }

  @Test func `an id with other content stops at its line`() throws {
    let memoir = try TestProgram.withBob()
    let other = line(4, "bob", "PreferenceUpdated", #"{"key":"theme","value":"blue"}"#)
    let run = try memoir.run("append", "--json", input: line(9) + other + line(10))
    #expect(run.exitCode == 4)
    #expect(try run.errorCode() == "id_conflict")
    #expect(
      try run.error()["message"] as? String
        == "line 2: the event id is taken, and not by the same append: 00000000-0000-4000-8000-000000000004")
    #expect(try run.errorDetails()["line"] as? Int == 2)
    #expect(try run.errorDetails()["ids"] as? [String] == ["00000000-0000-4000-8000-000000000004"])
    #expect(try memoir.run("events").lines.count == 8)
  }

  @Test func `an expected version that is not so is a conflict`() throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run("append", "--expected-version", "7", "--json", input: line(9))
    #expect(run.exitCode == 4)
    #expect(try run.errorCode() == "version_conflict")
    #expect(try run.errorDetails()["expected"] as? Int == 7)
    #expect(try run.errorDetails()["actual"] as? Int == 8)
    #expect(try memoir.run("append", "--expected-version", "8", input: line(9)).exitCode == 0)
    #expect(try memoir.run("append", "--expected-version", "stream_exists", input: line(10)).exitCode == 0)
    #expect(try memoir.run("append", "--expected-version", "no_stream", input: line(11)).exitCode == 4)
    #expect(try memoir.run("append", "--expected-version", "3", input: line(1, "eve")).exitCode == 4)
  }

  @Test func `an expected version is carried on over the batches`() throws {
    let memoir = TestProgram()
    let lines = (1...7).map { line($0) }.joined()
    let first = try memoir.run("append", "--expected-version", "0", "--batch", "2", input: lines)
    #expect(first.exitCode == 0, "\(first.errors)")
    // The same again, and in other batches: all known, whatever is expected.
    #expect(try memoir.run("append", "--expected-version", "0", "--batch", "3", input: lines).exitCode == 0)
    // What is known may be followed by what is not.
    let more = lines + line(8) + line(9)
    let again = try memoir.run("append", "--expected-version", "0", "--batch", "4", input: more)
    #expect(again.output == "{\"appended\":2,\"duplicates\":7,\"last_position\":9}\n", "\(again.errors)")
    // But not where somebody else came in between.
    try memoir.run("append", input: line(100))
    let late = try memoir.run("append", "--expected-version", "0", "--batch", "4", input: more + line(10))
    #expect(late.exitCode == 4)
  }

  @Test func `an expected version is for one user`() throws {
    let run = try TestProgram().run(
      "append", "--expected-version", "any", "--json", input: line(1) + line(2, "eve"))
    #expect(run.exitCode == 2)
    #expect(try run.errorDetails()["field"] as? String == "--expected-version")
  }

  @Test func `the namespace is the line's, or the command's, and both must agree`() throws {
    let memoir = TestProgram()
    let inLine = line(1, "bob", session: nil, #","namespace":"support""#)
    try memoir.run("append", input: inLine)
    try memoir.run("append", "--namespace", "sales", input: line(2))
    #expect(
      try memoir.run("append", "--namespace", "support", input: inLine).output.contains("\"duplicates\":1"))
    #expect(try memoir.run("append", "--namespace", "sales", input: inLine).exitCode == 2)
    let users = try #require(try memoir.run("users", "--json").object()["users"] as? [[String: Any]])
    #expect(users.map { $0["namespace"] as? String } == ["sales", "support"])
    #expect(try memoir.run("state", "bob").exitCode == 3)
    #expect(try memoir.run("state", "bob", "--namespace", "sales").exitCode == 0)
  }

  @Test func `two processes with the same ids store each event once`() throws {
    let memoir = TestProgram()
    let file = try memoir.file("events.jsonl", (1...3000).map { line($0) }.joined())
    let run = try memoir.shell(
      "memoir append --batch 50 \(file) & a=$!; memoir append --batch 70 \(file) & b=$!; wait $a && wait $b")
    #expect(run.exitCode == 0, "\(run.errors)")
    let counts = try run.objects().map { (($0["appended"] as? Int) ?? 0, ($0["duplicates"] as? Int) ?? 0) }
    #expect(counts.map(\.0).reduce(0, +) == 3000)
    #expect(counts.map(\.1).reduce(0, +) == 3000)
    #expect(try memoir.run("events").lines.count == 3000)
    #expect(try memoir.run("verify").exitCode == 0)
  }

  @Test func `long histories have snapshots afterwards`() throws {
    let memoir = TestProgram()
    let text = String(repeating: "word ", count: 40)
    for part in 0..<3 {
      let lines = (1...300).map {
        line(part * 1000 + $0, "bob", "MessageAdded", #"{"role":"user","content":"\#(text)"}"#)
      }
      try memoir.run("append", input: lines.joined())
    }
    let snapshots = try memoir.run("snapshots", "--json").object()
    #expect(snapshots["snapshots"] as? Int ?? 0 > 0)
  }
}

@Suite struct `Refusing a line` {
  /// Lines that must not be stored, the code, and a word of the reason.
  static let lines: [(line: String, code: String, word: String)] = [
    ("{\"user\":", "invalid_json", "line 1"),
    ("[1]", "invalid_argument", "object"),
    (
      #"{"user":"bob","type":"MessageAdded","data":{"role":"user","content":"a"},"sessions":"x"}"#,
      "invalid_argument", "sessions"
    ),
    (line(1, "bob", "MessageAdded", #"{"role":"user","content":7}"#), "invalid_argument", "data.content"),
    (line(1, "bob", "MessageAdded", #"{"role":"user"}"#), "invalid_argument", "data.content"),
    (line(1, "bob", "MessageAdded", #"{"role":"boss","content":"a"}"#), "invalid_argument", "data.role"),
    (
      line(1, "bob", "FactLearned", #"{"fact":"a","category":"b","confidence":1.01}"#), "invalid_argument",
      "data.confidence"
    ),
    (
      line(1, "bob", "FactLearned", #"{"fact":"a","category":"b","confidence":-0.1}"#), "invalid_argument",
      "data.confidence"
    ),
    (
      line(1, "bob", "FactLearned", #"{"fact":"a","category":"b","confidence":NaN}"#), "invalid_json",
      "line 1"
    ),
    (line(1, "bob", "FactLearned", #"{"fact":"a","category":"b"}"#), "invalid_argument", "data.confidence"),
    (line(1, ""), "invalid_argument", "user"),
    (line(1, String(repeating: "a", count: 251)), "invalid_argument", "user"),
    (line(1, #"bob\u202e"#), "invalid_argument", "user"),
    (line(1, #"bob\u200b"#), "invalid_argument", "user"),
    (line(1, #"a\u0000b"#), "invalid_argument", "user"),
    (line(1, ".."), "invalid_argument", "user"),
    (#"{"type":"MessageAdded","data":{"role":"user","content":"a"}}"#, "invalid_argument", "user"),
    (line(1, session: #"a\nb"#), "invalid_argument", "session"),
    (
      #"{"id":"7","user":"bob","type":"MessageAdded","data":{"role":"user","content":"a"}}"#,
      "invalid_argument", "id"
    ),
    (
      line(
        1, "bob", "MessageAdded",
        #"{"role":"user","content":"\#(String(repeating: "a", count: (1 << 20) + 1))"}"#), "too_large",
      "data.content"
    ),
    (line(1, "bob", "Note", #"{"text":"\#(String(repeating: "a", count: 4 << 20))"}"#), "too_large", ""),
    (
      line(1, "bob", "Note", String(repeating: "[", count: 70) + String(repeating: "]", count: 70)),
      "invalid_json", ""
    ),
    (line(1, "bob", "MessageAdded", #"{"role":"user","role":"user","content":"a"}"#), "invalid_json", "role"),
    (line(1, "bob", "Note", #"{"a":"\ud800"}"#), "invalid_json", ""),
    (line(1, session: nil, #","occurred_at":"1969-12-31T23:59:59Z""#), "invalid_argument", "occurred_at"),
    (
      line(1, session: nil, #","occurred_at":"9999-12-31T23:59:59-01:00""#), "invalid_argument", "occurred_at"
    ),
    (line(1, session: nil, #","occurred_at":"2026-03-02 later""#), "invalid_argument", "occurred_at"),
    (line(1, "bob", "UserErased", "{}"), "invalid_argument", "type"),
    (line(1, "bob", "messageadded", "{}"), "invalid_argument", "type"),
    (line(1, "bob", "SessionEnded", "{}", session: nil), "invalid_argument", "session"),
    (line(1, session: nil, #","metadata":[1]"#), "invalid_argument", "metadata"),
    (
      line(1, session: nil, #","metadata":{"a":"\#(String(repeating: "a", count: 17_000))"}"#), "too_large",
      "metadata"
    ),
  ]

  @Test(arguments: lines.indices) func `leaves the store as it was`(index: Int) throws {
    let (bad, code, word) = Self.lines[index]
    let memoir = try TestProgram.withBob()
    let before = try memoir.run("events").output
    let run = try memoir.run(
      "append", "--json", input: line(50) + bad.replacing("\n", with: "") + "\n" + line(51))
    #expect(run.exitCode == 2, "\(bad.prefix(200)) \(run.output) \(run.errors)")
    #expect(try run.errorCode() == code, "\(bad.prefix(200)) \(run.errors)")
    let message = try #require(try run.error()["message"] as? String)
    #expect(message.hasPrefix("line 2: "))
    if !word.isEmpty, word != "line 1" { #expect(message.contains(word), "\(message)") }
    #expect(try memoir.run("events").output == before)
    #expect(try memoir.run("verify").exitCode == 0)
  }

  @Test func `bytes that are no UTF-8 are refused`() throws {
    let memoir = TestProgram()
    let run = try memoir.run(
      ["append", "--json"], input: Data(line(1).utf8.dropLast(20)) + Data([0xff, 0xfe]) + Data("\"}}\n".utf8))
    #expect(run.exitCode == 2)
    #expect(try run.errorCode() == "invalid_json")
  }

  @Test func `a batch has at most ten thousand events`() throws {
    let run = try TestProgram().run("append", "--batch", "10001", "--json")
    #expect(run.exitCode == 2)
    #expect(try run.errorDetails()["field"] as? String == "--batch")
  }

  @Test func `a line far too long is refused, and not read into memory`() throws {
    let memoir = TestProgram()
    // What feeds it may complain of the pipe that broke, after our own last line.
    let run = try memoir.shell(
      "{ head -c 100000000 /dev/zero | tr '\\0' a; } 2>/dev/null | memoir append --json")
    #expect(run.exitCode == 2)
    #expect(try run.errorCode() == "too_large")
  }
}
