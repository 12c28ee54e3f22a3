// A memory as it is shown: a live fact, with what only a clock can say of it.
public import EventStore
public import JSON

/// A fact that is live at a point, as it looks then.
public struct Memory: Sendable {
  /// The fact.
  public let fact: Fact
  /// The session it was learned in.
  public let session: SessionID?
  /// What is left of its importance.
  public let importance: Double
  /// Whether its importance has faded so far that it is no longer recalled.
  public let isArchived: Bool
  /// How fresh it is.
  public let staleness: Staleness

  init(
    _ fact: Fact, session: SessionID?, at clock: Timestamp, _ options: MemoryOptions
  ) {
    self.fact = fact
    self.session = session
    importance = options.decay.importance(of: fact, at: clock)
    isArchived = options.decay.isArchived(fact, at: clock)
    staleness = options.staleness.staleness(of: fact, at: clock)
  }

  /// Prints the fact as a state does, and `importance_now`, `session`, `staleness`.
  public func write(to writer: inout JSONWriter) {
    writer.write(
      fact, isArchived: isArchived,
      FactRemarks(event: fact.origin, importanceNow: importance, session: session, staleness: staleness))
  }
}

/// Which memories are wanted; all where nothing is said.
public struct MemoryFilter: Sendable {
  /// Only of one of these categories.
  public var categories: Set<String> = []
  /// Only of one of these types. A fact of no stated type is semantic.
  public var types: Set<MemoryType> = []
  /// Only those that have all of these tags.
  public var tags: Set<String> = []
  /// Only those whose importance has not faded below this.
  public var minimumImportance: Fraction?
  /// Only those learned in this session.
  public var session: SessionID?

  /// Wants all.
  public init() {}

  /// Wants these.
  public init(
    categories: Set<String> = [], types: Set<MemoryType> = [], tags: Set<String> = [],
    minimumImportance: Fraction? = nil, session: SessionID? = nil
  ) {
    self.categories = categories
    self.types = types
    self.tags = tags
    self.minimumImportance = minimumImportance
    self.session = session
  }

  /// - Parameter number: The number of ``session``; `nil` where there is no such session.
  func wants(_ fact: Fact, at clock: Timestamp, decay: Decay, session number: StreamVersion?) -> Bool {
    if !categories.isEmpty, !categories.contains(fact.category) { return false }
    if !types.isEmpty, !types.contains(fact.memoryType ?? .semantic) { return false }
    if !tags.isEmpty, !tags.isSubset(of: fact.tags?.strings ?? []) { return false }
    if let minimumImportance, decay.importance(of: fact, at: clock) < minimumImportance.value { return false }
    return session == nil || (number != nil && fact.session == number)
  }
}

/// A part of a user's memories, in the order in which they were learned.
public typealias MemoryPage = Page<Memory>

extension Page where Item == Memory {
  /// The memories.
  public var memories: [Memory] { items }

  /// Prints `{"memories","next","total"}`.
  public func write(to writer: inout JSONWriter) { write(as: "memories", to: &writer) { $1.write(to: &$0) } }
}

extension MemoirStore {
  /// One memory of a user, archived or not.
  ///
  /// - Throws: `not_found` for a user nobody has heard of, and for a fact that was not known at that point, or was
  ///   forgotten, superseded or had expired by then.
  public func memory(
    _ id: FactID, of user: StreamName, at point: AsOfText = .now
  ) throws(MemoirError) -> Memory {
    let state = try state(of: user, at: point)
    let fact = try state.memory(id)
    return Memory(fact, session: try session(numbered: fact.session, of: user), at: state.clock, memory)
  }

  /// The memories of a user that are live at a point, archived ones included.
  ///
  /// - Parameter version: Only those learned after it.
  /// - Throws: `not_found` for a user nobody has heard of; `invalid_argument` for a point beyond the head.
  public func memories(
    of user: StreamName, matching filter: MemoryFilter = MemoryFilter(), at point: AsOfText = .now,
    after version: StreamVersion = 0, limit: Int = 1_000
  ) throws(MemoirError) -> MemoryPage {
    let state = try state(of: user, at: point)
    var number: StreamVersion?
    if let session = filter.session { number = try self.number(of: session, of: user) }
    let wanted = state.facts.filter { filter.wants($0, at: state.clock, decay: memory.decay, session: number) }
    var names: [StreamVersion: SessionID] = [:]
    return try MemoryPage(of: wanted, after: version, limit: limit, place: { (fact: Fact) in fact.origin.version }) {
      (fact: Fact) throws(MemoirError) -> Memory in
      if let number = fact.session, names[number] == nil { names[number] = try session(numbered: number, of: user) }
      return Memory(fact, session: fact.session.flatMap { names[$0] }, at: state.clock, memory)
    }
  }

  /// The open tasks of a user at a point, in the order they were learned in.
  public func openTasks(of user: StreamName, at point: AsOfText = .now) throws(MemoirError) -> [Fact] {
    try state(of: user, at: point).openTasks
  }

  /// The numbers of those sessions that there are.
  func numbers(of sessions: [SessionID], of user: StreamName) throws(MemoirError) -> [SessionID: StreamVersion] {
    var numbers: [SessionID: StreamVersion] = [:]
    for session in Set(sessions) { numbers[session] = try number(of: session, of: user) }
    return numbers
  }

  private func session(numbered number: StreamVersion?, of user: StreamName) throws(MemoirError) -> SessionID? {
    guard let number else { return nil }
    do throws(StorageError) {
      return try log.event(at: number, of: user)?.session
    } catch {
      throw MemoirError(error)
    }
  }
}

extension StateAt {
  /// The facts to recall at that point: neither expired nor archived.
  public func recallable(by decay: Decay = Decay()) -> [Fact] {
    state.facts.facts.filter { decay.isRecallable($0, at: clock) }
  }

  /// The fact with an id.
  ///
  /// - Throws: `not_found` where it was not known, was forgotten, superseded, or has expired.
  func memory(_ id: FactID) throws(MemoirError) -> Fact {
    guard let fact = state.facts[id] else {
      throw .noMemory(
        id, state.facts.isGone(id) ? "was forgotten or superseded" : "is not known of \(user)")
    }
    if fact.isExpired(at: clock) { throw .noMemory(id, "has expired") }
    return fact
  }
}

extension MemoirError {
  /// `not_found`: there is no such memory, or no longer.
  static func noMemory(_ id: FactID, _ reason: String) -> MemoirError {
    MemoirError(
      .notFound, "the memory \(id) \(reason)", details: .object("fact_id", id.description))
  }
}
