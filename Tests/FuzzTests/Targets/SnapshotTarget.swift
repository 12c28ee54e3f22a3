// States as snapshots hold them. Their checksum keeps damage out; what a state is made of must not trust in that.
//
// An input is a byte that chooses the projector, and a state's bytes.
import Bytes
import EventStore
import JSON
import Memoir
import TestSupport

@testable import EventStore
@testable import Memoir

struct SnapshotTarget: FuzzTarget {
  static let name = "snapshot"

  func check(_ bytes: [UInt8]) throws -> Bool {
    guard let first = bytes.first else { return false }
    let rest = Array(bytes.dropFirst())
    return switch first % 8 {
    case 0: try check(rest, ContextProjector()) { try Self.show($0) }
    case 1: try check(rest, MessageProjector())
    case 2: try check(rest, FactProjector())
    case 3: try check(rest, PreferenceProjector())
    case 4: try check(rest, RelationshipProjector())
    case 5: try check(rest, SessionProjector())
    case 6: try check(rest, EpisodeProjector())
    default: try check(rest, ProfileProjector())
    }
  }

  /// Reads a state, uses it, and reads again what it writes.
  private func check<P: Projector>(
    _ bytes: [UInt8], _ projector: P, _ use: (P.State) throws -> Void = { _ in }
  ) throws -> Bool {
    var reader = ByteReader(bytes.rawSpan)
    guard let state = try? P.State(decoding: &reader) else { return false }
    let once = state.encoded()
    try hold(once.count == state.encodedSize, "a state has the size that it says")
    var again = ByteReader(once.rawSpan)
    let second = try P.State(decoding: &again)
    try hold(again.isAtEnd && second.encoded() == once, "a state that was read and written is not what it was")
    try use(state)
    var changed = state
    var folding = Folding(projector, Self.story)
    try folding.run(&changed)
    try hold(changed.encoded().count == changed.encodedSize, "a state that goes on has the size that it says")
    return reader.isAtEnd
  }

  /// Shows a state, as every surface does. What JSON it holds may be none, so there is nothing to be said of the text.
  private static func show(_ state: ContextState) throws {
    var writer = JSONWriter()
    let form = StateJSON(stream: .bob, version: 9, asOf: .now, clock: Timestamp(clamping: 1 << 50))
    try form.write(state, to: &writer) { _ in nil }
    try hold(!writer.finish().isEmpty, "a state is shown")
  }

  /// A few events, as ``FoldTarget`` takes them.
  private static let story: [UInt8] = (try? FoldTarget.seeds().first) ?? []

  static func seeds() throws -> [[UInt8]] {
    try FoldTarget.seeds().flatMap { story in
      func state(_ number: UInt8, _ projector: some Projector) throws -> [UInt8] {
        var state = projector.initialState()
        var folding = Folding(projector, story)
        try folding.run(&state)
        return [number] + state.encoded()
      }
      return [
        try state(0, ContextProjector()), try state(1, MessageProjector()), try state(2, FactProjector()),
        try state(3, PreferenceProjector()), try state(4, RelationshipProjector()), try state(5, SessionProjector()),
        try state(6, EpisodeProjector()), try state(7, ProfileProjector()),
      ]
    }
  }
}
