// A journal among the store's records: entries are added at its end and stay, each bound to all before it by a hash.
//
//   key                  value
//   1, number            previous entry's number of the same subject, subject, content, chain
//   2, subject           number of the subject's last entry
//   3                    secret
//   0                    number of entries, chain
//
// So a subject's entries are found from the last one back, at the cost of one key for each subject and none for each entry.
// A subject is a hash of its name, keyed with the secret: whoever asks for a name finds its entries, but no name can be read
// here. So nothing has to be taken out, and the chain goes on proving all of it, when somebody is to be forgotten.
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
  /// What it says.
  public let content: [UInt8]

  /// Whom it is about.
  let subject: JournalSubject
  /// The subject's entry before it; 0 where it is the first.
  let previous: UInt64
  let chain: Bytes32

  init(number: UInt64, decoding value: RawSpan) throws(DamagedBytes) {
    var reader = ByteReader(value)
    self.number = number
    previous = try reader.readVarint()
    subject = try JournalSubject(hash: Bytes32(reading: &reader))
    content = try reader.readLengthPrefixed().array()
    chain = try Bytes32(reading: &reader)
  }

  fileprivate init(
    _ content: [UInt8], about subject: JournalSubject, number: UInt64, previous: UInt64, after chain: Bytes32
  ) {
    self.number = number
    self.previous = previous
    self.subject = subject
    self.content = content
    self.chain = Self.step(chain, number, previous, subject, content)
  }

  fileprivate func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: content.count + 80)
    writer.writeVarint(previous)
    subject.hash.write(into: &writer)
    writer.writeLengthPrefixed(content)
    chain.write(into: &writer)
    return writer.bytes
  }

  /// Whether it is what was added behind `chain`.
  func follows(_ chain: Bytes32) -> Bool { self.chain == Self.step(chain, number, previous, subject, content) }

  private static func step(
    _ chain: Bytes32, _ number: UInt64, _ previous: UInt64, _ subject: JournalSubject, _ content: [UInt8]
  ) -> Bytes32 {
    var writer = ByteWriter(capacity: content.count + 96)
    chain.write(into: &writer)
    writer.write(number)
    writer.write(previous)
    subject.hash.write(into: &writer)
    writer.writeLengthPrefixed(content)
    return BLAKE2b.digest(writer.bytes.rawSpan)
  }
}

/// Whom entries are about: nobody can read it who does not ask for the name.
struct JournalSubject: Hashable, Sendable {
  let hash: Bytes32

  init(hash: Bytes32) { self.hash = hash }

  init(_ name: [UInt8], secret: Bytes32) { hash = BLAKE2b.digest(name.rawSpan, key: secret) }
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
  static let secret: [UInt8] = [3]

  static func entry(_ number: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 9)
    writer.write(entries)
    writer.writeBigEndian(number)
    return writer.bytes
  }

  static func subject(_ subject: JournalSubject) -> [UInt8] {
    var writer = ByteWriter(capacity: 33)
    writer.write(subjects)
    subject.hash.write(into: &writer)
    return writer.bytes
  }
}

private struct AppendToJournal: WriterWork {
  let kind: StoreRecords
  let drafts: [JournalDraft]
  /// What the journal hashes names with if this begins it: the writer makes no random numbers.
  let newSecret = Bytes32.random()
  let outcome = WorkOutcome<Void>()

