// The door to the memory: what a program opens, appends to, and asks.
internal import Bytes
public import EventStore
public import JSON

/// The memory of an application's users, in a folder of its own.
///
/// ```swift
/// let store = try MemoirStore(folder: "memoir.store")
/// let bob = StreamName(try UserID("bob"))
/// try await store.append(
///   [.messageAdded(try MessageAdded(role: .user, content: "I moved to Lisbon."))],
///   to: bob, session: SessionID("s-1"))
///
/// let now = try store.state(of: bob)
/// let before = try store.state(of: bob, at: .version(0))
/// try store.close()
/// ```
/// It speaks of people; everything it does, ``EventLog`` does beneath: what is not repeated here (reading pages of
/// events, subscriptions, verification, backups) is asked of ``log``. All errors are ``MemoirError``.
public final class MemoirStore: Sendable {
  /// The log beneath.
  public let log: EventLog
  /// Tells this moment, by which expiry is judged at the head.
  public let clock: @Sendable () -> Timestamp

  /// The keys by which services and people's programs come in.
  public let keys: APIKeys
  /// What people allow others besides.
  public let grants: Grants
  /// Who was told what of whom. What the embedding application does by itself is not in it, unless it notes it.
  public let accesses: AccessLog

  /// How it remembers and recalls.
  public let memory: MemoryOptions

  package let projector = ContextProjector()
  package let recallProjector: RecallProjector
  /// Recall by meaning, where there is an embedder.
  let semantics: SemanticMemory?

  /// Opens the store in `folder`, and makes it where there is none, unless `options` say otherwise.
  ///
  /// - Parameter schema: The event types; an application adds its own with ``EventSchema/memoir(with:)``.
  /// - Throws: `not_found` where there is none and none is to be made, `invalid_argument` for a folder that is no
  ///   store or a language without a stemmer, `unavailable` for one of a newer version or in use, `forbidden`, `storage_full`, `corrupt`.
  public init(
    folder: String, schema: EventSchema = .memoir, options: EventLog.Options = EventLog.Options(),
    memory: MemoryOptions = MemoryOptions()
  ) throws(MemoirError) {
    try memory.check()
    clock = options.clock
    self.memory = memory
    recallProjector = RecallProjector(language: memory.language)
    let log: EventLog
    do throws(StorageError) {
      log = try EventLog(folder: folder, schema: schema, options: options)
    } catch {
      throw MemoirError(error)
    }
    self.log = log
    keys = APIKeys(log, clock: options.clock)
    grants = Grants(log, keys, clock: options.clock)
    accesses = AccessLog(log)
    semantics = memory.embedder.map { SemanticMemory(log, $0, memory.semantics) }
  }

  // Not the log: others may hold it.
  deinit { try? accesses.close() }

  /// Ends appends that were begun, stores what waits for the access log, and closes the file. Closing again does nothing.
  ///
  /// - Throws: ``MemoirError`` of the storage, where accesses could not be stored; it is closed all the same.
  public func close() throws(MemoirError) {
    semantics?.close()
    var failure: MemoirError?
    do throws(MemoirError) { try accesses.close() } catch { failure = error }
    do { try log.close() } catch { throw MemoirError(error) }
    if let failure { throw failure }
  }

  // MARK: Appending

