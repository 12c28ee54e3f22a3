// The decoders of what is on disk, given what was never written.
import Bytes
import Sodium
import TestSupport
import Testing

@testable import EventStore

@Suite struct `Bytes that nobody wrote` {
  /// A record with all that a record can have.
  private static func record() -> [UInt8] {
    var fields = RecordFields(
      type: .custom, typeVersion: 3, tag: 7, recordedAt: Timestamp(clamping: 1 << 50),
      occurredAt: Timestamp(clamping: 1 << 49), id: .number(1), stream: 300, version: 1_000, position: 70_000,
      previous: 60_000)
    fields.session = 900
    fields.sessionName = .named("s-1")
    fields.name = .bob
    fields.secret = .zero
    fields.redactedDigest = .zero
    fields.chain = .zero
    var writer = ByteWriter()
    fields.encode(
      typeName: Array("App.Thing".utf8).rawSpan, metadata: Array("{}".utf8).rawSpan,
      payload: Array("payload".utf8).rawSpan, into: &writer)
    return writer.bytes
  }

  /// Changes some bytes, mostly to such as overflow; sometimes cuts off the end.
  private func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let extremes: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)]
      bytes[place] = extremes.randomElement(using: &random) ?? 0
    }
    if Int.random(in: 0..<4, using: &random) == 0 {
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
    }
    return bytes
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func `are a record or are refused, also under a right checksum`(
    seed: UInt64
  ) throws {
    var random = SeededRandom(seed: seed)
    var whole = 0
    for _ in 0..<20_000 {
      var bytes = mutate(Self.record(), &random)
      let position = LogPosition([1, 70_000, .max].randomElement(using: &random) ?? 1)
      if bytes.count >= 8 {
        let checksum = XXH3.hash(bytes.rawSpan.extracting(droppingFirst: 8), seed: position.number)
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt64(index))) }
      }
      _ = try? RecordLink(bytes.rawSpan, at: position)
      guard let record = try? RecordView(bytes.rawSpan, at: position) else { continue }
      _ = try? IndexEntry(record, seed: seed)
      whole += 1
    }
    #expect(whole > 1_000)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func `are an entry of the index or are refused`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let head = StreamHead(
      name: .bob, version: 1_000, position: 70_000, chain: .zero, secret: .zero, firstOccurredAt: .earliest,
      lastOccurredAt: .latest, sizeInBytes: 1 << 40)
    var catalog = RunCatalog()
    catalog.blocks = [100, 130]
    for number in 0..<UInt32(4) {
      let first = LogPosition(UInt64(number) * 25 + 1)
      catalog.runs.append(Run(level: 0, number: number, first: first, last: first.forward(24 - (number == 3 ? 1 : 0))))
    }
    catalog.sealing = RunProgress(stream: 3, version: 4, pieces: 0)
    catalog.merge = catalog.dueMerge()
    #expect(try RunCatalog(decoding: catalog.encode().rawSpan) == catalog)
    let entries = [
      head.encode(), catalog.encode(), Anchor(position: 70_000, lastOccurredAt: .latest).encode(),
      SessionEntry(firstOccurredAt: .latest, name: .named("s-1")).encode(), Key.name(.bob), Key.position(70_000),
    ]
    for _ in 0..<20_000 {
      let bytes = mutate(entries.randomElement(using: &random) ?? [], &random)
      if let head = try? StreamHead(decoding: bytes.rawSpan) { #expect(!head.encode().isEmpty) }
      if let anchor = try? Anchor(decoding: bytes.rawSpan) { #expect(!anchor.encode().isEmpty) }
      if let entry = try? SessionEntry(decoding: bytes.rawSpan) { #expect(!entry.encode().isEmpty) }
      if let catalog = try? RunCatalog(decoding: bytes.rawSpan) { #expect(!catalog.encode().isEmpty) }
      var chunk = RunChunk(bytes.rawSpan, of: Run(level: 0, number: 0, first: 1, last: 100))
      while let entry = try? chunk.next() { #expect(entry.end <= bytes.count) }
      _ = try? Key.name(of: bytes.rawSpan)
      _ = try? Key.position(of: bytes.rawSpan)
      _ = try? IndexValue.open(bytes.rawSpan, at: bytes.rawSpan)
      _ = SnapshotTable.isWhole(bytes.rawSpan, key: bytes)
      _ = try? SnapshotValue(bytes.rawSpan).highestAndState.byteCount
    }
  }
}