  func run(in context: inout WriterContext) throws(StorageError) {
    let table = try context.tables.table(of: kind)
    var end: JournalEnd
    var lasts: [JournalSubject: UInt64] = [:]
    let known: Bytes32?
    let subjects: [JournalSubject]
    do throws(StorageError) {
      end = try context.transaction.journalEnd(in: table)
      known = try context.transaction.journalSecret(in: table)
      // Another would find nothing of what there is.
      if known == nil, end.count > 0 { throw .damagedRecord(of: kind) }
      subjects = drafts.map { JournalSubject($0.subject, secret: known ?? newSecret) }
      for subject in subjects where lasts[subject] == nil {
        lasts[subject] = try context.transaction.lastEntry(of: subject, in: table)
      }
    } catch .corrupt {
      // Nothing is written yet, and the journal's damage is no append's.
      return outcome.set(.failure(.damagedRecord(of: kind)))
    }
    if known == nil {
      var writer = ByteWriter(capacity: 32)
      newSecret.write(into: &writer)
      try table.keep(writer.bytes, at: JournalKey.secret, in: &context.transaction)
    }
    for (draft, subject) in zip(drafts, subjects) {
      let entry = JournalEntry(
        draft.content, about: subject, number: end.count + 1, previous: lasts[subject] ?? 0, after: end.chain)
      try table.keep(entry.encoded(), at: JournalKey.entry(entry.number), in: &context.transaction)
      lasts[subject] = entry.number
      end.count = entry.number
      end.chain = entry.chain
    }
    for (subject, last) in lasts {
      var writer = ByteWriter(capacity: 8)
      writer.write(last)
      try table.keep(writer.bytes, at: JournalKey.subject(subject), in: &context.transaction)
    }
    try table.keep(end.encoded(), at: JournalKey.end, in: &context.transaction)
    context.hasWritten = true
    outcome.set(.success(()))
  }
}

extension Transaction where Self: ~Copyable {
  func journalEnd(in table: RecordTable) throws(StorageError) -> JournalEnd {
    guard let value = try table.value(at: JournalKey.end, in: self) else { return JournalEnd() }
    return try decoding(table.kind.tableName) { () throws(DamagedBytes) in try JournalEnd(decoding: value.rawSpan) }
  }

  /// What a journal hashes names with; `nil` where it has not begun.
  func journalSecret(in table: RecordTable) throws(StorageError) -> Bytes32? {
    guard let value = try table.value(at: JournalKey.secret, in: self) else { return nil }
    return try decoding(table.kind.tableName) { () throws(DamagedBytes) in
      var reader = ByteReader(value.rawSpan)
      return try Bytes32(reading: &reader)
    }
  }

  /// The number of a subject's last entry; 0 where it has none.
  func lastEntry(of subject: JournalSubject, in table: RecordTable) throws(StorageError) -> UInt64 {
    guard let value = try table.value(at: JournalKey.subject(subject), in: self) else { return 0 }
    return try decoding(table.kind.tableName) { () throws(DamagedBytes) in
      var reader = ByteReader(value.rawSpan)
      return try reader.readUInt64()
    }
  }

  func journalEntry(_ number: UInt64, in table: RecordTable) throws(StorageError) -> JournalEntry {
    guard let value = try table.value(at: JournalKey.entry(number), in: self) else {
      throw .damagedRecord(of: table.kind)
    }
    return try decoding(table.kind.tableName) { () throws(DamagedBytes) in
      try JournalEntry(number: number, decoding: value.rawSpan)
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
  /// - Parameters:
  ///   - name: The subject as its drafts named it.
  ///   - before: Only entries with a smaller number.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` for a damaged one, or what `body` finds damaged.
  package func forEachJournalEntry(
    of name: [UInt8], in kind: StoreRecords, before: UInt64 = .max,
    _ body: (JournalEntry) throws(DamagedBytes) -> Bool
  ) throws(StorageError) {
    guard let table = tables.records(of: kind) else { return }
    let transaction = try readRecords()
    guard let secret = try transaction.journalSecret(in: table) else { return }
    let subject = JournalSubject(name, secret: secret)
    var number = try transaction.lastEntry(of: subject, in: table)
    while number > 0 {
      let entry = try transaction.journalEntry(number, in: table)
      guard entry.subject == subject, entry.previous < number else { throw .damagedRecord(of: kind) }
      if number < before {
        let goesOn = try decoding(kind.tableName) { () throws(DamagedBytes) in try body(entry) }
        if !goesOn { return }
      }
      number = entry.previous
    }
  }
}
