// Users' vectors in memory, bounded: those asked for least lately go first.
internal import EventStore
internal import Synchronization

/// A user's vectors, and the texts that have none yet.
struct UserVectors: Sendable {
  var index = VectorIndex()
  /// Versions with a text and without an entry, after the last entry.
  var waiting: [StreamVersion] = []
  /// Up to where the stream was looked through for ``waiting``.
  var seen: StreamVersion = 0
  /// How many payloads had been removed when it was read: with another number it is void.
  var redactions: UInt64 = 0

  var sizeInBytes: Int { index.sizeInBytes + 8 * waiting.count + 256 }

  /// How many texts up to a version have no vector.
  func missing(through last: StreamVersion) -> Int {
    waiting.count { $0 <= last } + index.unusable.count { $0 <= last }
  }
}

/// The vectors of one model.
final class VectorCache: Sendable {
  private struct Contents {
    var users: [StreamName: (vectors: UserVectors, use: UInt64)] = [:]
    var uses: UInt64 = 0
    var sizeInBytes = 0
  }

  private let log: EventLog
  private let kind: DerivedKind
  private let limit: Int
  private let contents = Mutex(Contents())

  init(_ log: EventLog, _ kind: DerivedKind, limit: Int) {
    self.log = log
    self.kind = kind
    self.limit = limit
  }

  /// A user's vectors as they are stored now: what is in memory, and what came since.
  ///
  /// - Returns: Also the first version whose entry is damaged, where one is.
  /// - Complexity: O(what came since).
  func vectors(of user: StreamName) throws(StorageError) -> (vectors: UserVectors, damaged: StreamVersion?) {
    if let known = contents.withLock({ touch(user, &$0) }), try isCurrent(known, user) { return (known, nil) }
    // Taken out, or taking in what came since would copy it.
    var vectors = take(user) ?? UserVectors()
    var read = try extend(&vectors, user)
    if read.redactions != vectors.redactions, vectors.seen > 0 {
      // What was removed may be in it.
      vectors = UserVectors()
      read = try extend(&vectors, user)
    }
    vectors.redactions = read.redactions
    try lookForWaiting(&vectors, user)
    put(vectors, user)
    return (vectors, read.damaged)
  }

  private func isCurrent(_ vectors: UserVectors, _ user: StreamName) throws(StorageError) -> Bool {
    guard try log.redactionCount() == vectors.redactions else { return false }
    guard try log.lastDerived(kind, of: user) == vectors.index.last else { return false }
    return try log.version(of: user) == vectors.seen
  }

  private func extend(
    _ vectors: inout UserVectors, _ user: StreamName
  ) throws(StorageError) -> (redactions: UInt64, damaged: StreamVersion?) {
    var index = vectors.index
    vectors.index = VectorIndex()
    defer { vectors.index = index }
    return try log.forEachDerived(kind, of: user, after: index.last) { version, bytes throws(DamagedBytes) in
      try index.append(bytes, at: version)
    }
  }

  private func lookForWaiting(_ vectors: inout UserVectors, _ user: StreamName) throws(StorageError) {
    let last = vectors.index.last
    vectors.waiting.removeAll { $0 <= last }
    let head = try log.version(of: user)
    var next: StreamVersion? = max(vectors.seen, last).next
    while let from = next, from <= head {
      let page = try log.readStream(user, from: from, to: head, filter: EmbeddedText.filter)
      for event in page.events where (try? recallText(of: event)) != nil { vectors.waiting.append(event.version) }
      next = page.next
    }
    vectors.seen = max(head, last)
  }

  private func touch(_ user: StreamName, _ contents: inout Contents) -> UserVectors? {
    guard contents.users[user] != nil else { return nil }
    contents.uses += 1
    contents.users[user]?.use = contents.uses
    return contents.users[user]?.vectors
  }

  private func take(_ user: StreamName) -> UserVectors? {
    contents.withLock { contents in
      guard let found = contents.users.removeValue(forKey: user) else { return nil }
      contents.sizeInBytes -= found.vectors.sizeInBytes
      return found.vectors
    }
  }

  private func put(_ vectors: UserVectors, _ user: StreamName) {
    guard vectors.sizeInBytes <= limit else { return }
    contents.withLock { contents in
      if let other = contents.users.removeValue(forKey: user) { contents.sizeInBytes -= other.vectors.sizeInBytes }
      contents.uses += 1
      contents.users[user] = (vectors, contents.uses)
      contents.sizeInBytes += vectors.sizeInBytes
      while contents.sizeInBytes > limit, let oldest = contents.users.min(by: { $0.value.use < $1.value.use }) {
        contents.users[oldest.key] = nil
        contents.sizeInBytes -= oldest.value.vectors.sizeInBytes
      }
    }
  }

  /// Users in memory, and their bytes.
  var statistics: (users: Int, sizeInBytes: Int) {
    contents.withLock { ($0.users.count, $0.sizeInBytes) }
  }

  func removeAll() { contents.withLock { $0 = Contents() } }
}
