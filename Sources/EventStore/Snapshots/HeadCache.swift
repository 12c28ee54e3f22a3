// Head states kept decoded: those that nobody asked for lately go first when the memory allowed is spent.
internal import Synchronization

/// States by stream and projector, bounded in bytes.
///
/// An entry says at which version it was folded, and after how many redactions. It is only an offer: who takes it
/// compares both with what its own view of the log says, so a state can be old but never wrong. It also says in which
/// commit that was last compared: as long as there is no other, there is nothing to compare.
final class HeadCache: Sendable {
  struct Key: Hashable {
    var stream: StreamName
    var projector: ProjectorIdentity

    /// Of a stream, few have the same parameters: the rest is compared.
    func hash(into hasher: inout Hasher) {
      hasher.combine(stream)
      hasher.combine(projector.parameters)
    }
  }

  struct Entry {
    var version: StreamVersion
    var redactions: UInt64
    /// The number of the latest commit that is known to have this version as the stream's last.
    var commit: UInt64
    /// The bytes of events folded since the snapshot before, which decide when the next one is due.
    var bytesSinceSnapshot: Int
    /// A ``StateBox``.
    var box: any AnyObject & Sendable
    var sizeInBytes: Int
    /// What was made of the state by whoever shows it: kept with it, and gone with it.
    var companion: Companion?

    /// All that keeping it takes.
    fileprivate var weight: Int { sizeInBytes + HeadCache.overheadBytes + (companion?.sizeInBytes ?? 0) }
  }

  struct Companion {
    var value: any AnyObject & Sendable
    var sizeInBytes: Int
  }

  private struct Contents {
    var places: [Key: Int] = [:]
    /// By place; each in an array of its own, since a look needs one of them and every line of memory is waited for.
    var entries: [Entry?] = []
    var keys: [Key?] = []
    /// Whether it was asked for since the hand last passed.
    var isUsed: [Bool] = []
    /// Places without an entry.
    var free: [Int] = []
    /// Where to look next for an entry that can go: it passes over those that were used since it was last there.
    var hand = 0
    var sizeInBytes = 0
    var hits = 0
    var misses = 0
  }

  /// A decoded state takes more than its stored form; what it takes beside that.
  private static let overheadBytes = 512

  private let limit: Int
  private let contents = Mutex(Contents())

  init(limit: Int) { self.limit = limit }

  /// The entry of `key`, where it is the head state of a commit for sure.
  func entry(_ key: Key, in commit: UInt64) -> Entry? {
    contents.withLock { contents in
      guard let place = contents.places[key], let found = contents.entries[place], found.commit == commit else {
        return nil
      }
      contents.hits += 1
      contents.isUsed[place] = true
      return found
    }
  }

  /// The entry of `key`, where it can serve a view of this head, in this commit. One of an older version is the caller's
  /// alone from then on, to be changed without a copy and put back.
  func entry(_ key: Key, for head: StreamVersion, redactions: UInt64, in commit: UInt64) -> Entry? {
    contents.withLock { contents in
      guard let place = contents.places[key], let found = contents.entries[place], found.version <= head,
        found.redactions == redactions
      else {
        contents.misses += 1
        return nil
      }
      contents.hits += 1
      if found.version < head {
        Self.remove(place, &contents)
      } else {
        contents.isUsed[place] = true
        contents.entries[place]?.commit = max(found.commit, commit)
      }
      return found
    }
  }

  func put(_ entry: Entry, _ key: Key) {
    guard entry.weight <= limit else { return }
    contents.withLock { contents in
      if let place = contents.places[key], let old = contents.entries[place] {
        // A slower reader must not put back what a faster one has overtaken.
        if old.version > entry.version, old.redactions >= entry.redactions { return }
        Self.remove(place, &contents)
      }
      insert(entry, key, &contents)
    }
  }

  /// Keeps something beside a state, in the place of what was there before, if the state is still kept itself.
  func keep(_ companion: Companion, beside box: any AnyObject & Sendable, _ key: Key) {
    contents.withLock { contents in
      guard let place = contents.places[key], var entry = contents.entries[place], entry.box === box else {
        return
      }
      entry.companion = companion
      guard entry.weight <= limit else { return }
      Self.remove(place, &contents)
      insert(entry, key, &contents)
    }
  }

  private func insert(_ entry: Entry, _ key: Key, _ contents: inout Contents) {
    while contents.sizeInBytes + entry.weight > limit { Self.removeUnused(&contents) }
    let place: Int
    if let free = contents.free.popLast() {
      place = free
    } else {
      place = contents.entries.count
      contents.entries.append(nil)
      contents.keys.append(nil)
      contents.isUsed.append(false)
    }
    contents.entries[place] = entry
    contents.keys[place] = key
    contents.isUsed[place] = false
    contents.places[key] = place
    contents.sizeInBytes += entry.weight
  }

  /// Removes the next entry that was not used since the hand last passed. There is one: sizes are those of entries.
  private static func removeUnused(_ contents: inout Contents) {
    while true {
      let place = contents.hand
      contents.hand = (contents.hand + 1) % contents.entries.count
      if contents.entries[place] == nil { continue }
      if !contents.isUsed[place] { return remove(place, &contents) }
      contents.isUsed[place] = false
    }
  }

  private static func remove(_ place: Int, _ contents: inout Contents) {
    guard let entry = contents.entries[place], let key = contents.keys[place] else { return }
    contents.entries[place] = nil
    contents.keys[place] = nil
    contents.places[key] = nil
    contents.free.append(place)
    contents.sizeInBytes -= entry.weight
  }

  /// Entries, bytes, and how often an entry was there.
  var statistics: (entries: Int, sizeInBytes: Int, hits: Int, misses: Int) {
    contents.withLock { ($0.places.count, $0.sizeInBytes, $0.hits, $0.misses) }
  }

  func removeAll() {
    contents.withLock { $0 = Contents() }
  }
}
