// Memories chosen by what was said of them: to be listed, or to be forgotten together.
public import EventStore

/// Which memories are meant: those that hold, are not expired, and of which all that is said here is true.
public struct MemorySelection: Sendable {
  /// Only these.
  public var ids: Set<FactID>?
  /// Only those that have all of these tags.
  public var tags: Set<String> = []
  /// Only of this type. A fact of no stated type is semantic.
  public var type: MemoryType?
  /// Only those whose importance, as it was stated, is in this range.
  public var importance: ClosedRange<Double> = 0...1
  /// Only those that were stored at this time or later.
  public var storedFrom: Timestamp?
  /// Only those that were stored at this time or earlier.
  public var storedUntil: Timestamp?
  /// Only those learned in this session.
  public var session: SessionID?

  /// All.
  public init() {}
}

/// A fact that holds, and what only its first event tells of it.
public struct StoredMemory: Sendable {
  /// The fact.
  public let fact: Fact
  /// The session it was learned in.
  public let session: SessionID?
  /// When the store took it: what it tells may have been so long before.
  public let storedAt: Timestamp

  /// When it was stored, revised or confirmed last.
  public var updatedAt: Timestamp { fact.revisedBy.events.isEmpty ? storedAt : max(storedAt, fact.updatedAt) }
}

extension MemoirStore {
  /// The memories of a user that are meant, archived ones included, in the order in which they were learned.
  ///
  /// - Returns: Nothing for a user nobody has heard of.
  /// - Complexity: O(facts of the user), and a look at the log for each one that is given back or asked for its time
  public func storedMemories(
    of user: StreamName, _ selection: MemorySelection = MemorySelection()
  ) throws(MemoirError) -> [StoredMemory] {
    guard let state = try stateIfKnown(of: user) else { return [] }
    return try stored(selection, in: state)
  }

  /// One memory of a user.
  ///
  /// - Throws: `not_found` as ``memory(_:of:at:)``.
  public func storedMemory(_ id: FactID, of user: StreamName) throws(MemoirError) -> StoredMemory {
    try stored(state(of: user).memory(id), of: user)
  }

  /// A fact of a user with what its first event tells.
  public func stored(_ fact: Fact, of user: StreamName) throws(MemoirError) -> StoredMemory {
    do throws(StorageError) {
      let event = try log.event(at: fact.origin.version, of: user)
      return StoredMemory(fact: fact, session: event?.session, storedAt: event?.recordedAt ?? fact.learnedAt)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Forgets all memories that are meant, in one append.
  ///
  /// - Returns: The ids of those that were forgotten, in the order in which they were learned.
  @discardableResult
  public func forget(
    _ selection: MemorySelection, of user: StreamName, reason: String? = nil, agent: String? = nil,
    retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<[FactID]> {
    try await update(user, retry: retry) { state throws(MemoirError) in
      guard let state else { return .nothing([]) }
      let ids = try self.stored(selection, in: state).map(\.fact.factID)
      var events: [EventData] = []
      for id in ids {
        do throws(InvalidValue) {
          let content = MemoirEvent.factForgotten(try FactForgotten(factID: id, reason: reason))
          events.append(
            try EventData(
              content, id: .generate(at: state.clock), occurredAt: state.clock,
              metadata: SessionEventMetadata(agent: agent).json))
        } catch {
          throw MemoirError(error)
        }
      }
      return Decision(append: events, result: ids)
    }
  }

  private func stored(_ selection: MemorySelection, in state: StateAt) throws(MemoirError) -> [StoredMemory] {
    var number: StreamVersion?
    if let session = selection.session { number = try self.number(of: session, of: state.user) }
    if selection.session != nil, number == nil { return [] }
    var found: [StoredMemory] = []
    for fact in state.facts where selection.wants(fact, memory.decay) && (number == nil || fact.session == number) {
      let stored = try stored(fact, of: state.user)
      if let from = selection.storedFrom, stored.storedAt < from { continue }
      if let until = selection.storedUntil, stored.storedAt > until { continue }
      found.append(stored)
    }
    return found
  }
}

extension MemorySelection {
  fileprivate func wants(_ fact: Fact, _ decay: Decay) -> Bool {
    if let ids, !ids.contains(fact.factID) { return false }
    if let type, type != fact.memoryType ?? .semantic { return false }
    if importance != 0...1, !importance.contains(decay.statedImportance(of: fact)) { return false }
    return tags.isEmpty || tags.isSubset(of: fact.tags?.strings ?? [])
  }
}
