// A journal among the store's records: entries are added at its end and stay, each bound to all before it by a hash.
//
//   key                  value
//   1, number            previous entry's number of the same subject, subject, content, chain
//   2, subject           number of the subject's last entry
//   0                    number of entries, chain
//
// So a subject's entries are found from the last one back, at the cost of one key for each subject and none for each entry.
internal import Bytes
internal import LMDB
internal import Sodium

/// What is to be added to a journal.
public struct JournalDraft: Sendable, Hashable {
  /// Whom it is about: 0…400 bytes.
  public var subject: [UInt8]
  /// What it says.
  public var content: [UInt8]

  /// Makes an entry to be added.
  public init(subject: [UInt8], content: [UInt8]) {
    self.subject = subject
    self.content = content
  }
}

/// An entry of a journal.
public struct JournalEntry: Sendable, Hashable {
  /// Its place: 1, 2, 3 … without gaps.
  public let number: UInt64
  /// Whom it is about.
  public let subject: [UInt8]
  /// What it says.
  public let content: [UInt8]

  /// The subject's entry before it; 0 where it is the first.
  let previous: UInt64
  let chain: Bytes32

  init(number: UInt64, decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    self.number = number
    previous = try reader.readVarint()
    subject = try reader.readLengthPrefixed().array()
    content = try reader.readLengthPrefixed().array()
    chain = try Bytes32(reading: &reader)
  }

  fileprivate init(_ draft: JournalDraft, number: UInt64, previous: UInt64, after chain: Bytes32) {
    self.number = number
    self.previous = previous
    subject = draft.subject
    content = draft.content
    self.chain = Self.step(chain, number, previous, subject, content)
  }

  fileprivate func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: subject.count + content.count + 48)
    writer.writeVarint(previous)
    writer.writeLengthPrefixed(subject)
    writer.writeLengthPrefixed(content)
    chain.write(into: &writer)
    return writer.bytes
  }

  /// Whether it is what was added behind `chain`.
  func follows(_ chain: Bytes32) -> Bool { self.chain == Self.step(chain, number, previous, subject, content) }

  private static func step(
    _ chain: Bytes32, _ number: UInt64, _ previous: UInt64, _ subject: [UInt8], _ content: [UInt8]
  ) -> Bytes32 {
    var writer = ByteWriter(capacity: subject.count + content.count + 64)
    chain.write(into: &writer)
    writer.write(number)
    writer.write(previous)
    writer.writeLengthPrefixed(subject)
    writer.writeLengthPrefixed(content)
    return BLAKE2b.digest(writer.bytes.rawSpan)
  }
}

/// Where a journal ends.
struct JournalEnd: Equatable {
  var count: UInt64 = 0
  var chain = Bytes32.zero

  init() {}

  init(decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    count = try reader.readUInt64()
    chain = try Bytes32(reading: &reader)
  }

  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: 40)
    writer.write(count)
    chain.write(into: &writer)
    return writer.bytes
  }
}

enum JournalKey {
  static let end: [UInt8] = [0]
  static let entries: UInt8 = 1, subjects: UInt8 = 2

  static func entry(_ number: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 9)
    writer.write(entries)
    writer.writeBigEndian(number)
    return writer.bytes
  }

  static func subject(_ subject: [UInt8]) -> [UInt8] { [subjects] + subject }
}

private struct AppendToJournal: WriterWork {
  let kind: StoreRecords
  let drafts: [JournalDraft]
  let outcome = WorkOutcome<Void>()

  func run(in context: inout WriterContext) throws(StorageError) {
    let table = try context.tables.table(of: kind)
    var end: JournalEnd
    var lasts: [[UInt8]: UInt64] = [:]
    do throws(StorageError) {
      end = try context.transaction.journalEnd(of: kind, in: table)
      for draft in drafts where lasts[draft.subject] == nil {
        lasts[draft.subject] = try context.transaction.lastEntry(of: draft.subject, kind, in: table)
      }
    } catch .corrupt {
      // Nothing is written yet, and the journal's damage is no append's.
      return outcome.set(.failure(.damagedRecord(of: kind)))
    }
    for draft in drafts {
      let entry = JournalEntry(
        draft, number: end.count + 1, previous: lasts[draft.subject] ?? 0, after: end.chain)
      try context.transaction.storeIndexed(entry.encoded(), at: JournalKey.entry(entry.number), in: table)
      lasts[draft.subject] = entry.number
      end.count = entry.number
      end.chain = entry.chain
    }
    for (subject, last) in lasts {
      var writer = ByteWriter(capacity: 8)
      writer.write(last)
      try context.transaction.storeIndexed(writer.bytes, at: JournalKey.subject(subject), in: table)
    }
    try context.transaction.storeIndexed(end.encoded(), at: JournalKey.end, in: table)
    context.hasWritten = true
    outcome.set(.success(()))
  }
}

extension Transaction where Self: ~Copyable {
  func journalEnd(of kind: StoreRecords, in table: Table) throws(StorageError) -> JournalEnd {
    guard let value = try fetchIndexed(JournalKey.end, from: table, named: kind.tableName) else { return JournalEnd() }
    return try decoding(kind.tableName) { () throws(DamagedBytes) in try JournalEnd(decoding: value) }
  }

  /// The number of a subject's last entry; 0 where it has none.
  func lastEntry(of subject: [UInt8], _ kind: StoreRecords, in table: Table) throws(StorageError) -> UInt64 {
    let key = JournalKey.subject(subject)
    guard let value = try fetchIndexed(key, from: table, named: kind.tableName) else { return 0 }
    return try decoding(kind.tableName) { () throws(DamagedBytes) in
      var reader = ByteReader(value)
      return try reader.readUInt64()
    }
  }

  func journalEntry(
    _ number: UInt64, _ kind: StoreRecords, in table: Table
  ) throws(StorageError) -> JournalEntry {
    guard let value = try fetchIndexed(JournalKey.entry(number), from: table, named: kind.tableName) else {
      throw .damagedRecord(of: kind)
    }
    return try decoding(kind.tableName) { () throws(DamagedBytes) in
      try JournalEntry(number: number, decoding: value)
    }
  }
}

extension EventLog {
  /// Adds entries to a journal, in this order, and blocks the thread until they are on disk.
  package func appendToJournal(_ drafts: [JournalDraft], in kind: StoreRecords) throws(StorageError) {
    if drafts.isEmpty { return }
    let work = AppendToJournal(kind: kind, drafts: drafts)
    try perform(work)
    try work.outcome.get()
  }

  /// Lends a subject's entries to `body`, the last one first, until it returns `false`.
  ///
  /// - Parameter before: Only entries with a smaller number.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` for a damaged one, or what `body` finds damaged.
  package func forEachJournalEntry(
    of subject: [UInt8], in kind: StoreRecords, before: UInt64 = .max,
    _ body: (JournalEntry) throws(DamagedBytes) -> Bool
  ) throws(StorageError) {
    guard let table = tables.later[kind.tableName] else { return }
    let transaction = try readRecords()
    var number = try transaction.lastEntry(of: subject, kind, in: table)
    while number > 0 {
      let entry = try transaction.journalEntry(number, kind, in: table)
      guard entry.subject == subject, entry.previous < number else { throw .damagedRecord(of: kind) }
      if number < before {
        let goesOn = try decoding(kind.tableName) { () throws(DamagedBytes) in try body(entry) }
        if !goesOn { return }
      }
      number = entry.previous
    }
  }
}
