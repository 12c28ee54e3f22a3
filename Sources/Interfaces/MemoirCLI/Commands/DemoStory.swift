// The story of `memoir demo`, chapter by chapter. Every name, figure and sentence about the customer is what the store
// answers; nothing is known here but what to ask.
import JSON
import Memoir
import Synchronization

/// Appends a history as it happened, and asks about it.
struct DemoStory {
  private let folder: String
  private let output: Console
  private let context: CommandContext
  private let now: StoryClock
  private var events: ArraySlice<IncomingEvent>
  /// The user with the most events.
  private let hero: StreamName
  private var store: MemoirStore
  private var chapter = 0

  /// Makes the store in `folder`, still empty.
  ///
  /// - Parameter events: JSON Lines, each with its user and when it occurred.
  init(_ events: [UInt8], in folder: String, _ context: CommandContext) throws {
    self.folder = folder
    self.context = context
    output = context.output
    let parser = JSONParser()
    var read: [IncomingEvent] = []
    var counts: [StreamName: Int] = [:]
    for line in events.split(separator: UInt8(ascii: "\n")) {
      let event = try EventJSON.read(Array(line).span, with: parser, now: .earliest)
      guard let stream = event.stream else { throw MemoirError.invalid(field: "user", "is missing") }
      counts[stream, default: 0] += 1
      read.append(event)
    }
    let busiest = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
    guard let hero = busiest?.key else { throw MemoirError.invalid(field: "events", "there are none") }
    self.hero = hero
    self.events = read[...]
    now = StoryClock()
    store = try Self.open(folder, now)
  }

  private static func open(
    _ folder: String, _ now: StoryClock, snapshots policy: SnapshotPolicy = SnapshotPolicy()
  ) throws -> MemoirStore {
    var options = EventLog.Options()
    options.clock = { now.time }
    options.snapshotPolicy = policy
    return try MemoirStore(folder: folder, options: options)
  }

  /// Closes the store and opens it again: nothing is left in memory.
  private mutating func reopen() throws {
    try store.close()
    store = try Self.open(folder, now)
  }

  // MARK: The chapters

  mutating func tell() async throws -> ExitCode {
    defer { try? store.close() }
    try output.paragraph(
      "A temporary store is going to live through \(Quantity.count(events.count, "event")). Its clock follows theirs, so it records each session on the day it took place. All that is said below about anyone is the store's answer."
    )
    try tellFirstSession()
    try await tellReturn()
    try tellTheRest()
    if let change = try biggestChange() {
      try tellLookBack(at: change)
      try await tellRecall(at: change)
      try tellDifference(at: change)
    }
    try tellLateNote()
    try tellAgents()
    try tellProvenance(besides: try biggestChange()?.old)
    let isSame = try tellReplay()
    let report = try tellVerification()
    try output.print()
    try output.paragraph("That was all of it, and nothing of it is left. 'memoir help' says how to go on.")
    return isSame && report.isSound ? .done : .corrupt
  }

  private mutating func tellFirstSession() throws {
    let session = events.first { $0.stream == hero }?.event.session
    let isOther: (IncomingEvent) -> Bool = { [hero] in $0.stream == hero && $0.event.session != session }
    let count = try append(until: isOther)
    let state = try store.state(of: hero)
    try begin("A first conversation", on: state.state.sessions.ended.first?.startedAt ?? now.time)
    try quoteFirstMessage(of: session)
    try output.paragraph(
      "\(Quantity.count(count, "event")) later, each on disk before it was acknowledged, the store knows of \(hero.user):"
    )
    try list(state.facts.map(\.fact))
  }

  private mutating func tellReturn() async throws {
    guard let next = events.first(where: { $0.stream == hero }) else { return }
    try reopen()
    // The new session up to its first message: what is known now is known from before.
    let before = try store.state(of: hero)
    var hasSpoken = false
    try append { event in
      defer { if event.event.type == .messageAdded { hasSpoken = true } }
      return hasSpoken || event.event.session != next.event.session
    }
    try begin("Coming back", on: now.time)
    try output.paragraph("The store was closed and has been opened anew. A session begins:")
    try quoteFirstMessage(of: next.event.session)
    try output.paragraph(
      "Nothing has to be said twice. \(Quantity.count(before.facts.count, "fact")) and \(Quantity.count(before.state.preferences.all.count, "preference")) are known from before; what of them matters for these words is given to the agent with them, in \(Quantity.count(Self.budget, "token")) at most:"
    )
    var request = ContextRequest(try firstMessage(of: next.event.session)?.content ?? "")
    request.budget = Self.budget
    let context = try await store.context(request, for: hero, at: .version(before.version))
    try command("context \(hero.user) '…' --budget \(Self.budget)")
    for line in context.text.split(separator: "\n") {
      if line.hasPrefix("- ") {
        try output.paragraph(line.dropFirst(2), hanging: "  • ")
      } else if line.hasPrefix("## ") {
        try output.print(StyledText("  " + line.dropFirst(3), .bold))
      }
    }
  }

