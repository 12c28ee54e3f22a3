// What readings are checked by: all contestants fold into the same tally, with the same function.
import Memoir
import PeerBench

extension PeerTally {
  /// Folds one event of the workload.
  mutating func add(_ event: PeerEvent, _ texts: [UInt8]) {
    let start = Int(event.text)
    let (first, second) = (Int(event.first_length), Int(event.second_length))
    let span = texts.rawSpan
    add(
      event.type, span.extracting(start..<start + first),
      span.extracting(start + first..<start + first + second))
  }

  /// Folds one event with these texts.
  @inline(__always)
  mutating func add(_ type: UInt8, _ first: RawSpan, _ second: RawSpan) {
    unsafe first.withUnsafeBytes { first in
      unsafe second.withUnsafeBytes { second in
        unsafe peer_tally_add(
          &self, UInt32(type), first.baseAddress, first.count, second.baseAddress, second.count)
      }
    }
  }

  /// Stands for the tally.
  var digest: UInt64 {
    var copy = self
    return unsafe peer_tally_digest(&copy)
  }

  /// How many events were folded.
  var events: UInt64 { counts.0 + counts.1 + counts.2 + counts.3 }
}

/// A tally as the state of a stream.
struct TallyState: ProjectionState {
  var tally = PeerTally()

  init() {}

  var encodedSize: Int { 8 }

  func encode(into writer: inout ByteWriter) { writer.write(tally.digest) }

  // It is never stored: it is there to be compared.
  init(decoding reader: inout ByteReader) throws(DamagedBytes) { throw DamagedBytes() }
}

/// Folds events into a tally, as the peers do.
struct TallyProjector: Projector {
  let name = "tally"
  let version = 1

  func initialState() -> TallyState { TallyState() }

  func apply(_ event: borrowing EventView, to state: inout TallyState) throws(DamagedBytes) {
    try state.tally.add(event.type, payload: event.payload)
  }
}

extension PeerTally {
  /// Folds one event of Memoir.
  @inline(__always)
  mutating func add(_ type: EventTypeCode, payload: RawSpan) throws(DamagedBytes) {
    var reader = PayloadReader(payload)
    if type == .messageAdded { _ = try reader.next() }  // the role
    guard let first = try reader.next() else { throw DamagedBytes() }
    let none = payload.extracting(0..<0)
    switch type {
    case .messageAdded: add(UInt8(PEER_MESSAGE), first.bytes, none)
    case .factLearned: add(UInt8(PEER_FACT), first.bytes, none)
    case .preferenceUpdated:
      guard let value = try reader.next() else { throw DamagedBytes() }
      // A JSON string, which in this workload has no escapes.
      add(UInt8(PEER_PREFERENCE), first.bytes, value.bytes.extracting(1..<value.bytes.byteCount - 1))
    case .sessionEnded: add(UInt8(PEER_ENDED), first.bytes, none)
    default: throw DamagedBytes()
    }
  }
}
