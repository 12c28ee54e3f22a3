// The small values of the store's tables: index entries, tombstones, keys, grants, accesses, receipts, policies.
//
// An input is a byte that chooses what is read, and its bytes. What is read is written, and must then read the same.
import Bytes
import EventStore
import JSON
import Memoir
import Sodium
import TestSupport

@testable import EventStore
@testable import Memoir

struct TableTarget: FuzzTarget {
  static let name = "table"

  /// Reads bytes and writes what they say; throws where they say nothing.
  private typealias Form = @Sendable ([UInt8]) throws -> [UInt8]

  private static let tombstoneKey = Tombstone.key(.zero, 1_780_000_000_000_000)
  private static let grantKey = [1] + Array("default\u{0}bob\u{0}".utf8) + [UInt8](repeating: 7, count: 16)

  private static let forms: [Form] = [
    { try StreamHead(decoding: $0.rawSpan).encode() },
    { try Anchor(decoding: $0.rawSpan).encode() },
    { try SessionEntry(decoding: $0.rawSpan).encode() },
    { try RunCatalog(decoding: $0.rawSpan).encode() },
    { try Tombstone(key: tombstoneKey.rawSpan, decoding: $0.rawSpan).encoded() },
    { try JournalEnd(decoding: $0.rawSpan).encoded() },
    { Key.name(try Key.name(of: $0.rawSpan)) },
    { bytes in
      var reader = ByteReader(bytes.rawSpan)
      return try ProjectorIdentity(decoding: &reader).encoded
    },
    { bytes in
      let value = try SnapshotValue(bytes.rawSpan)
      _ = SnapshotTable.isWhole(bytes.rawSpan, key: bytes)
      try hold(value.highestAndState.byteCount < bytes.count, "a snapshot lends more than it has")
      return value.identity.array() + value.highestAndState.array()
    },
    { bytes in try Grant(key: grantKey, decoding: bytes).encoded() },
    { bytes in try Access(in: .default, user: nil, decoding: bytes).encoded() },
    { bytes in try APIKey(APIKeyID("0123456789ab"), decoding: bytes).encoded() },
    { bytes in try RetentionPolicy(of: .default, decoding: bytes.rawSpan).encoded() },
    { bytes in
      var reader = ByteReader(bytes.rawSpan)
      return try ContextReceipt(ReceiptID(.number(1)), decoding: &reader).encoded()
    },
  ]
  /// Of those forms that lend bytes instead of a value, what comes out is not read again.
  private static let lending = 8

  func check(_ bytes: [UInt8]) throws -> Bool {
    guard let first = bytes.first else { return false }
    let form = Int(first) % Self.forms.count
    let once: [UInt8]
    do {
      once = try Self.forms[form](Array(bytes.dropFirst()))
    } catch let finding as Finding {
      throw finding
    } catch {
      return false
    }
    if form == Self.lending { return true }
    let twice = try Self.forms[form](once)
    try hold(twice == once, "value \(form) that was read and written is not what it was")
    return true
  }

  static func seeds() throws -> [[UInt8]] {
    let time = Timestamp(clamping: 1_780_000_000_000_000)
    var head = StreamHead(
      name: .bob, version: 1_000, position: 70_000, chain: .zero, secret: .zero, firstOccurredAt: .earliest,
      lastOccurredAt: .latest, sizeInBytes: 1 << 40)
    let named = head.encode()
    head.damaged = 5
    (head.name, head.erased) = (StreamName(namelessIn: .default), ErasedName(hash: .zero, digest: .zero))
    var catalog = RunCatalog()
    catalog.blocks = [100, 130]
    for number in 0..<UInt32(4) {
      let first = LogPosition(UInt64(number) * 25 + 1)
      catalog.runs.append(Run(level: 0, number: number, first: first, last: first.forward(24 - (number == 3 ? 1 : 0))))
    }
    catalog.sealing = RunProgress(stream: 3, version: 4, pieces: 0)
    catalog.merge = catalog.dueMerge()
    let identity = ProjectorIdentity(ContextProjector(), schema: .memoir)
    var snapshot = ByteWriter()
    snapshot.write(0 as UInt64)
    snapshot.write(SnapshotTable.format)
    snapshot.write(7 as UInt64)
    snapshot.writeLengthPrefixed(identity.encoded)
    snapshot.write(contentsOf: [1, 2, 3])
    let tombstone = Tombstone(
      erasedAt: time, by: "the person", events: 3, version: 3, position: 70_000, nameHash: .zero, notedAt: 4,
      signature: [1, 2])
    var end = JournalEnd()
    end.count = 3
    let moment = UInt64(time.microseconds)
    let grant = ByteWriter.bytes { writer in
      writer.write(1 as UInt8)
      writer.writeString("user:eve")
      writer.writeVarint(3)
      writer.writeVarint(moment)
      writer.writeString("key:0123456789ab")
      writer.writeVarint(0)
      writer.writeVarint(0)
    }
    let access = Access(
      "state", by: .local, in: .default, user: nil, at: time, items: 3, bytes: 400, requestID: "r-1")
    let key = ByteWriter.bytes { writer in
      writer.write(1 as UInt8)
      writer.writeString("web")
      writer.writeVarint(1)
      writer.writeString("default")
      writer.writeVarint(3)
      writer.writeVarint(2)
      writer.writeString("bob")
      writer.writeVarint(moment)
      writer.writeVarint(0)
      writer.writeVarint(0)
      writer.writeVarint(1)
      writer.writeVarint(moment)
      writer.writeVarint(0)
      Bytes32.zero.write(into: &writer)
    }
    let receipt = ByteWriter.bytes { writer in
      writer.write(1 as UInt8)
      for text in ["default", "bob"] { writer.writeString(text) }
      writer.writeVarint(moment)
      writer.writeString("where")
      writer.writeVarint(4_000)
      for text in ["words", "v12"] { writer.writeString(text) }
      for number in [12, 70_000] { writer.writeVarint(number) }
      writer.writeString("digest")
      for number in [1, 2, 3, 4, 5] { writer.writeVarint(number) }
      writer.write(1 as UInt8)
      writer.writeVarint(900)
      writer.writeString(#"{"text":""}"#)
    }
    let values = [
      named, Anchor(position: 70_000, lastOccurredAt: .latest).encode(),
      SessionEntry(firstOccurredAt: .latest, name: .named("s-1")).encode(), catalog.encode(), tombstone.encoded(),
      end.encoded(), Key.name(.bob), identity.encoded, snapshot.bytes, grant, access.encoded(), key,
      try RetentionPolicy(of: .default, days: [.messages: 30]).encoded(), receipt,
    ]
    return values.enumerated().map { [UInt8($0)] + $1 } + [[0] + head.encode()]
  }
}

extension ByteWriter {
  fileprivate static func bytes(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    body(&writer)
    return writer.bytes
  }
}
