// `memoir replay --dry-run`, run as a process on stores that an older program has left.
import Foundation
import Memoir
import Testing

/// The context as an older program folded it: it overlooked what was revised.
private struct OlderContext: Projector {
  let name = "context"
  let version = 0
  var parameters: String { today.parameters }
  private let today = ContextProjector()

  func initialState() -> ContextState { today.initialState() }

  func apply(_ event: borrowing EventView, to state: inout ContextState) throws(DamagedBytes) {
    if event.type != .factRevised { try today.apply(event, to: &state) }
  }
}

/// An older program's facts, in a form that nobody reads any more.
private struct OlderFacts: Projector {
  struct State: ProjectionState {
    let encodedSize = 1
    func encode(into writer: inout ByteWriter) { writer.write(0xff as UInt8) }
    init() {}
    init(decoding reader: inout ByteReader) throws(DamagedBytes) { _ = try reader.readUInt8() }
  }

  let name = "facts"
  let version = 0
  func initialState() -> State { State() }
  func apply(_ event: borrowing EventView, to state: inout State) throws(DamagedBytes) {}
}

extension TestProgram {
  /// Has a snapshot taken of every user by each of the projectors, in the name of a program that had them.
  fileprivate func takeSnapshots(by projectors: any Projector...) throws {
    var options = EventLog.Options()
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    let memory = try MemoirStore(folder: store, options: options)
    for user in try memory.log.streams() {
      func take(_ projector: some Projector) throws { _ = try memory.log.state(of: user.name, by: projector) }
      for projector in projectors { try take(projector) }
    }
    try memory.log.storeDueSnapshots()
    try memory.close()
  }

  fileprivate func dryRun(_ words: String...) throws -> [String: Any] {
    let run = try run(["replay", "--dry-run", "--json"] + words, input: Data())
    #expect(run.exitCode == 0, "\(run.errors)")
    return try run.object()
  }

  /// Bob, whose fact was revised; Ann, and forty more with a message each; one of another namespace.
  fileprivate static func withMany() throws -> TestProgram {
    let memoir = try withBob()
    let others = (10...49).map { line($0, "cat-\($0)") }.joined()
    try memoir.run("append", input: line(1, "ann") + others)
    try memoir.run("append", "--namespace", "shop", input: bobsHistory)
    return memoir
  }
}

/// The users of the differences in an answer.
private func users(in answer: [String: Any]) throws -> [String] {
  let differences = try #require(answer["differences"] as? [[String: Any]])
  return differences.compactMap { "\($0["namespace"] ?? "")/\($0["user"] ?? "")" }
}

@Suite struct `A dry run` {
  @Test(arguments: BuiltInProjector.allCases)
  func `of the projectors in use finds no difference`(projector: BuiltInProjector) throws {
    let memoir = try TestProgram.withMany()
    try memoir.takeSnapshots(by: ContextProjector())
    let answer = try memoir.dryRun("--projector", projector.rawValue)
    #expect(answer["dry_run"] as? Bool == true)
    #expect(answer["projector"] as? String == projector.rawValue)
    let version =
      [BuiltInProjector.facts: 2, .sessions: 5, .relationships: 2, .profile: 2, .context: 5][projector] ?? 1
    #expect(answer["version"] as? Int == version)
    #expect(answer["users"] as? Int == 43 && answer["equal"] as? Int == 43)
    #expect(answer["events"] as? Int == 57)
    for count in ["different", "unreadable", "damaged", "without_snapshot", "resumed_users"] {
      #expect(answer[count] as? Int == 0, "\(count)")
    }
    #expect(try users(in: answer).isEmpty)
    let snapshots = try #require(answer["snapshots"] as? [[String: Any]])
    #expect(snapshots.count == 1 && snapshots[0]["projector"] as? String == "context")
    #expect(snapshots[0]["users"] as? Int == 43 && snapshots[0]["parameters"] as? String == "window=20")
  }

  @Test func `names exactly the users that differ, and in what`() throws {
    let memoir = try TestProgram.withMany()
    try memoir.takeSnapshots(by: OlderContext())
    for words in [[], ["--projector", "facts"], ["--projector", "profile"], ["--jobs", "1"]] {
      let run = try memoir.run(["replay", "--dry-run", "--json"] + words, input: Data())
      let answer = try run.object()
      #expect(answer["different"] as? Int == 2 && answer["equal"] as? Int == 41, "\(words)")
      #expect(try users(in: answer) == ["default/bob", "shop/bob"])
      let difference = try #require((answer["differences"] as? [[String: Any]])?.first)
      #expect(difference["version"] as? Int == 7)
      #expect((difference["snapshot"] as? [String: Any])?["version"] as? Int == 0)
      let items = try #require(difference["items"] as? [[String: Any]])
      #expect(items.count == 1)
      #expect(items[0]["item"] as? String == "fact:home" && items[0]["change"] as? String == "changed")
      #expect(items[0]["version"] as? Int == 3)
      #expect((items[0]["from"] as? [String: Any])?["fact"] as? String == "Lives in Porto.")
      let after = try #require(items[0]["to"] as? [String: Any])
      #expect(after["fact"] as? String == "Lives in Lisbon.")
      // Why: the event that revised it.
      #expect((after["revised_by"] as? [[String: Any]])?.first?["version"] as? Int == 6)
      #expect(after["category"] == nil)
    }
    for projector in ["messages", "preferences", "sessions"] {
      #expect(try memoir.dryRun("--projector", projector)["equal"] as? Int == 43)
    }
  }