  /// Appends events of one user, all or none. Once it returns, they are on disk.
  ///
  /// - Parameter takingErased: Whether events with the ids of erased ones are taken as new; else they are refused.
  /// - Throws: `version_conflict`, `id_conflict`, `invalid_argument`; nothing was stored then.
  @discardableResult
  public func append(
    _ events: [EventData], to user: StreamName, expecting expected: ExpectedVersion = .any,
    takingErased: Bool = false
  ) async throws(MemoirError) -> AppendResult {
    do {
      return try await log.append(events, to: user, expecting: expected, takingErased: takingErased)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Appends what happened just now, with ids made here. To be able to repeat it, make ``EventData`` with ids of
  /// one's own.
  @discardableResult
  public func append(
    _ events: [MemoirEvent], to user: StreamName, session: SessionID? = nil,
    expecting expected: ExpectedVersion = .any, metadata: JSONText = .emptyObject
  ) async throws(MemoirError) -> AppendResult {
    let now = clock()
    var data: [EventData] = []
    do {
      for event in events {
        data.append(
          try EventData(event, session: session, id: .generate(at: now), occurredAt: now, metadata: metadata))
      }
    } catch {
      throw MemoirError(error)
    }
    return try await append(data, to: user, expecting: expected)
  }

  /// Has snapshots taken beside the appends of this process; see ``EventLog/maintainSnapshots(of:)``.
  public func maintainSnapshots() throws(MemoirError) {
    do { try log.maintainSnapshots(of: projector) } catch { throw MemoirError(error) }
  }

  /// Folds a user's latest events in both orders of time, and hands over the snapshots that are due for
  /// ``EventLog/storeDueSnapshots()``.
  public func prepareSnapshots(of user: StreamName) throws(MemoirError) {
    do {
      _ = try log.state(of: user, by: projector)
      _ = try log.state(of: user, by: projector, at: .occurredAt(.latest))
    } catch {
      throw MemoirError(error)
    }
  }

  /// The same of what recall looks things up in: for ``EventLog/storeDueSnapshots()``, so that the first question to a
  /// program reads it where it is stored.
  public func prepareRecall(of user: StreamName) throws(MemoirError) {
    do { _ = try log.state(of: user, by: recallProjector) } catch { throw MemoirError(error) }
  }

  // MARK: States

  /// What is known of a user, now or as it was.
  ///
  /// - Throws: `not_found` for a user nobody has heard of; `invalid_argument` for a point beyond the head.
  public func state(of user: StreamName, at point: AsOfText = .now) throws(MemoirError) -> StateAt {
    let folded: FoldedState<ContextState>?
    do {
      folded = try log.state(of: user, by: projector, at: point.asOf)
    } catch {
      throw MemoirError(error)
    }
    guard let folded else { throw .noUser(user) }
    return StateAt(
      user: user, asOf: point, version: folded.version, clock: folded.judgedAt ?? clock(), state: folded.state,
      erasedAt: try erasedAt(user))
  }

  /// Prints a state as every surface shows it, with the texts of the latest messages.
  ///
  /// - Parameter page: A page of all messages, which goes with them; see ``messages(of:from:limit:)``.
  public func write(
    _ state: StateAt, with page: StateJSON.MessagePage? = nil, to writer: inout JSONWriter
  ) throws(MemoirError) {
    var form = state.form
    form.page = page
    form.profile = memory.profile
    form.decay = memory.decay
    do {
      var recent = try log.events(at: state.state.messages.recent, of: state.user)[...]
      try form.write(state.state, to: &writer) { version in
        recent.first?.version == version ? recent.popFirst() : nil
      }
    } catch {
      throw MemoirError(error)
    }
  }

  /// A page of all messages of a state, oldest first.
  ///
  /// - Parameter first: The version to begin with.
  public func messages(
    of state: StateAt, from first: StreamVersion = 1, limit: Int = 1_000
  ) throws(MemoirError) -> StateJSON.MessagePage {
    var filter = EventFilter(types: ["MessageAdded"])
    var last: StreamVersion? = state.version
    if case .occurred(let time) = state.asOf {
      // Those that came in late count at their own time.
      filter.until = time
      last = nil
    }
    do {
      if let last, first > last { return StateJSON.MessagePage(messages: [], next: nil) }
      let page = try log.readStream(state.user, from: first, to: last, limit: limit, filter: filter)
      return StateJSON.MessagePage(messages: page.events, next: page.next)
    } catch {
      throw MemoirError(error)
    }
  }

  /// The latest messages of a state, oldest first.
  public func recentMessages(of state: StateAt) throws(MemoirError) -> [RecordedEvent] {
    do {
      return try log.events(at: state.state.messages.recent, of: state.user).filter { !$0.isRedacted }
    } catch {
      throw MemoirError(error)
    }
  }

  /// All events of a user, page by page, from the first on.
  ///
  /// - Throws: `not_found` for a user nobody has heard of, or what `body` throws.
  public func events(
    of user: StreamName, from first: StreamVersion = 1, _ body: ([RecordedEvent]) throws -> Void
  ) throws {
    guard try log.version(of: user) > 0 else { throw MemoirError.noUser(user) }
    var next: StreamVersion? = first
    while let start = next {
      let page = try log.readStream(user, from: start)
      try body(page.events)
      next = page.next
    }
  }
}

/// The state of a user at a point, with what it takes to show it.
public struct StateAt: Sendable {
  /// Whose it is.
  public let user: StreamName
  /// The point asked for.
  public let asOf: AsOfText
  /// The highest version folded into it; 0 before the first event.
  public let version: StreamVersion
  /// By which expiry and decay are judged.
  public let clock: Timestamp
  /// What the events fold to.
  public let state: ContextState
  /// When the person was erased last, where that was.
  public internal(set) var erasedAt: Timestamp?

  /// The facts that hold at that point.
  public var facts: [Fact] { state.facts.facts.filter { !$0.isExpired(at: clock) } }

  var form: StateJSON {
    StateJSON(stream: user, version: version, asOf: asOf, clock: clock, erasedAt: erasedAt)
  }
}
