// Full replay to the context state, by Memoir and, with the same fold, from SQLite's rows.
import Foundation
import Memoir
import PeerBench
import Sodium

extension Bench {
  func askReplay(_ contestants: [any Contestant]) throws {
    say("full replay")
    var digests: [String] = []
    for contestant in contestants {
      if let memoir = contestant as? MemoirContestant {
        var rates: [Double] = []
        for jobs in [1, 2] {
          let result = try memoir.replay(jobs: jobs)
          rates.append(Double(result.events) / result.seconds)
          digests.append(result.digest)
        }
        results.add("replay", .memoir, rates[0])
        results.add("replay-2", .memoir, rates[1])
        results.add("replay-gain", .memoir, rates[1] / rates[0])
        let child = try Child.task("replay", [memoir.folder, "1"])
        results.add("replay-memory", .memoir, Double(child.ownMemory) / 1_048_576)
        results.add("replay-resident", .memoir, Double(child.residentMemory) / 1_048_576)
      } else if contestant.kind == .sqlite, let reader = contestant.makeReader() as? PeerContestant.Reader {
        var replay = RowReplay()
        let time = try seconds { try replay.run(reader) }
        results.add("replay", .sqlite, Double(replay.events) / time)
        digests.append(replay.digest.hexadecimal)
      }
    }
    guard Set(digests).count == 1 else { throw BenchError("replays differ: \(digests)") }
  }
}

extension MemoirContestant {
  /// Folds every user from the first event on.
  func replay(jobs: Int) throws -> ReplayResult { try log.replayAll(jobs: jobs) }

  /// Has snapshots taken beside the appends, as a service does.
  func maintainSnapshots() throws { try log.maintainSnapshots(of: ContextProjector()) }
}

extension EventLog {
  /// Folds every user from the first event on.
  func replayAll(by projector: some Projector = ContextProjector(), jobs: Int) throws -> ReplayResult {
    var options = ReplayOptions()
    options.usesSnapshots = false
    options.resumes = false
    options.jobs = jobs
    return try replay(by: projector, options)
  }
}

extension Bytes32 {
  /// What the state of a user's stream adds to the digest of a replay.
  static func ofStream(_ user: String, at version: UInt64, _ state: some ProjectionState) -> Bytes32 {
    var writer = ByteWriter(capacity: state.encodedSize + 64)
    writer.writeString(Namespace.default.description)
    writer.writeString(user)
    writer.writeVarint(version)
    state.encode(into: &writer)
    return BLAKE2b.digest(writer.bytes.rawSpan)
  }
}

/// Folds rows of a table, by stream and version: each is parsed by Memoir's JSON reader and handed to Memoir's fold. The
/// digest is made as a replay makes it, so equal states show.
struct RowReplay {
  private let projector = ContextProjector()
  private let parser = JSONParser()
  private var line: [UInt8] = []
  private var user = ""
  private var state = ContextProjector().initialState()
  private var version: UInt64 = 0
  /// The version that first named each session of the user.
  private var sessions: [EventID: UInt64] = [:]
  private(set) var events = 0
  private(set) var digest = Bytes32.zero

  init() {}

  mutating func run(_ reader: PeerContestant.Reader) throws {
    while let row = unsafe reader.nextRow() { try unsafe fold(row) }
    endStream()
  }

  private mutating func fold(_ row: PeerRow) throws {
    let name = unsafe String(cString: row.user)
    if name != user {
      endStream()
      user = name
    }
    let id = unsafe Self.id(row.id)
    let sessionID = unsafe Self.id(row.session)
    let occurredAt = unsafe Timestamp(clamping: row.occurred)
    let recordedAt = unsafe Timestamp(clamping: row.recorded)
    unsafe version = UInt64(row.version)
    // The JSON of an event, as Memoir takes it.
    line.removeAll(keepingCapacity: true)
    line += #"{"id":""#.utf8
    id.write(into: &line)
    line += #"","session":""#.utf8
    sessionID.write(into: &line)
    line += #"","type":""#.utf8
    unsafe line += UnsafeRawBufferPointer(start: row.type, count: strlen(row.type))
    line += #"","data":"#.utf8
    unsafe line += UnsafeRawBufferPointer(start: row.data, count: row.data_length)
    line += "}".utf8
    let event = try EventJSON.read(line.span, with: parser, now: occurredAt).event

    let first = sessions[sessionID] ?? version
    let isFirst = first == version
    if isFirst { sessions[sessionID] = version }
    let sessionName = isFirst ? Array(sessionID.description.utf8) : []
    let none: [UInt8] = []
    let view = EventView(
      version: StreamVersion(version), position: 0, id: id, type: event.type, isRedacted: false,
      typeVersion: event.typeVersion, occurredAt: occurredAt, recordedAt: recordedAt,
      customType: none.rawSpan, metadata: none.rawSpan, payload: event.payload.rawSpan,
      sessionNumber: first, isSessionNamedBefore: true, hasSessionName: isFirst,
      sessionName: sessionName.rawSpan)
    try projector.apply(view, to: &state)
    events += 1
  }

  private mutating func endStream() {
    guard version > 0 else { return }
    digest = digest.adding(.ofStream(user, at: version, state))
    state = projector.initialState()
    version = 0
    sessions.removeAll(keepingCapacity: true)
  }

  private static func id(_ bytes: UnsafePointer<UInt8>?) -> EventID {
    guard let bytes = unsafe bytes else { return EventID(high: 0, low: 0) }
    let raw = unsafe UnsafeRawPointer(bytes)
    return unsafe EventID(
      high: raw.loadUnaligned(as: UInt64.self).bigEndian,
      low: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian)
  }
}