  /// What an assistant can spare for what it should know.
  private static let budget = 400

  /// The same question on both sides of a change: what took a fact's place answers it, and before, what it took the
  /// place of.
  private mutating func tellRecall(at change: Change) async throws {
    var query = RecallQuery("Which database do we use?")
    query.topK = 3
    query.kinds = [.fact]
    try begin("The same question, then and before", on: change.event.occurredAt)
    try output.paragraph("“\(query.text)” Ranked with what was known at that point, and with nothing else:")
    let before = StreamVersion(min(change.successor.origin.version, change.event.version).number - 1)
    for version in [change.event.version, before] {
      try command("recall \(hero.user) '…' --kind fact -k 3 --at-version \(version)")
      let answer = try await store.recall(query, of: hero, at: .version(version))
      for memory in answer.memories {
        try output.paragraph(memory.content, hanging: "  • ")
        var score = StyledText(" ")
        score.append(ScoreBars.line(of: memory))
        try output.print(score)
      }
    }
  }

  private mutating func tellTheRest() throws {
    let begin = try store.log.lastPosition()
    try append { _ in false }
    let log = store.log
    let head = try log.lastPosition()
    let state = try store.state(of: hero)
    try self.begin("Half a year later", on: now.time)
    let users = try log.streams()
    try output.paragraph(
      "\(Quantity.count(head.number - begin.number)) more events have come in, \(Quantity.count(head.number)) in all, of \(Quantity.count(users.count, "user")) who never see each other's. Of \(hero.user) there are \(Quantity.count(state.state.sessions.total, "session")), \(Quantity.count(state.state.messages.total, "message")) and \(Quantity.count(state.facts.count, "fact")) that hold today. Among them:"
    )
    let weightiest = state.facts.sorted { weight($0) > weight($1) }.prefix(5)
    try list(state.facts.filter { fact in weightiest.contains { $0.factID == fact.factID } }.map(\.fact))
  }

  private mutating func tellLookBack(at change: Change) throws {
    let time = change.event.occurredAt
    try begin("Looking back", on: nil)
    try output.paragraph("Today: \(change.successor.fact)")
    let before = Timestamp(clamping: time.microseconds - 1)
    try output.paragraph("What was true until \(before.second):")
    try command("state \(hero.user) --occurred-at \(before)")
    try list(
      try store.state(of: hero, at: .occurred(before)).state.facts[change.old.factID].map { [$0.fact] } ?? [])
    let version = StreamVersion(change.event.version.number - 1)
    try output.paragraph("The same by version, up to the event before the change:")
    try command("state \(hero.user) --at-version \(version)")
    try list(
      try store.state(of: hero, at: .version(version)).state.facts[change.old.factID].map { [$0.fact] } ?? [])
  }

  private mutating func tellDifference(at change: Change) throws {
    guard let session = change.event.session else { return }
    let events = try store.log.readStream(hero, filter: EventFilter(session: session)).events
    guard let first = events.first?.version, let last = events.last?.version else { return }
    let (from, to) = (AsOfText.version(StreamVersion(first.number - 1)), AsOfText.version(last))
    try begin("What that day changed", on: change.event.occurredAt)
    try command("diff \(hero.user) --from \(from) --to \(to)")
    let changes = try store.diff(of: hero, from: from, to: to).changes
    for fact in changes.learned {
      try output.item(fact.fact, remark: "(v\(fact.origin.version))", bullet: "  + ")
    }
    for revision in changes.revised {
      try output.item(revision.after.fact, remark: "(v\(revision.event.version))", bullet: "  ~ ")
    }
    for departure in changes.forgotten {
      try output.item(departure.fact.fact, remark: "(until v\(departure.event.version))", bullet: "  - ")
    }
    try output.paragraph(
      "\(Quantity.count(changes.messagesAdded, "message")) were exchanged; \(Quantity.count(changes.events.count, "event is", plural: "events are")) responsible for the difference, each named."
    )
  }

