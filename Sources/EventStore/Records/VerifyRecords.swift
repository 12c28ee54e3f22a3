// Proving the store's own records: each one whole, and the journal's chain unbroken.
internal import Bytes
internal import LMDB
internal import Sodium

/// Checks all records, a part in each transaction: one for all would keep pages from being used again.
struct RecordVerifier {
  let log: EventLog
  private(set) var problems: [String] = []
  /// How many entries the journal has, and the value of its chain there.
  private(set) var journal = JournalEnd()

  private static let entriesAtOnce: UInt64 = 65_536

  init(_ log: EventLog) { self.log = log }

  mutating func run() throws(StorageError) {
    for kind in StoreRecords.allCases where kind != .access { try checkRecords(of: kind) }
    try checkJournal(.access)
  }

  private mutating func checkRecords(of kind: StoreRecords) throws(StorageError) {
    guard let table = log.tables.records(of: kind) else { return }
    let transaction = try log.readRecords()
    var cursor = try transaction.scan(table.table)
    var place = 0
    while let entry = try cursor.toNext() {
      place += 1
      if table.value(entry) == nil {
        problems.append("record \(place) of \(kind.rawValue) is damaged")
      }
    }
  }

  private mutating func checkJournal(_ kind: StoreRecords) throws(StorageError) {
    guard let table = log.tables.records(of: kind) else { return }
    let end: JournalEnd
    do {
      let transaction = try log.readRecords()
      do throws(StorageError) { end = try transaction.journalEnd(in: table) } catch .corrupt {
        return problems.append("the end of \(kind.rawValue) is damaged")
      }
    }
    var lasts: [JournalSubject: UInt64] = [:]
    while journal.count < end.count {
      let transaction = try log.readRecords()
      let last = min(end.count, journal.count + Self.entriesAtOnce)
      while journal.count < last {
        let number = journal.count + 1
        journal.count = number
        do throws(StorageError) {
          let entry = try transaction.journalEntry(number, in: table)
          if !entry.follows(journal.chain) {
            problems.append("the chain of \(kind.rawValue) breaks at entry \(number)")
          } else if entry.previous != lasts[entry.subject] ?? 0 {
            problems.append("entry \(number) of \(kind.rawValue) names another entry before it than there is")
          }
          // Go on from what is written, or one break would be reported at every entry after it.
          journal.chain = entry.chain
          lasts[entry.subject] = number
        } catch .corrupt {
          problems.append("entry \(number) of \(kind.rawValue) is damaged or missing")
        }
      }
    }
    if journal.chain != end.chain, problems.isEmpty {
      problems.append("the chain of \(kind.rawValue) does not end as was noted at entry \(end.count)")
    }
    let transaction = try log.readRecords()
    if end.count > 0, ((try? transaction.journalSecret(in: table)) ?? nil) == nil {
      problems.append("\(kind.rawValue) has lost the secret by which entries are found")
    }
    for (subject, last) in lasts {
      let noted = try? transaction.lastEntry(of: subject, in: table)
      // A later one was added since.
      if noted ?? 0 != last, noted ?? 0 <= end.count {
        problems.append("\(kind.rawValue) does not lead to entry \(last), the last one about somebody")
      }
    }
    try checkNothingElse(table, lasts, transaction)
  }

  /// Nothing is beyond the end, and no subject leads to entries that are not its own.
  private mutating func checkNothingElse(
    _ table: RecordTable, _ lasts: [JournalSubject: UInt64], _ transaction: borrowing ReadTransaction
  ) throws(StorageError) {
    let kind = table.kind
    guard let end = try? transaction.journalEnd(in: table) else { return }
    var cursor = try transaction.scan(table.table)
    var next = try cursor.to(atOrAfter: JournalKey.entry(end.count + 1))
    while let entry = next {
      let key = entry.key.array()
      if let subject = Self.subject(of: key) {
        let noted = (try? transaction.lastEntry(of: subject, in: table)) ?? 0
        if lasts[subject] == nil, noted <= journal.count {
          problems.append("\(kind.rawValue) leads to entry \(noted) for somebody it is not about")
        }
      } else if key != JournalKey.secret {
        problems.append("\(kind.rawValue) has an entry that was never added")
      }
      next = try cursor.toNext()
    }
  }

  /// Whose last entry a key leads to; `nil` where it is another key.
  private static func subject(of key: [UInt8]) -> JournalSubject? {
    var reader = ByteReader(key.rawSpan)
    guard key.count == 33, let kind = try? reader.readUInt8(), kind == JournalKey.subjects else { return nil }
    return try? JournalSubject(hash: Bytes32(reading: &reader))
  }
}
