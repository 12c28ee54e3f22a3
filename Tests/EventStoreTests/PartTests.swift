// States that only grow are stored in parts: each once, all of them together an offer like any snapshot.
import Bytes
import LMDB
import TestSupport
import Testing

@testable import EventStore

/// The sizes of all events, of which every ten are a part.
private struct Sizes: ProjectionState {
  static let sizesOfPart = 10
  var sizes: [UInt64] = []

  static var isStoredInParts: Bool { true }
  private var parts = 0
  var encodedSize: Int { 8 * sizes.count + EncodedSize.varint(sizes.count) }

  init() {}

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(sizes.count)
    writer.write(integers: sizes)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    sizes = try reader.readIntegers(count: try reader.readCount())
  }

  mutating func takeFinishedPart() -> Int? {
    guard sizes.count / Self.sizesOfPart > parts else { return nil }
    defer { parts += 1 }
    return parts
  }

  func encode(part: Int, into writer: inout ByteWriter) {
    writer.write(integers: Array(sizes[part * Self.sizesOfPart..<(part + 1) * Self.sizesOfPart]))
  }

  mutating func add(partDecoding reader: inout ByteReader) throws(DamagedBytes) {
    sizes += try reader.readIntegers(of: UInt64.self, count: Self.sizesOfPart)
    parts += 1
  }
}

private struct SizeProjector: Projector {
  var name = "sizes"
  var version = 1

  func initialState() -> Sizes { Sizes() }

  func apply(_ event: borrowing EventView, to state: inout Sizes) throws(DamagedBytes) {
    state.sizes.append(UInt64(event.payload.byteCount))
  }
}

/// A store with 35 events of bob: three parts are finished, and stored.
private func storeWithParts() throws -> TemporaryStore {
  var options = EventLog.Options()
  options.cacheBytes = 0
  let store = try TemporaryStore(options)
  for number in 1...35 { try store.write(number) }
  #expect(try store.sizes().eventsFolded == 35)
  try store.log.storeDueSnapshots()
  return store
}

extension TemporaryStore {
  fileprivate func write(_ number: Int) throws {
    try append(Diary.written("k", String(repeating: "a", count: number), id: .number(number)))
  }

  fileprivate func sizes(
    at point: AsOf = .head, by projector: SizeProjector = SizeProjector()
  ) throws -> FoldedState<Sizes> {
    let found = try #require(try log.state(of: .bob, by: projector, at: point))
    let plain = try log.state(of: .bob, by: projector, at: point, usesSnapshots: false)
    #expect(found.state.sizes == plain?.state.sizes)
    return found
  }

  /// Works on the table of snapshots behind the log's back.
  fileprivate func withSnapshots(_ body: (inout WriteTransaction, Table) throws -> Void) throws {
    try reopen {
      let environment = try Environment(folder: path)
      defer { environment.close() }
      let table = Tables(try environment.openTables(Tables.tableNames)).snapshots
      try environment.write { try body(&$0, table) }
    }
  }

  private static func key(ofPartAt version: UInt64) -> [UInt8] {
    SnapshotTable.key(1, .part, version, ProjectorKey(SizeProjector(), Diary.schema).high)
  }

  fileprivate func damagePart(at version: UInt64) throws {
    try withSnapshots { transaction, table in
      let key = Self.key(ofPartAt: version)
      var bytes = try #require(try transaction.value(of: key.rawSpan, in: table)?.array())
      bytes[bytes.count - 1] ^= 1
      try transaction.put(bytes.rawSpan, at: key.rawSpan, in: table)
    }
  }

  fileprivate func deletePart(at version: UInt64) throws {
    try withSnapshots { transaction, table in
      let isDeleted = try transaction.delete(Self.key(ofPartAt: version).rawSpan, in: table)
      #expect(isDeleted)
    }
  }
}

@Suite struct `A state that is stored in parts` {
  @Test func `is read where it is stored, and only what follows is folded`() throws {
    let store = try storeWithParts()
    #expect(try store.sizes().eventsFolded == 5)
    for number in 36...52 { try store.write(number) }
    #expect(try store.sizes().eventsFolded == 22)
    try store.log.storeDueSnapshots()
    #expect(try store.sizes().eventsFolded == 2)
    try store.reopen()
    #expect(try store.sizes().eventsFolded == 2)
  }

  @Test(arguments: 0...35 as ClosedRange<UInt64>) func `serves every version`(version: UInt64) throws {
    let store = try storeWithParts()
    #expect(try store.sizes(at: .version(StreamVersion(version))).eventsFolded == Int(version % 10))
  }

  // It has none in the order of occurrence.
  @Test func `is folded from the first event where that is late`() throws {
    let store = try storeWithParts()
    let early = store.clock.now.advanced(byMicroseconds: -1_000_000)
    try store.append(Diary.written("k", "late", id: .number(99)).occurring(at: early))
    #expect(try store.sizes(at: .occurredAt(.latest)).state.sizes.count == 36)
  }

  @Test(arguments: [(1, 0), (10, 0), (11, 1), (30, 2), (31, 3)] as [(UInt64, Int)])
  func `loses the parts from a payload on that is removed`(version: UInt64, left: Int) throws {
    let store = try storeWithParts()
    try store.log.redact(StreamVersion(version), of: .bob)
    #expect(try store.sizes().eventsFolded == 35 - 10 * left)
  }

  @Test func `is read up to a part that is damaged, which verify reports`() throws {
    let store = try storeWithParts()
    #expect(try store.log.verify().isSound)
    try store.damagePart(at: 20)
    #expect(try store.log.verify().problems.map(\.kind) == [.derived])
    #expect(try store.sizes().eventsFolded == 25)
    // What was folded is stored in its place.
    try store.log.storeDueSnapshots()
    #expect(try store.log.verify().isSound && store.sizes().eventsFolded == 5)
  }

  @Test func `is read up to a part that is missing`() throws {
    let store = try storeWithParts()
    try store.deletePart(at: 20)
    #expect(try store.sizes().eventsFolded == 25)
    try store.log.storeDueSnapshots()
    try store.deletePart(at: 10)
    #expect(try store.sizes().eventsFolded == 35)
  }

  @Test func `goes with all snapshots, and with the repair of what is derived`() throws {
    let store = try storeWithParts()
    try store.log.clearSnapshots()
    #expect(try store.sizes().eventsFolded == 35)
    try store.log.storeDueSnapshots()
    #expect(try store.sizes().eventsFolded == 5)
    try store.log.repairDerived()
    #expect(try store.sizes().eventsFolded == 35)
  }

  @Test func `serves no other projector, and is in the way of none`() throws {
    let store = try storeWithParts()
    #expect(try store.sizes(by: SizeProjector(version: 2)).eventsFolded == 35)
    try store.log.storeDueSnapshots()
    #expect(try store.sizes(by: SizeProjector(version: 2)).eventsFolded == 5 && store.sizes().eventsFolded == 5)
    #expect(try store.notebook() == store.notebook(usesSnapshots: false))
  }

  @Test func `is not stored by who only reads`() throws {
    let store = try storeWithParts()
    try store.log.clearSnapshots()
    store.options.isReadOnly = true
    try store.reopen()
    #expect(try store.sizes().eventsFolded == 35)
    try store.log.storeDueSnapshots()
    store.options.isReadOnly = false
    try store.reopen()
    #expect(try store.sizes().eventsFolded == 35)
  }
}
