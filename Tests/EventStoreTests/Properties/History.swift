// A random history, done to a store and to the model alike.
import Bytes
import EventStore
import LMDB
import Sodium
import TestSupport

/// Two answers that should have been one.
struct Mismatch: Error, CustomStringConvertible {
  let description: String
}

/// Throws where the store does not say what the model says.
func check<Value: Equatable>(_ found: Value, is expected: Value, _ what: @autoclosure () -> String) throws {
  guard found != expected else { return }
  throw Mismatch(description: "\(what()): \(found) instead of \(expected)")
}

/// Throws at the first place where the store does not say what the model says.
func check<Value: Equatable>(_ found: [Value], is expected: [Value], _ what: @autoclosure () -> String) throws {
  guard found != expected else { return }
  let place = zip(found, expected).prefix { $0 == $1 }.count
  let (mine, theirs) = (found.dropFirst(place).first, expected.dropFirst(place).first)
  throw Mismatch(
    description: """
      \(what()): \(found.count) instead of \(expected.count), at \(place) \(mine.map { "\($0)" } ?? "none") \
      instead of \(theirs.map { "\($0)" } ?? "none")
      """)
}

/// How the store of a history is opened; everything that must not change an answer.
struct HistoryOptions: CustomStringConvertible {
  var blockSize: Int
  var stepLimit: Int?
  var cacheBytes: Int
  var policy: SnapshotPolicy
  var maintainsSnapshots: Bool
  /// Whether streams get long enough for anchors, of which there is one every 256 versions.
  var isLong: Bool
  /// What it is encrypted with, where it is.
  var algorithm: SealingAlgorithm?
  let description: String

  init(seed: UInt64) {
    var random = SeededRandom(seed: ~seed)
    isLong = seed % 5 == 0
    blockSize = [1, 2, isLong ? 100 : 3, 65_536][Int(seed % 4)]
    stepLimit = Bool.random(using: &random) ? (isLong ? 40 : 1) : nil
    cacheBytes = [0, 3_000, 64 << 20][Int.random(in: 0..<3, using: &random)]
    policy = SnapshotPolicy(
      factor: Int.random(in: 1...2, using: &random), minimumBytes: Int.random(in: 0...400, using: &random))
    maintainsSnapshots = Int.random(in: 0..<4, using: &random) == 0
    algorithm = [nil, .fastest, .xChaCha20Poly1305][Int(seed / 4 % 3)]
    description = """
      seed \(seed), checkpoint every \(blockSize), limit \(stepLimit ?? 0), cache \(cacheBytes), \
      snapshots \(policy.factor) × \(policy.minimumBytes)\(maintainsSnapshots ? " maintained" : "")\(isLong ? ", long" : "")\
      \(algorithm.map { ", encrypted with \($0.name)" } ?? "")
      """
  }
}

/// A store, the model of it, and what is done to both.
final class History {
  static let hashSeed: UInt64 = 42

  let options: HistoryOptions
  let store: TemporaryStore
  var model = ModelStore()
  var random: SeededRandom
  private var requests: [[StreamAppend]] = []
  private var idCounts: [StreamName: Int] = [:]
  private(set) var steps: [String] = []
  /// Whether some snapshots were overwritten.
  private(set) var hasCorrupted = false

  let streams: [StreamName] = [
    .bob, .alice, .named("bob", in: "other"), .named("Bob"), .named("bo", in: "defaulu"),
  ]
  private let sessions: [SessionID] = ["s-1", "s-2", "s", "Sitzung ä"].map(SessionID.named)

  init(seed: UInt64) throws {
    options = HistoryOptions(seed: seed)
    random = SeededRandom(seed: seed)
    var settings = EventLog.Options()
    settings.blockSize = options.blockSize
    settings.stepLimit = options.stepLimit
    settings.cacheBytes = options.cacheBytes
    settings.snapshotPolicy = options.policy
    settings.hashSeed = Self.hashSeed
    if options.algorithm != nil { settings.masterKey = .random() }
    settings.algorithm = options.algorithm
    store = try TemporaryStore(settings)
    if options.maintainsSnapshots { try store.log.maintainSnapshots(of: NotebookProjector()) }
  }

