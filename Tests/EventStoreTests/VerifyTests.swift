// What verification names: every way in which somebody, or a disk, can change a log behind our back.
import Bytes
import LMDB
import Sodium
import TestSupport
import Testing

@testable import EventStore

/// A store of two users, twenty events each, every second request of two events; closed, tampered with, opened again.
private struct TamperedStore {
  let store: TemporaryStore
  /// The positions of bob's and of alice's events.
  var bob: [LogPosition] = []
  var alice: [LogPosition] = []

  /// - Parameter isCheckpointed: Whether the index is in the tables, or all of it in the tail.
  init(isCheckpointed: Bool) throws {
    var options = EventLog.Options()
    options.checkpointInterval = isCheckpointed ? 3 : 65_536
    store = try TemporaryStore(options)
    for number in 0..<20 {
      let event = Diary.written("k\(number % 5)", "text \(number)", id: .number(number)).inSession(
        .named("s\(number / 7)"))
      let mine = try store.append(event, to: .bob)
      bob.append(mine.lastPosition)
      let theirs = try store.append(event, Diary.removed("k1", id: .number(1_000 + number)), to: .alice)
      alice += [theirs.firstPosition, theirs.lastPosition]
    }
    if isCheckpointed {
      let statistics = try store.log.storeStatistics(for: NotebookProjector())
      try #require(statistics.checkpoint > 30)
    }
  }

  /// Changes the log's table behind the engine's back.
  func tamper(_ body: (inout WriteTransaction, Table) throws -> Void) throws {
    try store.reopen {
      let environment = try Environment(folder: store.path)
      let log = try environment.openTables(["log"])[0]
      var transaction = try environment.beginWrite()
      try body(&transaction, log)
      try transaction.commit()
      environment.close()
    }
  }

  /// The positions that verification names as changed.
  func named() throws -> [LogPosition] {
    let report = try store.log.verify()
    return report.problems.filter { $0.kind == .log }.compactMap(\.position)
  }
}

extension WriteTransaction {
  fileprivate func bytes(at position: LogPosition, in log: Table) throws -> [UInt8] {
    let key = Key.position(position)
    guard let value = try value(of: key.rawSpan, in: log) else { throw StorageError.missing(folder: "\(position)") }
    return value.array()
  }

  fileprivate mutating func put(_ bytes: [UInt8], at position: LogPosition, in log: Table) throws {
    let key = Key.position(position)
    try put(bytes.rawSpan, at: key.rawSpan, in: log)
  }

  /// Reads a record, lets `change` have its fields, and stores it at `place` with a checksum that is right there.
  fileprivate mutating func rewrite(
    _ position: LogPosition, to place: LogPosition? = nil, in log: Table,
    payload: [UInt8]? = nil, _ change: (inout RecordFields) throws -> Void = { _ in }
  ) throws {
    let stored = try bytes(at: position, in: log)
    var writer = ByteWriter()
    let record = try RecordView(stored.rawSpan, at: position)
    var fields = RecordFields(
      flags: record.flags.intersection(.isLate), type: record.type, typeVersion: record.typeVersion,
      tag: record.tag, recordedAt: record.recordedAt, occurredAt: record.occurredAt, id: record.id,
      stream: record.stream, version: record.version, position: place ?? position, previous: record.previous)
    fields.session = record.session
    fields.sessionName = try record.nameOfSession()
    fields.name = try record.name()
    fields.secret = record.secret
    fields.chain = record.chain
    try change(&fields)
    let content = payload ?? record.payload.array()
    fields.encode(metadata: record.metadata, payload: content.rawSpan, into: &writer)
    try put(writer.bytes, at: place ?? position, in: log)
  }
}

@Suite struct `Verification` {
  static let places = [true, false]

