// Head states kept decoded: the least recently used go first when the memory allowed is spent.
internal import Synchronization

/// States by stream and projector, bounded in bytes.
///
/// An entry says at which version it was folded, and after how many redactions. It is only an offer: who takes it
/// compares both with what its own view of the log says, so a state can be old but never wrong.
final class HeadCache: Sendable {
  struct Key: Hashable {
    var stream: StreamNumber
    var projector: ProjectorKey
  }

  struct Entry {
    var version: StreamVersion
    var redactions: UInt64
    /// The bytes of events folded since the snapshot before, which decide when the next one is due.
    var bytesSinceSnapshot: Int
    /// A ``StateBox``.
    var box: any AnyObject & Sendable
    var sizeInBytes: Int
  }

  private struct Contents {
    var entries: [Key: (entry: Entry, use: UInt64)] = [:]
    /// The keys in the order of use; those used again since are passed over.
    var order: [(key: Key, use: UInt64)] = []
    var orderStart = 0
    var uses: UInt64 = 0
    var sizeInBytes = 0
    var hits = 0
    var misses = 0
  }

  /// A decoded state takes more than its stored form; what it takes beside that.
  private static let overheadBytes = 512

  private let limit: Int
  private let contents = Mutex(Contents())

  init(limit: Int) { self.limit = limit }

  /// The entry of `key`, where it can serve a view of this head. One of an older version is the caller's alone from then
  /// on, to be changed without a copy and put back.
  func entry(_ key: Key, for head: StreamVersion, redactions: UInt64) -> Entry? {
    contents.withLock { contents in
      guard let found = contents.entries[key], found.entry.version <= head,
        found.entry.redactions == redactions
      else {
        contents.misses += 1
        return nil
      }
      contents.hits += 1
      if found.entry.version < head {
        contents.entries[key] = nil
        contents.sizeInBytes -= found.entry.sizeInBytes + Self.overheadBytes
      } else {
        Self.touch(key, &contents)
      }
      return found.entry
    }
  }

  func put(_ entry: Entry, _ key: Key) {
    guard entry.sizeInBytes + Self.overheadBytes <= limit else { return }
    contents.withLock { contents in
      if let old = contents.entries[key] {
        // A slower reader must not put back what a faster one has overtaken.
        if old.entry.version > entry.version, old.entry.redactions >= entry.redactions { return }
        contents.sizeInBytes -= old.entry.sizeInBytes + Self.overheadBytes
      }
      contents.entries[key] = (entry, 0)
      contents.sizeInBytes += entry.sizeInBytes + Self.overheadBytes
      Self.touch(key, &contents)
      while contents.sizeInBytes > limit, contents.orderStart < contents.order.count {
        let oldest = contents.order[contents.orderStart]
        contents.orderStart += 1
        guard let found = contents.entries[oldest.key], found.use == oldest.use else { continue }
        contents.entries[oldest.key] = nil
        contents.sizeInBytes -= found.entry.sizeInBytes + Self.overheadBytes
      }
    }
  }

  private static func touch(_ key: Key, _ contents: inout Contents) {
    contents.uses += 1
    contents.entries[key]?.use = contents.uses
    contents.order.append((key, contents.uses))
    // The list of uses is pruned when most of it is outdated.
    if contents.order.count > 2 * contents.entries.count + 1_024 {
      contents.order = contents.order[contents.orderStart...].filter {
        contents.entries[$0.key]?.use == $0.use
      }
      contents.orderStart = 0
    }
  }

  /// Entries, bytes, and how often an entry was there.
  var statistics: (entries: Int, sizeInBytes: Int, hits: Int, misses: Int) {
    contents.withLock { ($0.entries.count, $0.sizeInBytes, $0.hits, $0.misses) }
  }

  func removeAll() {
    contents.withLock { $0 = Contents() }
  }
}
