// Memoir as a contestant, through the calls an application would make.
import Memoir
import PeerBench
import Platform

/// What an application has in its hands: an event of the vocabulary, and whose it is.
struct DomainEvent: Sendable {
  var event: MemoirEvent
  var stream: StreamName
  var session: SessionID
  var id: EventID
  var occurredAt: Timestamp

  /// As the log takes it.
  func data() throws -> EventData {
    try EventData(event, session: session, id: id, occurredAt: occurredAt)
  }
}

extension Workload {
  private func text(_ start: Int, _ count: Int) -> String {
    String(decoding: texts[start..<start + count], as: UTF8.self)
  }

  /// What an event says.
  func content(of event: PeerEvent) throws -> MemoirEvent {
    let first = text(Int(event.text), Int(event.first_length))
    switch Int(event.type) {
    case Int(PEER_MESSAGE):
      let roles: [MessageRole] = [.user, .assistant, .tool]
      return .messageAdded(try MessageAdded(role: roles[Int(event.role)], content: first))
    case Int(PEER_FACT):
      return .factLearned(try FactLearned(fact: first, category: "note", confidence: 0.9))
    case Int(PEER_PREFERENCE):
      var value = JSONWriter()
      value.string(text(Int(event.text) + Int(event.first_length), Int(event.second_length)))
      return .preferenceUpdated(
        try PreferenceUpdated(key: first, value: JSONText(canonical: value.finish())))
    default: return .sessionEnded(try SessionEnded(reason: first))
    }
  }

  /// An event as an application has it.
  func domainEvent(_ index: Int) throws -> DomainEvent {
    let event = events[index]
    return DomainEvent(
      event: try content(of: event), stream: streams[Int(event.user)],
      session: try SessionID(EventID(bytes: event.session).description), id: EventID(bytes: event.id),
      occurredAt: Timestamp(clamping: event.occurred))
  }
}

/// A store of Memoir.
final class MemoirContestant: Contestant {
  let kind = ContestantKind.memoir
  let folder: String
  let hasTasks = true
  let log: EventLog
  private let workload: Workload
  /// What writers append.
  private let pool: [MemoirEvent]
  /// Each user's session in appends.
  private let sessions: [SessionID]

  init(in folder: String, _ workload: Workload, options: EventLog.Options = EventLog.Options()) throws {
    self.folder = folder
    self.workload = workload
    log = try EventLog(folder: folder, schema: .memoir, options: options)
    pool = try workload.events.prefix(Pick.pool).map { try workload.content(of: $0) }
    var random = SplitMix64(seed: 3)
    sessions = try (0..<workload.users).map { _ in
      try SessionID(EventID(bytes: random.uuid()).description)
    }
  }

  /// The next batch is made ready while the one before is committed, as `memoir append` does. The values of the
  /// domain, strings and all, are there before the clock starts.
  func load(_ range: Range<Int>) throws -> [Double] {
    var seconds: [Double] = []
    let chunk = 50 * Workload.batch
    for start in stride(from: range.lowerBound, to: range.upperBound, by: chunk) {
      let values = try (start..<min(start + chunk, range.upperBound)).map { try workload.domainEvent($0) }
      var last = Stopwatch()
      var pending: PendingAppend?
      for first in stride(from: 0, to: values.count, by: Workload.batch) {
        let appends = try values[first..<min(first + Workload.batch, values.count)].map {
          StreamAppend([try $0.data()], to: $0.stream)
        }
        let ready = try log.prepareAppend(appends, repeats: .request)
        if let before = pending {
          try before.wait()
          seconds.append(last.lap())
        }
        pending = PendingAppend(ready, in: log)
      }
      try pending?.wait()
      seconds.append(last.lap())
    }
    return seconds
  }

  func settle() {}

  private func append(of pick: Pick) throws -> StreamAppend {
    let user = Int(pick.event.user)
    let event = try EventData(pool[pick.index], session: sessions[user], id: EventID(bytes: pick.event.id))
    return StreamAppend(
      [event], to: workload.streams[user], expecting: .exactly(StreamVersion(UInt64(pick.event.version - 1))))
  }

  private func check(_ results: [AppendResult], of picks: [Pick]) throws {
    for (result, pick) in zip(results, picks) where result.lastVersion.number != UInt64(pick.event.version) {
      throw BenchError("Memoir stored an event as version \(result.lastVersion), not \(pick.event.version)")
    }
  }

  func commit(_ picks: [Pick]) throws {
    try check(try log.appendAndWait(try picks.map { try append(of: $0) }), of: picks)
  }

  func append(_ pick: Pick) async throws {
    try check(try await log.append([try append(of: pick)]), of: [pick])
  }

  func appendAndWait(_ pick: Pick) throws { try commit([pick]) }

  func prepareStates() throws {
    for user in workload.streams { _ = try log.state(of: user, by: ContextProjector()) }
  }

  func makeReader() -> any StoreReader { Reader(log: log, streams: workload.streams) }
  func close() throws { try log.close() }

  /// Reads through projectors, as an application does; the log itself in pages.
  struct Reader: StoreReader {
    let log: EventLog
    let streams: [StreamName]

    func scan(into tally: inout PeerTally) throws -> UInt64 {
      var count: UInt64 = 0
      try log.forEachEvent { (_, event) throws(DamagedBytes) in
        try tally.add(event.type, payload: event.payload)
        count += 1
      }
      return count
    }

    func stream(of user: Int, into tally: inout PeerTally) throws -> UInt64 {
      guard let found = try log.state(of: streams[user], by: TallyProjector(), usesSnapshots: false) else {
        return 0
      }
      tally = found.state.tally
      return found.version.number
    }

    func state(of user: Int) throws -> Int {
      try log.state(of: streams[user], by: ContextProjector())?.state.encodedSize ?? 0
    }
  }
}

/// A batch on its way to the disk.
final class PendingAppend: Sendable {
  private let outcome = Monitor<Result<[AppendResult], AppendError>?>(nil)

  init(_ ready: ReadyAppend, in log: EventLog) {
    log.beginAppend(ready) { [outcome] result in outcome.change { $0 = result } }
  }

  func wait() throws {
    guard let result = outcome.wait(for: { $0 }) else { throw BenchError("an append without an end") }
    _ = try result.get()
  }
}
