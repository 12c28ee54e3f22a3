// Every answer of the store, compared with the model's.
import Bytes
import EventStore
import TestSupport

extension History {
  /// Everything that can be asked.
  func checkAll() throws {
    try checkListings()
    for stream in streams {
      try checkReading(of: stream)
      try checkIDs(of: stream)
      try checkStates(of: stream, by: NotebookProjector())
    }
    for _ in 0..<8 { try checkReadingAll() }
    try checkStates(of: streams[0], by: NotebookProjector(version: 2), points: 12)
    try checkStates(of: streams[0], by: NotebookProjector(parameters: "other"), points: 12)
    try checkReplays()
    let report = try store.log.verify()
    let problems = report.problems.filter { !(hasCorrupted && $0.reason == "a snapshot is damaged") }
    guard problems.isEmpty else { throw Mismatch(description: "verify: \(problems)") }
    try check(LogPosition(report.events), is: model.last, "events verified")
  }

  /// A replay comes to the same whichever way it goes, and a copy says what its original says.
  private func checkReplays() throws {
    var digests: [String] = []
    for (usesSnapshots, jobs) in [(true, 1), (false, 1), (false, 3)] {
      var options = ReplayOptions()
      options.usesSnapshots = usesSnapshots
      options.jobs = jobs
      options.resumes = false
      let result = try store.log.replay(by: NotebookProjector(), options)
      try check(result.streams, is: model.streams.count, "streams replayed")
      try check(result.events, is: UInt64(model.log.count), "events replayed")
      digests.append(result.digest)
    }
    try check(Set(digests).count, is: 1, "digests of replays")
    let folder = TemporaryFolder()
    let copy = folder.path + "/copy"
    try check(store.log.backup(to: copy).position, is: model.last, "position of a backup")
    let log = try EventLog(folder: copy, schema: Diary.schema, options: store.options)
    try check(
      log.readAll(limit: 65_000).events.map { ShownEvent($0) }, is: model.log.map { ShownEvent($0) },
      "events of a backup")
    try check(log.replay(by: NotebookProjector()).digest, is: digests[0], "digest of a backup")
    try log.close()
  }

  // MARK: Listings

  private func checkListings() throws {
    let log = store.log
    try check(log.lastPosition(), is: model.last, "last position")
    let recorded = try log.lastRecorded()
    try check(recorded.position, is: model.last, "last recorded position")
    try check(recorded.recordedAt, is: model.log.last?.recordedAt, "last recorded time")
    for stream in streams {
      try check(log.version(of: stream), is: model.version(of: stream), "version of \(stream)")
      try check(
        log.summary(of: stream).map { ModelSummary($0) }, is: model.summary(of: stream),
        "summary of \(stream)")
    }
    for namespace in [nil] + Set(streams.map(\.namespace)).sorted() {
      let expected = model.streams.filter { namespace == nil || $0.namespace == namespace }
      for limit in 1...3 {
        var names: [StreamName] = []
        while true {
          let page = try log.streams(in: namespace, after: names.last, limit: limit)
          for summary in page {
            try check(
              ModelSummary(summary), is: model.summary(of: summary.name) ?? ModelSummary(summary), "listed")
          }
          names += page.map(\.name)
          if page.count < limit { break }
        }
        try check(names, is: expected, "streams in \(namespace?.description ?? "all")")
      }
    }
  }

  // MARK: Events

  private func randomFilter() -> EventFilter {
    var filter = EventFilter()
    if chance(40) {
      filter.types = Set(
        (0..<number(1...2)).map { _ in
          pick(["Written", "Removed", "Sized", Diary.mood, "app.Unknown", "nothing"])
        })
    }
    if chance(30) { filter.session = pick(["s-1", "s-2", "s", "never"].map(SessionID.named)) }
    if chance(25) { filter.since = model.log.randomElement(using: &random)?.occurredAt }
    if chance(25) { filter.until = model.log.randomElement(using: &random)?.occurredAt }
    return filter
  }