  /// Occurred and recorded are two axes: shown by the fact that came in latest.
  private mutating func tellLateNote() throws {
    let learned = try store.log.readStream(hero, filter: EventFilter(types: ["FactLearned"])).events
    guard let late = learned.max(by: { delay($0) < delay($1) }), delay(late) > 3_600_000_000 else { return }
    try begin("A note that came in late", on: late.recordedAt)
    try output.paragraph("“\(late.summary)”")
    let time = late.occurredAt
    let (wasTrue, wasKnown) = (
      try holds(late, at: .occurred(time)), try holds(late, at: .recorded(max(time, try firstRecorded())))
    )
    try output.paragraph(
      "It occurred on \(time.minute) and was recorded \(Quantity.duration(.microseconds(delay(late)))) later, on \(late.recordedAt.minute)."
    )
    try list([
      "--occurred-at \(time): \(wasTrue ? "it is there, since it was true then" : "it is not there")",
      "--recorded-at \(time): \(wasKnown ? "it is there" : "it is not there, since nobody knew yet")",
    ])
  }

  private mutating func tellAgents() throws {
    try begin("Who learned what, and when", on: nil)
    let types: Set<String> = [
      "FactLearned", "FactRevised", "FactForgotten", "PreferenceUpdated", "EpisodeRecorded",
    ]
    let all = try store.log.readStream(hero, limit: 10_000, filter: EventFilter(types: types)).events
    var table = TextTable([
      .fixed("agent", .accent), .number("learned"), .number("revised"), .number("forgotten"),
      .number("first"),
      .number("last"), .flexible("the latest"),
    ])
    for (agent, events) in Dictionary(grouping: all, by: { $0.agent ?? "unnamed" }).sorted(by: {
      $0.key < $1.key
    }) {
      func count(_ type: String) -> StyledText {
        StyledText(Quantity.count(events.count { $0.typeName == type }))
      }
      guard let first = events.first,
        let last = events.last(where: { $0.typeName == "FactLearned" }) ?? events.last
      else { continue }
      table.add([
        StyledText(agent), count("FactLearned"), count("FactRevised"), count("FactForgotten"),
        StyledText(first.occurredAt.day), StyledText(last.occurredAt.day), StyledText(last.summary),
      ])
    }
    for line in table.lines(width: output.measure, paint: output.paint) { try output.write(line + "\n") }
  }

  private mutating func tellProvenance(besides other: Fact?) throws {
    let changed = try changes().map(\.old).filter { $0.factID != other?.factID }
    var best: Provenance?
    for fact in changed {
      let provenance = try store.explain("fact:\(fact.factID)", of: hero)
      if provenance.steps.count > best?.steps.count ?? 1 { best = provenance }
    }
    guard let best else { return }
    try begin("Why do we believe that?", on: nil)
    try command("explain \(hero.user) \(best.item)")
    try ProvenanceText(best, store).showSteps(on: output)
  }

  private mutating func tellReplay() throws -> Bool {
    try begin("All of it again, from the log alone", on: nil)
    // Half a year of one person is little; so that there are snapshots, they are taken early here.
    try store.close()
    store = try Self.open(folder, now, snapshots: SnapshotPolicy(factor: 1, minimumBytes: 4 << 10))
    for user in try store.log.streams() { try store.prepareSnapshots(of: user.name) }
    try store.log.storeDueSnapshots()
    let snapshots =
      try store.log.storeStatistics(for: store.projector).tables.first { $0.name == "snapshots" }?.entries
      ?? 0
    try reopen()
    var results: [ReplayResult] = []
    for usesSnapshots in [true, false] {
      var replay = ReplayOptions()
      replay.usesSnapshots = usesSnapshots
      let result = try BuiltInProjector.context.replay(store.log, replay)
      let how =
        usesSnapshots
        ? "from \(Quantity.count(snapshots, "snapshot"))" : "from the first event"
      let events = Quantity.count(result.events, "event")
      let time = Quantity.duration(.seconds(result.seconds))
      try output.item(
        "\(how): \(Quantity.count(result.eventsFolded)) of \(events) folded in \(time)")
      try output.print(StyledText("    digest \(result.digest)", .dim))
      results.append(result)
    }
    let isSame = results[0].digest == results[1].digest
    try output.paragraph(
      isSame
        ? "Both digests stand for the state of every user, and they are equal."
        : "The digests differ, and must not: this is a fault of Memoir.")
    return isSame
  }

