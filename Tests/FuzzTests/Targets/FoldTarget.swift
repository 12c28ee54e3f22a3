// Events with payloads of any bytes, folded one after the other.
import Bytes
import EventStore
import JSON
import Memoir
import TestSupport

@testable import EventStore
@testable import Memoir

/// Folds the events of an input: of each a byte for its type, one for session and form, its payload with its length.
struct Folding<P: Projector> {
  let projector: P
  let bytes: [UInt8]
  private var count: UInt64 = 0

  init(_ projector: P, _ bytes: [UInt8]) {
    self.projector = projector
    self.bytes = bytes
  }

  /// Folds until an event is none.
  ///
  /// - Returns: How many were folded.
  @discardableResult
  mutating func run(_ state: inout P.State) throws -> UInt64 {
    do throws(DamagedBytes) { try fold(&state) } catch { return count }
    return count
  }

  private mutating func fold(_ state: inout P.State) throws(DamagedBytes) {
    let bytes = bytes
    var reader = ByteReader(bytes.rawSpan)
    let customTypes = ["App.Thing", SessionDistilled.typeName, SessionTouched.typeName].map { Array($0.utf8) }
    while !reader.isAtEnd {
      let type = try reader.readUInt8()
      let form = try reader.readUInt8()
      let payload = try reader.readLengthPrefixed()
      let version = count + 1
      // Sessions begin at versions 1 to 7.
      let session = UInt64(form & 7) > version ? version : UInt64(form & 7)
      let name = Array("s-\(session)".utf8)
      let custom = type % 16 == 0 ? customTypes[Int(form >> 5) % customTypes.count] : []
      let isRedacted = form & 8 != 0
      let event = EventView(
        version: StreamVersion(version), position: LogPosition(version * 3), id: .number(Int(version)),
        type: EventTypeCode(type % 16), isRedacted: isRedacted, typeVersion: 1,
        occurredAt: Timestamp(clamping: Int64(version) * 1_000_000 + Int64(type)),
        recordedAt: Timestamp(clamping: Int64(version) * 1_000_000), customType: custom.rawSpan,
        metadata: [UInt8]().rawSpan, payload: isRedacted ? payload.extracting(first: 0) : payload,
        sessionNumber: session, isSessionNamedBefore: form & 16 == 0,
        hasSessionName: session == version || form & 16 != 0, sessionName: name.rawSpan)
      if isRedacted {
        try projector.applyRedacted(event, to: &state)
      } else {
        try projector.apply(event, to: &state)
      }
      count += 1
    }
  }
}

struct FoldTarget: FuzzTarget {
  static let name = "fold"
  private let recall = RecallProjector()

  func check(_ bytes: [UInt8]) throws -> Bool {
    let isWhole = try check(bytes, ContextProjector(window: 3))
    _ = try check(bytes, ProfileProjector())
    _ = try check(bytes, recall)
    return isWhole
  }

  private func check<P: Projector>(_ bytes: [UInt8], _ projector: P) throws -> Bool {
    var state = projector.initialState()
    var folding = Folding(projector, bytes)
    let count = try folding.run(&state)
    let once = state.encoded()
    try hold(once.count == state.encodedSize, "a state of \(projector.name) has the size that it says")
    var reader = ByteReader(once.rawSpan)
    let second = try P.State(decoding: &reader)
    try hold(reader.isAtEnd && second.encoded() == once, "a state of \(projector.name) is what it was stored as")
    // The same events again give the same bytes.
    var again = projector.initialState()
    var refolding = Folding(projector, bytes)
    try hold(try refolding.run(&again) == count && again.encoded() == once, "equal histories have equal states")
    return count > 0
  }

  // MARK: Seeds

  static func seeds() throws -> [[UInt8]] {
    let fact = try FactID("tea")
    let object = JSONText(canonical: Array(#"{"a":1}"#.utf8))
    let first: [(MemoirEvent, UInt8)] = [
      (.sessionStarted(try SessionStarted()), 1),
      (.messageAdded(try MessageAdded(role: .user, content: "I moved to Lisbon.")), 1),
      (.factLearned(try FactLearned(fact: "Likes tea", category: "food", confidence: 0.9, factID: fact)), 1),
      (
        .factRevised(
          try FactRevised(factID: fact, fact: "Likes coffee", confidence: 0.5, expiresAt: Timestamp(clamping: 1 << 50))),
        1
      ),
      (.factForgotten(try FactForgotten(factID: fact, reason: "asked")), 0),
      (.preferenceUpdated(try PreferenceUpdated(key: "name", value: JSONText(string: "Bob"))), 0),
      (.relationshipLearned(try RelationshipLearned(subject: "Bob", predicate: "knows", object: "Eve")), 1),
      (
        .episodeRecorded(
          try EpisodeRecorded(task: "move", actions: ["pack"], outcomes: "moved", success: true, lessons: ["pack less"])
        ),
        1
      ),
      (.custom(try CustomEvent(type: "App.Thing", data: object)), 1),
      (.sessionEnded(try SessionEnded(reason: "closed", summary: "About Lisbon.")), 1),
    ]
    let second: [(MemoirEvent, UInt8)] = [
      (
        .factLearned(
          try FactLearned(
            fact: "Lives in Porto", category: "home", confidence: 1, importance: 0.5, memoryType: .semantic,
            tags: ["a", "b"], metadata: object)), 8
      ),
      (.factLearned(try FactLearned(fact: "Lives in Lisbon", category: "home", confidence: 1)), 0),
      (.preferenceUpdated(try PreferenceUpdated(key: "theme", value: object)), 16),
      (.sessionsCompacted(try SessionsCompacted(sessions: [SessionID("s-1")], summary: "Tea.")), 0),
      (.messageAdded(try MessageAdded(role: .assistant, content: "Good.", messageID: MessageID("m-1"))), 2),
      (.custom(try SessionDistilledStory.event()), 2 | 1 << 5),
    ]
    return try [first, second].map { story in
      var writer = ByteWriter()
      for (event, form) in story {
        let data = try EventData(event, session: SessionID("s-1"), id: .number(1))
        writer.write(data.type.number)
        writer.write(form)
        writer.writeLengthPrefixed(data.payload)
      }
      return writer.bytes
    }
  }
}

/// What a distiller adds to a session that has ended.
private enum SessionDistilledStory {
  static func event() throws -> CustomEvent {
    try CustomEvent(
      type: SessionDistilled.typeName, data: JSONText(canonical: Array(#"{"distiller":{},"summary":"Tea."}"#.utf8)))
  }
}