  private func checkReading(of stream: StreamName) throws {
    let head = Int(model.version(of: stream).number)
    for _ in 0..<12 {
      let isForward = chance(50)
      let start = chance(30) ? nil : StreamVersion(UInt64(number(0...(head + 2))))
      let end = chance(50) ? nil : StreamVersion(UInt64(number(0...(head + 2))))
      let filter = chance(40) ? EventFilter() : randomFilter()
      let limit = chance(30) ? 1_000 : number(1...7)
      let (lowest, highest) = isForward ? (start, end) : (end, start)
      var expected = model.events(of: stream).filter { event in
        (lowest.map { event.version >= $0 } ?? true) && (highest.map { event.version <= $0 } ?? true)
          && ModelStore.wants(filter, event)
      }
      if !isForward { expected.reverse() }
      var found: [ShownEvent] = []
      var next = start
      repeat {
        let page = try store.log.readStream(
          stream, from: next, to: end, direction: isForward ? .forward : .backward, limit: limit,
          filter: filter)
        guard page.events.count <= limit else { throw Mismatch(description: "a page above its limit") }
        found += page.events.map { ShownEvent($0) }
        next = page.next
      } while next != nil
      try check(
        found, is: expected.map { ShownEvent($0) },
        "\(stream) \(isForward ? "from" : "back from") \(start?.number ?? 0) to \(end?.number ?? 0), \(filter)"
      )
    }
  }

  private func checkReadingAll() throws {
    let isForward = chance(50)
    let start = chance(30) ? nil : LogPosition(UInt64(number(0...(Int(model.last.number) + 2))))
    let end = chance(50) ? nil : LogPosition(UInt64(number(0...(Int(model.last.number) + 2))))
    let filter = chance(40) ? EventFilter() : randomFilter()
    let namespace = chance(60) ? nil : pick(streams).namespace
    let limit = chance(30) ? 1_000 : number(1...20)
    var expected = model.log.filter { event in
      let isWithin =
        isForward
        ? event.position > start ?? 0 && event.position <= end ?? model.last
        : event.position < start ?? model.last.next && event.position >= end ?? 1
      return isWithin && ModelStore.wants(filter, event)
        && (namespace == nil || event.stream.namespace == namespace)
    }
    if !isForward { expected.reverse() }
    var found: [ShownEvent] = []
    var next = start
    repeat {
      let page = try store.log.readAll(
        after: next, to: end, direction: isForward ? .forward : .backward, limit: limit, filter: filter,
        namespace: namespace)
      guard page.events.count <= limit else { throw Mismatch(description: "a page above its limit") }
      try check(page.head, is: model.last, "head of a page")
      found += page.events.map { ShownEvent($0) }
      next = page.next
    } while next != nil
    try check(
      found, is: expected.map { ShownEvent($0) },
      "all \(isForward ? "after" : "before") \(start?.number ?? 0) to \(end?.number ?? 0), \(filter)")
  }

  private func checkIDs(of stream: StreamName) throws {
    let events = model.events(of: stream)
    for event in events {
      let found = try store.log.event(event.data.id, of: stream).map { ShownEvent($0) }
      try check(found, is: ShownEvent(event), "event \(event.data.id) of \(stream)")
    }
    // More of the families: same hash, but never appended.
    let unknown = (0..<6).map { CollidingIDs.id(events.count * 2 + 100 + $0, seed: Self.hashSeed) }
    for id in unknown where !events.contains(where: { $0.data.id == id }) {
      try check(store.log.event(id, of: stream) == nil, is: true, "event \(id) of \(stream) is not there")
    }
    for version in 0...(events.count + 1) where chance(20) {
      let found = try store.log.event(at: StreamVersion(UInt64(version)), of: stream).map { ShownEvent($0) }
      let expected = events.first { $0.version.number == UInt64(version) }.map { ShownEvent($0) }
      try check(found, is: expected, "event \(version) of \(stream)")
    }
  }

  // MARK: States

