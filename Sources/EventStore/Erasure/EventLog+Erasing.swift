// Erasing a person, and erasing again in a store that was restored from before it.
internal import Bytes
internal import LMDB
internal import Platform
internal import Sodium

/// What became of an erasure.
public struct ErasureSummary: Sendable, Hashable {
  /// How many events lost what they said.
  public var erased: UInt64
  /// Whether nothing of it can be found in the store's files any more. Where a reader that began before still sees it,
  /// that is made up for once it has ended.
  public var isScrubbed: Bool
}

extension EventLog {
  /// Erases all that is kept of somebody, for good: once this returns, it is on disk.
  ///
  /// The events stay where they are, as proof that there were so many, without what they said and without names. An
  /// event behind them says that they were erased. Whoever is erased twice, without an event in between, is erased once.
  ///
  /// - Parameters:
  ///   - by: Who has it done: 1…250 bytes. The person's own name is not kept.
  ///   - sign: Signs what the tombstone says; the same for the same.
  /// - Returns: `nil` for somebody the store has never heard of.
  /// - Throws: ``StorageError``, e.g. ``StorageError/corrupt(reason:position:)`` where an event of the person is
  ///   damaged: nothing is erased then. ``StorageError/failed(reason:)`` where all is erased, but the file of tombstones
  ///   could not be written: erasing again, or opening the store, writes it.
  /// - Complexity: O(events of the stream, and pages of the file).
  public func erase(
    _ stream: StreamName, by: String, signing sign: @escaping @Sendable ([UInt8]) -> [UInt8] = { _ in [] }
  ) async throws(StorageError) -> ErasureSummary? {
    let work = Erasure(
      stream: stream, by: by == stream.user.description ? "user" : by, rules: try erasureRules(),
      chances: erasureChances(), sign: sign, known: nil)
    try await performed(work)
    let outcome = try work.outcome.get()
    forgetErased()
    guard let events = outcome.events else { return nil }
    do throws(StorageError) { try writeTombstones() } catch {
      throw .failed(
        reason:
          "\(stream.user) is erased, but \(tombstonePath) could not be written, by which older backups would know:"
          + " \(error); erasing once more, or opening the store, writes it")
    }
    return ErasureSummary(erased: events, isScrubbed: try !isScrubDue())
  }

  /// How many events of somebody say something: so many would be erased. `nil` for somebody the store has never heard of.
  ///
  /// - Complexity: O(events of the stream).
  public func erasableEvents(of name: StreamName) throws(StorageError) -> UInt64? {
    let view = try view()
    guard let stream = try view.stream(name), let head = try view.head(of: stream) else { return nil }
    var count: UInt64 = 0
    try view.index.forEachRecord(of: 1...head.version, in: stream, view.transaction) { record in
      if !record.flags.contains(.redacted), !record.isTombstone { count += 1 }
    }
    return count
  }

  /// Whether something that was erased may still be found in the store's files.
  public func isScrubDue() throws(StorageError) -> Bool {
    let transaction = try readRecords()
    return try ScrubDue.read(in: transaction, tables) != nil
  }

  /// Overwrites what was erased and may still be found, where that could not be done before.
  ///
  /// - Returns: Whether there is nothing left of it.
  @discardableResult
  public func scrubErased() async throws(StorageError) -> Bool {
    guard try isScrubDue() else { return true }
    try await performed(WantScrub())
    return try !isScrubDue()
  }

  private struct WantScrub: WriterWork {
    func run(in context: inout WriterContext) { context.wantsScrub = true }
  }

  private func erasureChances() -> Erasure.Chances {
    Erasure.Chances(nameKey: NameKey(of: storeID, seed: tail.hashSeed), id: .generate(at: options.clock()))
  }

  private func erasureRules() throws(StorageError) -> ErasureRules {
    guard let rules = schema.erasure else {
      throw .denied(reason: "the schema has no event type that notes an erasure")
    }
    return rules
  }

  /// What this process remembers of states, and files that may name somebody.
  private func forgetErased() {
    forgetSecrets()
    headCache.removeAll()
    _ = snapshots.take(upTo: .max)
    for name in [StoreFolder.replayName, StoreFolder.dryRunName] { _ = try? Files.remove("\(folder)/\(name)") }
  }

  // MARK: The file of tombstones

  private var tombstonePath: String { "\(folder)/\(TombstoneFile.name)" }

  /// Brings the file of tombstones up to the records.
  ///
  /// Two processes may do so at a time: the one that writes last finds out whether it has left anything out.
  private func writeTombstones() throws(StorageError) {
    var written: [Tombstone] = []
    while true {
      let known = try tombstones()
      guard known.count > written.count, let key = try nameKey() else { return }
      try TombstoneFile(storeID: storeID, key: key, tombstones: known).write(to: tombstonePath)
      written = known
    }
  }

  private func nameKey() throws(StorageError) -> NameKey? {
    let transaction = try readRecords()
    return try NameKey.read(in: transaction, tables)
  }

  /// Erases again whom the file of tombstones names and the records do not: the store was restored from before.
  ///
  /// - Throws: ``StorageError/unavailable(reason:)`` where there is something to be erased and the store was opened for
  ///   reading only.
  func applyTombstones() throws(StorageError) {
    guard options.appliesTombstones else { return }
    guard let file = try TombstoneFile.read(tombstonePath) else {
      // What is damaged is for `verify` to say, and a full disk keeps nobody from reading.
      if !isReadOnly { try? writeTombstones() }
      return
    }
    guard file.storeID == storeID else {
      throw .corrupt(
        reason: "\(tombstonePath) belongs to another store; put this one's in its place, or take it away", position: nil
      )
    }
    let known = try tombstones()
    let unknown = file.tombstones.filter { tombstone in !known.contains { $0.isSame(as: tombstone) } }
    if let forged = unknown.first(where: { schema.erasure?.isSigned(self, $0.statement, $0.signature) == false }) {
      throw .corrupt(
        reason: "what \(tombstonePath) says of the erasure at \(forged.erasedAt) is not signed by this store;"
          + " put a whole copy of the file in its place, or take it away", position: nil)
    }
    if !unknown.isEmpty {
      guard !isReadOnly else {
        throw .unavailable(
          reason: unknown.count == 1
            ? "somebody is to be erased again, since the store is older than their erasure: open it for writing"
            : "\(unknown.count) erasures are to be done again, since the store is older than they are: open it for writing"
        )
      }
      try erase(unknown.sorted { $0.erasedAt < $1.erasedAt }, key: file.key)
    }
    if !isReadOnly, file.tombstones.count < known.count + unknown.count { try? writeTombstones() }
  }

  private func erase(_ tombstones: [Tombstone], key: NameKey) throws(StorageError) {
    let rules = try erasureRules()
    var names: [Bytes32: StreamName] = [:]
    do {
      let view = try view()
      let hashes = Set(tombstones.map(\.nameHash))
      for name in try view.streamNames() {
        let hash = key.hash(of: name)
        if hashes.contains(hash) { names[hash] = name }
      }
    }
    for tombstone in tombstones {
      var chances = erasureChances()
      chances.nameKey = key
      let name = names[tombstone.nameHash]
      // Of somebody who is not in it, only that is kept: no name is like that of nobody.
      let work = Erasure(
        stream: name ?? StreamName(namelessIn: .default), by: tombstone.by, rules: rules, chances: chances,
        known: tombstone)
      try perform(work)
      _ = try work.outcome.get()
    }
    forgetErased()
  }
}