  @Test(arguments: places) func `finds nothing where nothing was changed`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    try tampered.tamper { _, _ in }
    let report = try tampered.store.log.verify()
    #expect(report.isSound && report.events == 60 && report.streams == 2)
  }

  @Test(arguments: places) func `names a record with any bit flipped, and so does reading`(isCheckpointed: Bool) throws
  {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.bob[4]
    var bits = 0
    try tampered.tamper { transaction, log in bits = try transaction.bytes(at: position, in: log).count * 8 }
    for bit in stride(from: 0, to: bits, by: 13) {
      func flip() throws {
        try tampered.tamper { transaction, log in
          var bytes = try transaction.bytes(at: position, in: log)
          bytes[bit / 8] ^= 1 << UInt8(bit % 8)
          try transaction.put(bytes, at: position, in: log)
        }
      }
      try flip()
      #expect(try tampered.named().contains(position), "bit \(bit)")
      #expect(throws: StorageError.self) { try tampered.store.log.readStream(.bob) }
      #expect(performing: { try tampered.store.log.readAll() }, throws: { "\($0)".contains("position \(position)") })
      try flip()
    }
    #expect(try tampered.store.log.verify().isSound)
  }

  @Test(arguments: places) func `names a record rewritten with a right checksum`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.alice[6]
    try tampered.tamper { transaction, log in
      try transaction.rewrite(position, in: log, payload: Diary.written("k1", "never said", id: .number(1)).payload)
    }
    #expect(try tampered.named().first == position)
  }

  // Whoever knows the stream's secret can make the tag right too. The chain they cannot.
  @Test(arguments: places) func `names a record rewritten with a right checksum and tag`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.bob[6]
    let payload = Diary.written("k1", "never said", id: .number(1)).payload
    try tampered.tamper { transaction, log in
      var secret = Bytes32.zero
      let first = try transaction.bytes(at: 1, in: log)
      secret = try #require(try RecordView(first.rawSpan, at: 1).secret)
      try transaction.rewrite(position, in: log, payload: payload) { fields in
        let digest = HashChain.eventDigest(
          stream: HashChain.streamDigest(.bob, secret: secret),
          session: HashChain.sessionDigest(.named("s0"), secret: secret),
          payload: HashChain.payloadDigest(
            typeName: RawSpan(), metadata: RawSpan(), payload: payload.rawSpan, secret: secret),
          id: fields.id, occurredAt: fields.occurredAt, type: fields.type, typeVersion: fields.typeVersion)
        fields.tag = digest.prefix32
      }
    }
    #expect(try tampered.named().first == position)
  }

  @Test(arguments: places) func `names a record dropped`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let position = tampered.bob[7]
    try tampered.tamper { transaction, log in
      let key = Key.position(position)
      let isGone = try transaction.delete(key.rawSpan, in: log)
      #expect(isGone)
    }
    #expect(try tampered.named().first == position)
  }

  @Test(arguments: places, [true, false])
  func `names records swapped`(isCheckpointed: Bool, isSameStream: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let (a, b) = (tampered.bob[3], isSameStream ? tampered.bob[5] : tampered.alice[10])
    try tampered.tamper { transaction, log in
      let first = try transaction.bytes(at: a, in: log)
      try transaction.rewrite(b, to: a, in: log) { $0.previous = min($0.previous, LogPosition(a.number - 1)) }
      let kept = try transaction.bytes(at: a, in: log)
      try transaction.put(first, at: a, in: log)
      try transaction.rewrite(a, to: b, in: log)
      try transaction.put(kept, at: a, in: log)
    }
    #expect(try tampered.named().first == a)
  }

  @Test(arguments: places) func `names a record put in at the end`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let last = tampered.alice[39]
    try tampered.tamper { transaction, log in
      try transaction.rewrite(last, to: last.next, in: log) { fields in
        fields.id = .number(9_999)
        fields.version = fields.version.next
        fields.previous = last
        fields.recordedAt = fields.recordedAt.advanced(byMicroseconds: 5)
      }
    }
    #expect(try tampered.named().first == last.next)
  }

  @Test(arguments: places) func `names a record put in between`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    let place = tampered.bob[8]
    try tampered.tamper { transaction, log in
      var position = tampered.alice[39]
      while position >= place {
        try transaction.rewrite(position, to: position.next, in: log) { fields in
          if fields.stream == 1 { fields.version = fields.version.next }
          if fields.previous >= place { fields.previous = fields.previous.next }
          if fields.stream == 1, position == place { fields.previous = place }
        }
        position = LogPosition(position.number - 1)
      }
      try transaction.rewrite(place.next, to: place, in: log) { fields in
        fields.id = .number(9_999)
        fields.version = StreamVersion(fields.version.number - 1)
        fields.previous = tampered.bob[7]
      }
    }
    #expect(try tampered.named().first == place)
  }

  @Test(arguments: places) func `names two users' streams exchanged`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    try tampered.tamper { transaction, log in
      try transaction.rewrite(tampered.bob[0], in: log) { $0.name = .alice }
      try transaction.rewrite(tampered.alice[0], in: log) { $0.name = .bob }
    }
    let named = try tampered.named()
    #expect(named.contains(tampered.bob[0]) && named.contains(tampered.alice[0]))
  }

  @Test(arguments: places) func `holds after a payload was lawfully removed`(isCheckpointed: Bool) throws {
    let tampered = try TamperedStore(isCheckpointed: isCheckpointed)
    try tampered.store.log.redact(5, of: .bob)
    try tampered.store.reopen()
    let report = try tampered.store.log.verify()
    #expect(report.isSound && report.redacted == 1)
  }

  @Test func `names an index entry that is gone, and repairing brings it back`() throws {
    let tampered = try TamperedStore(isCheckpointed: true)
    for table in ["ids", "sessions"] {
      try tampered.store.reopen {
        let environment = try Environment(folder: tampered.store.path)
        let ids = try environment.openTables([table])[0]
        var transaction = try environment.beginWrite()
        try transaction.drop(ids)
        try transaction.commit()
        environment.close()
      }
      let report = try tampered.store.log.verify()
      #expect(!report.isSound && report.problems.allSatisfy { $0.kind == .derived })
      try tampered.store.log.repairDerived()
      #expect(try tampered.store.log.verify().isSound)
    }
  }
}