  /// A state that somebody asks for in the midst of it all.
  func checkRandomState() throws {
    try checkStates(
      of: pick(streams), by: NotebookProjector(version: chance(80) ? 1 : 2), points: number(1...3))
  }

  /// Asks for states of a stream: at `points` random points, or at all that can make a difference.
  func checkStates(of stream: StreamName, by projector: NotebookProjector, points count: Int? = nil) throws {
    let events = model.events(of: stream)
    guard let first = events.first, let last = events.last else {
      for point: AsOf in [.head, .version(0), .occurredAt(.latest)] {
        let state = try store.log.state(of: stream, by: projector, at: point)
        try check(state == nil, is: true, "\(stream) does not exist")
      }
      return
    }
    let now = max(model.log.last?.recordedAt ?? .earliest, store.clock.now)
    var points: [AsOf] = [
      .head, .version(0), .position(0), .recordedAt(.earliest), .occurredAt(.earliest), .occurredAt(.latest),
      .version(last.version), .position(model.last),
      .recordedAt(now),
      .position(LogPosition(first.position.number - 1)),
    ]
    for event in events {
      points.append(.version(event.version))
      points.append(.position(event.position))
      if event.position < model.last { points.append(.position(event.position.next)) }
      for step: Int64 in [-1, 0, 1] {
        points.append(.occurredAt(event.occurredAt.advanced(byMicroseconds: step)))
        points.append(.recordedAt(min(event.recordedAt.advanced(byMicroseconds: step), now)))
      }
    }
    points.shuffle(using: &random)
    try checkStates(of: stream, by: projector, at: points.prefix(count ?? min(points.count, 120)))
    try checkRefusals(of: stream, last)
  }

  /// Asks for the states of a stream, which exists, at points within it.
  func checkStates(of stream: StreamName, by projector: NotebookProjector, at points: some Sequence<AsOf>)
    throws
  {
    let byVersion = try model.states(of: model.events(of: stream, at: .head), in: stream, by: projector)
    let byTime = model.events(of: stream, at: .occurredAt(.latest))
    let statesByTime = try model.states(of: byTime, in: stream, by: projector)
    for point in points {
      let included = model.events(of: stream, at: point)
      if case .recordedAt(let time) = point, time > model.log.last?.recordedAt ?? .earliest {
        model.passed = max(model.passed, time)
      }
      let isByTime = if case .occurredAt = point { true } else { false }
      let expected = (isByTime ? statesByTime : byVersion)[included.count]
      let usesSnapshots = !chance(10)
      let what = "\(stream) at \(point)\(usesSnapshots ? "" : " without snapshots")"
      guard
        let found = try store.log.state(of: stream, by: projector, at: point, usesSnapshots: usesSnapshots)
      else { throw Mismatch(description: "\(what) is not there") }
      try check(found.state.brokenPromises, is: 0, "broken promises of \(what)")
      try check(found.state.events, is: expected.events, "events folded for \(what)")
      try check(found.state, is: expected, what)
      try check(found.version, is: included.map(\.version).max() ?? 0, "version of \(what)")
      try check(found.judgedAt, is: model.judgedAt(point, of: stream), "judged at, of \(what)")
      try check(store.log.version(of: stream, at: point), is: found.version, "version by itself of \(what)")
      var writer = ByteWriter()
      found.state.encode(into: &writer)
      try check(found.state.encodedSize, is: writer.count, "size of \(what)")
    }
  }

  private func checkRefusals(of stream: StreamName, _ last: ModelEvent) throws {
    let now = max(model.log.last?.recordedAt ?? .earliest, store.clock.now)
    for point: AsOf in [
      .version(last.version.next), .position(model.last.next), .recordedAt(now.advanced(byMicroseconds: 1)),
    ] {
      do throws(ReadError) {
        _ = try store.log.state(of: stream, by: NotebookProjector(), at: point)
      } catch {
        if case .invalid = error { continue }
        throw error
      }
      throw Mismatch(description: "\(stream) at \(point), beyond the end, was answered")
    }
  }
}
