// Which identities are certainly not among some: nearly every id that is appended is new, and finding that out should not
// take a search in every run.
internal import Bytes
internal import LMDB

/// A set of hashes that answers "certainly not" or "perhaps": a Bloom filter whose bits for a hash lie in one word, so that
/// asking costs one line of the cache.
///
/// About 16 bits a hash: of those that are not in it, it takes one in some 150 for one that may be.
struct IdentityFilter {
  /// Hashes a word is for.
  private static let hashesPerWord = 4
  /// What identities of runs keep of a hash; see ``RunIdentities``.
  private static let ignoredBits: UInt64 = 24

  private var words: [UInt64]
  /// How many hashes it is made for. It takes more, and then says "perhaps" more often.
  let capacity: Int

  init(capacity: Int) {
    self.capacity = max(capacity, 1)
    words = Array(repeating: 0, count: self.capacity / Self.hashesPerWord + 1)
  }

  mutating func insert(_ hash: UInt64) {
    words[index(of: hash)] |= Self.bits(of: hash)
  }

  /// Whether a hash may be in it; `false`: it was never inserted.
  func mayContain(_ hash: UInt64) -> Bool {
    let bits = Self.bits(of: hash)
    return words[index(of: hash)] & bits == bits
  }

  /// By the hash's first bits.
  private func index(of hash: UInt64) -> Int {
    Int((hash & ~(1 << Self.ignoredBits - 1)).multipliedFullWidth(by: UInt64(words.count)).high)
  }

  /// Four bits of the word, by all that counts of the hash: the first bits are nearly the same for all of a word.
  private static func bits(of hash: UInt64) -> UInt64 {
    let mixed = (hash >> ignoredBits) &* 0x9e37_79b9_7f4a_7c15
    return 1 &<< (mixed >> 58) | 1 &<< (mixed >> 52 & 63) | 1 &<< (mixed >> 46 & 63) | 1 &<< (mixed >> 40 & 63)
  }
}

/// The filters of a store's runs, as the writer has them.
///
/// A run does not change, so a filter made of one stays true for as long as there is that run. It is made when so many ids
/// were looked for that making it costs less than going on without.
struct RunFilters {
  private struct Entry {
    let run: Run
    /// How many look-ups there had been when the run was first seen.
    var start: Int
    var filter: IdentityFilter?
  }

  /// In the order of the catalog's runs.
  private var entries: [Entry] = []
  private var lookUps = 0

  /// Look-ups for each so many events of a run, before it gets a filter: reading an id takes a few nanoseconds, looking for
  /// one in a run some hundreds.
  private static let eventsPerLookUp: UInt64 = 64

  /// Whether a run, the one at `index` of the catalog, may have an event or a session with this hash.
  func mayContain(_ hash: UInt64, _ run: Run, at index: Int) -> Bool {
    guard index < entries.count, entries[index].run == run, let filter = entries[index].filter else { return true }
    return filter.mayContain(hash)
  }

  /// Takes note of how many ids were looked for.
  mutating func count(lookUps: Int) { self.lookUps += lookUps }

  /// Brings the filters up to the runs of a catalog that is committed, and makes one where it is due: one at a time, since
  /// somebody waits for the commit.
  mutating func update(
    _ catalog: RunCatalog, _ transaction: borrowing some Transaction & ~Copyable, _ tables: Tables
  ) throws(StorageError) {
    if !entries.elementsEqual(catalog.runs, by: { $0.run == $1 }) {
      entries = catalog.runs.map { run in entries.first { $0.run == run } ?? Entry(run: run, start: lookUps) }
    }
    let due = entries.firstIndex { entry in
      entry.filter == nil && UInt64(lookUps - entry.start) >= max(1, entry.run.count / Self.eventsPerLookUp)
    }
    guard let due else { return }
    do throws(StorageError) {
      entries[due].filter = try RunIdentities.filter(of: entries[due].run, transaction, tables)
    } catch .corrupt {
      // Whoever looks into the run finds out. Not tried again before as many more ids were looked for.
      entries[due].start = lookUps
    }
  }

  /// Forgets them: the identities were made anew.
  mutating func removeAll() { entries = [] }
}