  func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
  func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &random)]
  }
  func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  /// One thing that may happen to a store.
  func step() throws {
    switch number(0...99) {
    case 0..<62: try append(newRequest())
    case 62..<72: try append(oldRequest())
    case 72..<76: try redact()
    case 76..<80: try reopen()
    case 80..<82: try reopen(corrupting: true)
    case 82..<84: try note("clear snapshots") { try store.log.clearSnapshots() }
    case 84..<89: try note("store snapshots") { try store.log.finishSnapshots() }
    case 89..<92: try note("read a state") { try checkRandomState() }
    case 92..<95: try changeWhatWasRead()
    case 95: try note("repair") { try store.log.repairDerived() }
    case 96: store.clock.advance(byMicroseconds: -Int64(number(1...5_000)))
    default: store.clock.advance(byMicroseconds: Int64(number(1...5_000)))
    }
  }

  private func note(_ what: String, _ body: () throws -> Void) throws {
    steps.append(what)
    try body()
  }

  // MARK: Appending

  private func append(_ appends: [StreamAppend]) throws {
    if chance(30) { store.clock.advance(byMicroseconds: Int64(number(1...2_000))) }
    let repeats: RepeatRule = chance(25) ? .event : .request
    let expected = model.append(appends, repeats: repeats, now: store.clock.now)
    let found: Result<[ModelResult], AppendError>
    do throws(AppendError) {
      found = .success(
        try store.log.appendAndWait(appends, repeats: repeats).map { ModelResult($0, repeats: repeats) })
    } catch {
      found = .failure(error)
    }
    let what = appends.map { "\($0.events.count) to \($0.stream) expecting \($0.expected)" }.joined(
      separator: ", ")
    steps.append("append \(what) by \(repeats): \(expected)")
    try check(found, is: expected, "append \(what) by \(repeats)")
    if case .success = expected { requests.append(appends) }
    requests = requests.suffix(50)
  }

  private func newRequest() -> [StreamAppend] {
    let count = chance(70) ? 1 : number(2...3)
    var request: [StreamAppend] = []
    for _ in 0..<count {
      let stream = chance(50) ? streams[0] : pick(streams)
      let most = options.isLong && stream == streams[0] ? 90 : 6
      var events = (0..<(chance(50) ? 1 : number(2...most))).map { _ in newEvent(in: stream) }
      // Now and then an event that is known, or comes twice, with the same or another content.
      if chance(6), let known = model.events(of: stream).randomElement(using: &random), !known.isRedacted {
        events.append(chance(50) ? known.data : newEvent(in: stream, id: known.data.id))
      }
      if chance(3) { events.append(events[0]) }
      var expected: ExpectedVersion = .any
      if chance(30) {
        let version = model.version(of: stream)
        expected = pick([
          .noStream, .streamExists, .exactly(version), .exactly(version), .exactly(version.next),
          .exactly(StreamVersion(version.number + UInt64(events.count))), .exactly(0),
        ])
      }
      request.append(StreamAppend(events, to: stream, expecting: expected))
    }
    return request
  }

  /// A request done before, as it was or slightly changed.
  private func oldRequest() -> [StreamAppend] {
    guard !requests.isEmpty else { return newRequest() }
    var request = pick(requests)
    let append = number(0...(request.count - 1))
    let event = number(0...(request[append].events.count - 1))
    switch number(0...9) {
    case 0: request[append].events[event] = newEvent(in: request[append].stream)
    case 1: request[append].events.append(newEvent(in: request[append].stream))
    case 2: request[append].events.remove(at: event)
    case 3: request[append].events[event].occurredAt = nil
    case 4: request[append].events[event].session = chance(50) ? nil : pick(sessions)
    case 5: request[append].events.reverse()
    case 6: request.append(newRequest()[0])
    case 7: request[append].expected = .exactly(9_999)
    default: break
    }
    request.removeAll { $0.events.isEmpty }
    // The same, spelled otherwise.
    for (append, events) in request.map(\.events).enumerated() {
      for (place, event) in events.enumerated() where event.type == Diary.valued && chance(50) {
        request[append].events[place].payload = Diary.valued(key(), "2.50", id: event.id).payload
        if chance(70) { request[append].events[place].payload = respelled(event) }
      }
      for (place, event) in events.enumerated() where event.typeVersion == 1 && chance(50) {
        if let payload = try? Diary.split(event.payload.rawSpan), event.type == Diary.written {
          request[append].events[place].payload = payload
          request[append].events[place].typeVersion = 2
        }
      }
    }
    return request.isEmpty ? newRequest() : request
  }

  private static let spellings = [["1", "1.0", "10e-1"], ["250", "2.5e2"], ["-0.5", "-5e-1"]]

  private func respelled(_ event: EventData) -> [UInt8] {
    var reader = PayloadReader(event.payload.rawSpan)
    guard let key = try? reader.next()?.text(), let value = try? reader.next()?.text(),
      let spellings = Self.spellings.first(where: { $0.contains(value) })
    else { return event.payload }
    return Diary.valued(key, pick(spellings), id: event.id).payload
  }

  private func key() -> String { "k\(number(0...7))" }

  private func newEvent(in stream: StreamName, id given: EventID? = nil) -> EventData {
    let id: EventID
    if let given {
      id = given
    } else {
      // Families of ids with one hash come in a row; the same ids serve in every stream.
      id = CollidingIDs.id(idCounts[stream, default: 0], seed: Self.hashSeed)
      idCounts[stream, default: 0] += 1
    }
    var event =
      switch number(0...99) {
      case 0..<25: Diary.written(key(), String(repeating: "t", count: number(0...60)), id: id)
      case 25..<40: Diary.firstWritten(key(), "first \(number(0...9))", id: id)
      case 40..<55: Diary.removed(key(), id: id)
      case 55..<70: Diary.sized(key(), number(0...500), id: id)
      case 70..<80: Diary.valued(key(), pick(pick(Self.spellings)), id: id)
      case 80..<88: Diary.custom("m\(number(0...9))", id: id)
      case 88..<94: Diary.custom("u", named: "app.Unknown", id: id)
      default: Diary.unheardOf("?", id: id)
      }
    if chance(60) { event.session = pick(sessions) }
    if chance(20) { event = event.with(metadata: "{\"agent\":\"a\(number(0...3))\"}") }
    if chance(80) {
      // In steps, so that many happen at the same time; some late, some long ago, some ahead of the clock.
      let steps = chance(70) ? number(0...3) : -number(0...30)
      let time = store.clock.now.microseconds / 1_000 * 1_000 + Int64(steps) * 1_000
      event.occurredAt = Timestamp(clamping: time)
      // Seldom: after the latest of all times everything is late.
      if chance(1), chance(20) { event.occurredAt = chance(50) ? .latest : .earliest }
    }
    return event
  }

  // MARK: Everything else

  private func redact() throws {
    let stream = pick(streams)
    try redact(number(0...(Int(model.version(of: stream).number) + 1)), of: stream)
  }

  private func redact(_ version: Int, of stream: StreamName) throws {
    let version = StreamVersion(UInt64(version))
    steps.append("redact \(version) of \(stream)")
    try store.log.redact(version, of: stream)
    model.redact(version, of: stream)
  }

  /// Changes a stream right after its last states were folded, kept and stored: they must not be given out again.
  private func changeWhatWasRead() throws {
    let stream = pick(Array(streams.prefix(3)))
    guard let latest = model.events(of: stream).map(\.occurredAt).max() else { return }
    let ends: [AsOf] = [.head, .occurredAt(latest), .occurredAt(.latest)]
    try checkStates(of: stream, by: NotebookProjector(), at: ends)
    if chance(70) { try note("store snapshots") { try store.log.storeDueSnapshots() } }
    if chance(40) {
      try redact(Int.random(in: 1...Int(model.version(of: stream).number), using: &random), of: stream)
    } else {
      let time = latest.advanced(byMicroseconds: Int64(number(-1...1)))
      try append([StreamAppend([newEvent(in: stream).occurring(at: time)], to: stream)])
    }
    try checkStates(of: stream, by: NotebookProjector(), at: ends)
  }

  private func reopen(corrupting: Bool = false) throws {
    steps.append(corrupting ? "reopen with corrupt snapshots" : "reopen")
    try store.reopen { if corrupting { try corruptSnapshots() } }
    model.passed = .earliest
    if options.maintainsSnapshots { try store.log.maintainSnapshots(of: NotebookProjector()) }
  }

  /// Overwrites bytes of some snapshots.
  func corruptSnapshots() throws {
    let environment = try Environment(folder: store.path)
    let table = try environment.openTables(["snapshots"])[0]
    var found: [(key: [UInt8], value: [UInt8])] = []
    do {
      let reader = try environment.beginRead()
      var cursor = try reader.cursor(in: table)
      while let entry = try cursor.next() { found.append((entry.key.array(), entry.value.array())) }
    }
    var transaction = try environment.beginWrite()
    for (key, value) in found where !value.isEmpty && chance(50) {
      hasCorrupted = true
      var value = value
      switch number(0...3) {
      case 0: value = Array(value.prefix(number(0...(value.count - 1))))
      case 1: value += [0]
      default: value[number(0...(value.count - 1))] ^= 1 << UInt8(number(0...7))
      }
      try transaction.put(value.rawSpan, at: key.rawSpan, in: table)
    }
    try transaction.commit()
    environment.close()
  }
}