  @Test func `for people shows the first of them, and counts`() throws {
    let memoir = try TestProgram.withMany()
    try memoir.takeSnapshots(by: OlderContext())
    let all = try memoir.run("replay", "--dry-run").output
    for word in [
      "bob at version 7 differs from its snapshot by context 0 (window=20)", "shop/bob at version 7",
      "revised_by: nothing → v6",
      "~ Lives in Lisbon.  (fact:home, v3)", "fact: Lives in Porto. → Lives in Lisbon.",
      "Dry run of context 5 (window=20): folded 55 events", "different           2", "equal               41",
      "compared with       context 0 (window=20) of 43 users",
    ] { #expect(all.contains(word), "\(word)\n\(all)") }
    let first = try memoir.run("replay", "--dry-run", "--limit", "1").output
    #expect(first.contains("bob at version 7") && !first.contains("shop/bob at"))
    #expect(first.contains("1 more user differs; --limit shows them"), "\(first)")
    #expect(try users(in: memoir.dryRun("--limit", "1")) == ["default/bob"])
    #expect(try users(in: memoir.dryRun("--limit", "0")).isEmpty)
    let terminal = try memoir.terminal("replay", "--dry-run")
    let plain = terminal.output.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    for line in plain.split(whereSeparator: \.isNewline) { #expect(line.count <= 80, "\(line)") }
  }

  @Test func `takes some users, a namespace, an earlier point, or the snapshots of one version`() throws {
    let memoir = try TestProgram.withMany()
    try memoir.takeSnapshots(by: OlderContext(), ContextProjector())
    #expect(try users(in: memoir.dryRun("bob", "ann", "bob")) == ["default/bob"])
    #expect(try memoir.dryRun("ann")["users"] as? Int == 1)
    #expect(try users(in: memoir.dryRun("--namespace", "shop")) == ["shop/bob"])
    #expect(try users(in: memoir.dryRun("bob", "--at-version", "5")).isEmpty)
    #expect(try users(in: memoir.dryRun("--at-position", "8")) == ["default/bob"])
    #expect(try memoir.dryRun("--against", "5")["equal"] as? Int == 43)
    #expect(try memoir.dryRun("--against", "0")["different"] as? Int == 2)
    #expect(try memoir.dryRun("--against", "7")["without_snapshot"] as? Int == 43)
  }

  @Test func `counts users without a snapshot, and in a form that cannot be read`() throws {
    let memoir = try TestProgram.withMany()
    let before = try memoir.dryRun()
    #expect(before["without_snapshot"] as? Int == 43 && before["events_folded"] as? Int == 0)
    try memoir.takeSnapshots(by: OlderFacts())
    let answer = try memoir.dryRun("--projector", "facts", "bob")
    #expect(answer["unreadable"] as? Int == 1 && answer["different"] as? Int == 0)
    #expect((answer["differences"] as? [[String: Any]])?.first?["items"] is NSNull)
    let text = try memoir.run("replay", "--dry-run", "--projector", "facts").output
    #expect(text.contains("The snapshot is in a form that this program cannot read."))
    #expect(text.contains("33 more users differ"), "\(text)")
    #expect(text.contains("unreadable          43: their snapshots are in another form"), "\(text)")
  }

  @Test func `changes nothing in the store`() throws {
    let memoir = try TestProgram.withMany()
    try memoir.takeSnapshots(by: OlderContext())
    func traces() throws -> [Data] {
      let names = try FileManager.default.contentsOfDirectory(atPath: memoir.store).sorted()
      return [
        Data(names.joined(separator: " ").utf8), Data(try memoir.run("stats", "--json").output.utf8),
        try Data(contentsOf: URL(filePath: memoir.store + "/data.mdb")),
      ]
    }
    let before = try traces()
    for projector in BuiltInProjector.allCases { _ = try memoir.dryRun("--projector", projector.rawValue) }
    try memoir.run("replay", "--dry-run")
    #expect(try traces() == before)
  }

  @Test(arguments: [
    (["--projector", "moods"], 2, "--projector"), (["--occurred-at", "2026-03-02T09:00:00Z"], 2, "--dry-run"),
    (["--no-snapshots"], 2, "--dry-run"), (["--against", "x"], 2, "--against"), (["--limit", "-1"], 2, "--limit"),
    (["--at-position", "999"], 2, "--at-position"), (["--recorded-at", "2999-01-01T00:00:00Z"], 2, "--recorded-at"),
    (["--jobs", "0"], 2, "--jobs"), ([""], 2, "USER"),
  ]) func `refuses what it cannot do, and names it`(words: [String], code: Int32, field: String) throws {
    let run = try TestProgram.withBob().run(["replay", "--dry-run", "--json"] + words, input: Data())
    #expect(run.exitCode == code)
    #expect(try run.errorCode() == "invalid_argument")
    #expect(try run.errorDetails()["field"] as? String == field)
  }

  @Test func `needs a store, users that there are, and its own options only`() throws {
    let memoir = TestProgram()
    #expect(try memoir.run("replay", "--dry-run").exitCode == 3)
    let unknown = try TestProgram.withBob().run("replay", "--dry-run", "--json", "nobody")
    #expect(unknown.exitCode == 3)
    #expect(try unknown.errorDetails()["user"] as? String == "nobody")
    for option in ["--against", "--limit"] {
      let run = try TestProgram.withBob().run("replay", "--json", option, "1")
      #expect(run.exitCode == 2)
      #expect(try run.errorDetails()["field"] as? String == option)
    }
  }
}

@Suite struct `A dry run that was interrupted` {
  /// One that ended before its answer could be written.
  private func interrupted() throws -> (memoir: TestProgram, file: URL) {
    let memoir = try TestProgram.withMany()
    try memoir.takeSnapshots(by: OlderContext())
    let run = try memoir.shell("memoir replay --dry-run --jobs 1 --json > /dev/full")
    #expect(run.exitCode == 1 && run.errors.contains("cannot write the output"))
    return (memoir, URL(filePath: memoir.store + "/dry-run.log"))
  }

  /// What an answer says of the users, whoever compared them.
  private func findings(_ answer: [String: Any]) throws -> [String] {
    try users(in: answer)
      + ["users", "equal", "different", "events", "events_folded"].map { "\($0) \(answer[$0] as? Int ?? -1)" }
  }

  @Test func `goes on where it was, and shows what it had found`() throws {
    let (memoir, file) = try interrupted()
    let whole = try memoir.dryRun("--against", "0")
    // The other question began a file of its own, and took it away.
    #expect(!FileManager.default.fileExists(atPath: file.path))
    #expect(try memoir.shell("memoir replay --dry-run --jobs 1 --json > /dev/full").exitCode == 1)
    let resumed = try memoir.dryRun()
    #expect(resumed["resumed_users"] as? Int == 43)
    #expect(try findings(resumed) == findings(whole))
    #expect(!FileManager.default.fileExists(atPath: file.path))
    #expect(try memoir.dryRun()["resumed_users"] as? Int == 0)
  }

  @Test func `goes on from any beginning of what it had written`() throws {
    let (memoir, file) = try interrupted()
    let whole = try findings(memoir.dryRun("ann", "bob"))
    #expect(whole.contains("different 1"))
    let text = try Data(contentsOf: file)
    var resumed: Set<Int> = []
    for length in Array(stride(from: 0, to: text.count, by: text.count / 12)) + [text.count] {
      try text.prefix(length).write(to: file)
      let answer = try memoir.dryRun()
      #expect(try users(in: answer) == ["default/bob", "shop/bob"], "\(length)")
      #expect(answer["equal"] as? Int == 41 && answer["different"] as? Int == 2, "\(length)")
      resumed.insert(try #require(answer["resumed_users"] as? Int))
    }
    #expect(resumed == [0, 16, 32, 43])
  }

  @Test func `is of no use to another question, nor is anything else in its place`() throws {
    let (memoir, file) = try interrupted()
    let text = try Data(contentsOf: file)
    for words in [["--projector", "facts"], ["--namespace", "shop"], ["--at-position", "50"], ["--against", "0"]] {
      try text.write(to: file)
      let run = try memoir.run(["replay", "--dry-run", "--json"] + words, input: Data())
      #expect(try run.object()["resumed_users"] as? Int == 0, "\(words)")
    }
    // Who names users asks for little, and leaves the file to others.
    try text.write(to: file)
    #expect(try memoir.dryRun("bob")["resumed_users"] as? Int == 0)
    #expect(try Data(contentsOf: file) == text)
    for other in ["memoir-dry-run 1\ndone\tfffe\n\u{0}", "", "\n"] {
      try Data(other.utf8).write(to: file)
      #expect(try memoir.dryRun()["different"] as? Int == 2)
    }
  }

  // Whoever changes a projector and builds anew has not always raised its version yet.
  @Test func `begins anew with a program that was built anew`() throws {
    let (memoir, file) = try interrupted()
    let words = String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: "-", maxSplits: 3)
    #expect(words.count == 4 && words[2].hasPrefix("run 1 "))
    try Data((words[0...2].joined(separator: "-") + "-1" + words[3]).utf8).write(to: file)
    #expect(try memoir.dryRun()["resumed_users"] as? Int == 0)
  }

  // Named first, so that nobody waits for a writer of a pipe that somebody put there.
  @Test func `does not wait where something else is in its place`() throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.shell("mkfifo $MEMOIR_STORE/dry-run.log && timeout -s KILL 20 memoir replay --dry-run")
    #expect(run.exitCode == 0)
    #expect(try memoir.shell("mkdir -p $MEMOIR_STORE/dry-run.log/x && memoir replay --dry-run").exitCode == 0)
  }
}