  private mutating func tellVerification() throws -> VerifyReport {
    try begin("Is it all still what was said?", on: nil)
    let report = try store.log.verify()
    try VerifyCommand.show(report, on: output)
    return report
  }

  // MARK: Asking

  /// A fact that another one took the place of.
  private struct Change {
    var old: Fact
    var successor: Fact
    /// The event that said so.
    var event: RecordedEvent
  }

  /// The facts that one of their own category took the place of, in the order of time.
  private func changes() throws -> [Change] {
    var found: [Change] = []
    for event in try store.log.readStream(hero, limit: 10_000, filter: EventFilter(types: ["FactRevised"]))
      .events
    {
      guard case .factRevised(let revision)? = try MemoirEvent(event), let next = revision.supersededBy,
        let old = try store.state(of: hero, at: .version(StreamVersion(event.version.number - 1))).state
          .facts[
            revision.factID],
        let successor = try store.state(of: hero, at: .version(event.version)).state.facts[next],
        old.category == successor.category
      else { continue }
      found.append(Change(old: old, successor: successor, event: event))
    }
    return found
  }

  /// The one that matters most.
  private func biggestChange() throws -> Change? {
    try changes().max { weight($0.old) + weight($0.successor) < weight($1.old) + weight($1.successor) }
  }

  private func weight(_ fact: Fact) -> Double { fact.importance?.value ?? 0 }

  private func delay(_ event: RecordedEvent) -> Int64 {
    event.recordedAt.microseconds - event.occurredAt.microseconds
  }

  private func firstRecorded() throws -> Timestamp {
    try store.log.event(at: 1, of: hero)?.recordedAt ?? .earliest
  }

  private func holds(_ event: RecordedEvent, at point: AsOfText) throws -> Bool {
    try store.state(of: hero, at: point).state.facts.facts.contains { $0.origin.id == event.id }
  }

  // MARK: Appending

  /// Appends events in their order, each session's run on its own, at the time it took place.
  ///
  /// - Parameter isEnd: Asked of each event; the first for which it holds is not appended.
  /// - Returns: How many were appended.
  @discardableResult
  private mutating func append(until isEnd: (IncomingEvent) -> Bool) throws -> Int {
    var count = 0
    var run: [IncomingEvent] = []
    while let event = events.first, !isEnd(event) {
      events.removeFirst()
      if let last = run.last, last.stream != event.stream || last.event.session != event.event.session {
        try append(run)
        run = []
      }
      run.append(event)
      count += 1
    }
    try append(run)
    return count
  }

  private func append(_ run: [IncomingEvent]) throws {
    guard let stream = run.first?.stream else { return }
    for event in run { now.moveOn(to: event.event.occurredAt) }
    _ = try store.log.appendAndWait([StreamAppend(run.map(\.event), to: stream)])
  }

  // MARK: Telling

  private mutating func begin(_ title: String, on time: Timestamp?) throws {
    chapter += 1
    try output.print()
    var line = StyledText("\(chapter). \(title)", .bold)
    if let time { line.append("  " + time.longDay, .dim) }
    try output.print(line)
  }

  private func list(_ items: [String]) throws {
    for item in items { try output.paragraph(item, hanging: "  • ") }
  }

  private func command(_ words: String) throws {
    try output.print(StyledText("  $ memoir \(words)", .accent))
  }

  private func quoteFirstMessage(of session: SessionID?) throws {
    guard let first = try firstMessage(of: session) else { return }
    let agent = first.agent.map { " (to \($0))" } ?? ""
    try output.paragraph("“\(first.content)”\(agent)", hanging: "  › ")
  }

  private func firstMessage(of session: SessionID?) throws -> (content: String, agent: String?)? {
    let messages = try store.log.readStream(
      hero, limit: 1, filter: EventFilter(types: ["MessageAdded"], session: session)
    ).events
    guard let first = messages.first, case .messageAdded(let message)? = try MemoirEvent(first) else { return nil }
    return (message.content, first.agent)
  }
}

extension IncomingEvent {
  fileprivate var stream: StreamName? { user.map { StreamName($0, in: namespace ?? .default) } }
}

/// A clock that goes from one event of the story to the next.
private final class StoryClock: Sendable {
  private let current = Mutex(Timestamp.earliest)

  var time: Timestamp { current.withLock { $0 } }

  /// Never back, as late events are handed in.
  func moveOn(to time: Timestamp?) {
    guard let time else { return }
    current.withLock { $0 = max($0, time) }
  }
}
