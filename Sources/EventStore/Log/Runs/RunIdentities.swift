// Which events of a run may have an id, or may be the first of a session of some name: sorted by hash, in pieces.
//
//   key     level (1), the run's number (4), the piece's number (8)
//   value   eight bytes each, ascending: 40 bits of the hash, 24 of the position less the run's first; then a checksum (4)
//
// Pieces of earlier builds have no checksum, and so a length that is a multiple of eight.
// A piece takes the hashes that begin with its number, so a look-up is one search for a piece and one in it. Hashes are
// keyed by the store and tell streams apart; what they lead to is compared in full.
internal import Bytes
internal import LMDB

enum RunIdentities {
  private static let offsetBits: UInt64 = 24
  private static let offsetMask: UInt64 = 1 << offsetBits - 1
  /// The largest run whose positions fit.
  static let largestRun: UInt64 = 1 << offsetBits

  /// Of so many events about, so that the pieces are few and searching one is quick. A run that is merged has no fewer.
  private static let eventsPerPiece: UInt64 = 4_096

  private static func pieceBits(_ run: Run) -> UInt64 {
    UInt64(64 - ((run.count - 1) / eventsPerPiece).leadingZeroBitCount)
  }
  static func pieceCount(_ run: Run) -> UInt64 { 1 << pieceBits(run) }
  static func piece(of hash: UInt64, in run: Run) -> UInt64 { hash >> (64 - pieceBits(run)) }

  static func entry(_ hash: UInt64, at position: LogPosition, in run: Run) -> UInt64 {
    hash & ~offsetMask | (position.number - run.first.number)
  }

  static func key(_ run: Run, _ piece: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 13)
    writer.write(UInt8(run.level))
    writer.writeBigEndian(run.number)
    writer.writeBigEndian(piece)
    return writer.bytes
  }

  static func store(
    _ entries: [UInt64], piece: UInt64, of run: Run, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    var writer = ByteWriter(capacity: 8 * entries.count)
    for entry in entries { writer.write(entry) }
    try transaction.storeIndexed(writer.bytes, at: key(run, piece), in: tables.identities)
  }

  /// The entries of a piece.
  static func entries(
    _ piece: UInt64, of run: Run, _ transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> [UInt64] {
    let value = try value(piece, of: run, transaction, tables)
    var entries: [UInt64] = []
    entries.reserveCapacity(value.byteCount / 8)
    for index in 0..<value.byteCount / 8 { entries.append(value.uint64(at: 8 * index)) }
    return entries
  }

  @_lifetime(borrow transaction)
  private static func value(
    _ piece: UInt64, of run: Run, _ transaction: borrowing some Transaction & ~Copyable, _ tables: Tables,
    isChecked: Bool = false
  ) throws(StorageError) -> RawSpan {
    let key = key(run, piece)
    guard let value = try transaction.fetch(key, from: tables.identities) else { throw .damagedIndex("identities") }
    if value.byteCount % 8 == 0 { return value }
    // An event whose hash is damaged would pass for one that was never appended.
    guard value.byteCount % 8 == 4, isChecked || (try? IndexValue.open(value, at: key.rawSpan)) != nil else {
      throw .damagedIndex("identities")
    }
    return value
  }

  /// Takes entries out of the pieces that there are.
  static func remove(
    _ entries: [UInt64], from run: Run, _ transaction: inout WriteTransaction, _ tables: Tables
  ) throws(StorageError) {
    for (piece, gone) in Dictionary(grouping: entries, by: { self.piece(of: $0, in: run) }) {
      guard try transaction.fetch(key(run, piece), from: tables.identities) != nil else { continue }
      let known = try self.entries(piece, of: run, transaction, tables)
      let gone = Set(gone)
      try store(known.filter { !gone.contains($0) }, piece: piece, of: run, &transaction, tables)
    }
  }

  /// Where the events are whose hash may be this one.
  ///
  /// - Parameter isChecked: Whether the piece was found whole before: for who looks into it again and again.
  static func positions(
    of hash: UInt64, in run: Run, _ transaction: borrowing some Transaction & ~Copyable, _ tables: Tables,
    isChecked: Bool = false, _ body: (LogPosition) throws(StorageError) -> Void
  ) throws(StorageError) {
    let value = try value(piece(of: hash, in: run), of: run, transaction, tables, isChecked: isChecked)
    let wanted = hash & ~offsetMask
    var low = firstIndex(of: wanted, value, pieceBits(run))
    while low < value.byteCount / 8 {
      let entry = value.uint64(at: 8 * low)
      guard entry & ~offsetMask == wanted else { return }
      guard entry & offsetMask < run.count else { throw .damagedIndex("identities") }
      try body(LogPosition(run.first.number + entry & offsetMask))
      low += 1
    }
  }

  /// The index of the first entry that is `wanted` or greater.
  ///
  /// Hashes are spread evenly, so that it is near the place where one would be if they were spread exactly: looking there
  /// first touches two or three lines of the cache, halving from the ends seven.
  private static func firstIndex(of wanted: UInt64, _ value: RawSpan, _ pieceBits: UInt64) -> Int {
    let count = value.byteCount / 8
    guard count > 0 else { return 0 }
    func isBefore(_ index: Int) -> Bool { value.uint64(at: 8 * index) < wanted }
    let guess = Int((wanted << pieceBits).multipliedFullWidth(by: UInt64(count)).high)
    var low = 0
    var high = count
    var step = 32
    if isBefore(guess) {
      low = guess + 1
      while low + step < count, isBefore(low + step) {
        low += step + 1
        step *= 2
      }
      high = min(count, low + step)
    } else {
      high = guess
      while high - step > 0, !isBefore(high - step) {
        high -= step
        step *= 2
      }
      low = max(0, high - step)
    }
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// A filter of all that a run has.
  static func filter(
    of run: Run, _ transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) -> IdentityFilter {
    var filter = IdentityFilter(capacity: Int(run.count))
    for piece in 0..<pieceCount(run) {
      let value = try value(piece, of: run, transaction, tables)
      for index in 0..<value.byteCount / 8 { filter.insert(value.uint64(at: 8 * index)) }
    }
    return filter
  }

  /// Makes a piece of four runs' one: those of its entries that begin like it, with the new run's positions.
  static func merge(
    _ inputs: ArraySlice<Run>, into piece: UInt64, of run: Run, _ transaction: borrowing some Transaction & ~Copyable,
    _ tables: Tables
  ) throws(StorageError) -> [UInt64] {
    var merged: [UInt64] = []
    for input in inputs {
      let shift = input.first.number - run.first.number
      let wider = piece >> (pieceBits(run) - pieceBits(input))
      for entry in try entries(wider, of: input, transaction, tables) where self.piece(of: entry, in: run) == piece {
        guard entry & offsetMask < input.count else { throw .damagedIndex("identities") }
        merged.append(entry + shift)
      }
    }
    // Four sorted parts: what little there is to do, sorting does.
    return merged.sorted()
  }
}
