// What a person is told about their own memory: how much there is, since when, and how to take it away.
public import EventStore

/// What is kept of a person, on a page: for the person.
public struct TransparencyReport: Sendable {
  /// Whose it is.
  public let user: StreamName
  /// The moment it speaks of: facts that had expired by then do not count.
  public let madeAt: Timestamp
  /// The version of the last event it speaks of.
  public let version: StreamVersion
  /// When the first event occurred that is still kept; `nil` where none is.
  public let memorySince: Timestamp?
  /// How many of the events were erased.
  public let erasedEvents: UInt64
  /// How much there is.
  public let totals: Totals
  /// How many facts of each category hold, by category.
  public let factsByCategory: [(category: String, count: Int)]
  /// The sessions with the latest activity, the latest first.
  public let recentSessions: [Session]

  /// Who was told something, or was refused it, by the access log: the latest first.
  public let readers: [Reader]
  /// What others are allowed besides.
  public let grants: [Grant]

  /// Sessions listed at most.
  public static let sessionLimit = 5

  /// How much is kept of a person.
  public struct Totals: Sendable, Hashable {
    /// Events, also those whose payload was removed.
    public var events: UInt64 = 0
    /// Messages.
    public var messages: UInt64 = 0
    /// Facts that hold.
    public var facts = 0
    /// Preferences.
    public var preferences = 0
    /// Relationships.
    public var relationships = 0
    /// Sessions.
    public var sessions: UInt64 = 0
    /// Episodes.
    public var episodes = 0
  }

  /// One of those who asked.
  public struct Reader: Sendable, Hashable {
    /// Who.
    public let accessor: Accessor
    /// What people call the key, where it is one.
    public let name: String?
    /// How often something was told.
    public internal(set) var answered = 0
    /// How often it was refused.
    public internal(set) var denied = 0
    /// How often there was nothing to be told.
    public internal(set) var notFound = 0
    /// When first.
    public internal(set) var firstAt: Timestamp
    /// When last.
    public internal(set) var lastAt: Timestamp

    fileprivate mutating func count(_ access: Access) {
      switch access.outcome {
      case .ok: answered += 1
      case .denied: denied += 1
      case .notFound: notFound += 1
      }
      firstAt = min(firstAt, access.time)
      lastAt = max(lastAt, access.time)
    }
  }

  /// How everything that is kept can be taken away, as files that can be imported again.
  public var howToExport: Instruction { Instruction(user, command: "export", method: "GET", path: "/export") }

  /// How everything that is kept can be erased.
  public var howToErase: Instruction {
    Instruction(user, command: "erase", options: " --yes", method: "DELETE", path: "")
  }

  /// How something is done about a person, on each surface.
  public struct Instruction: Sendable, Hashable {
    /// The command line, for a shell.
    public let command: String
    /// The HTTP request: its method and its path.
    public let request: String

    init(_ user: StreamName, command: String, options: String = "", method: String, path: String) {
      let isDefault = user.namespace == .default
      let namespace = user.namespace.description
      self.command =
        "memoir \(isDefault ? "" : "--namespace=\(Self.shellWord(namespace)) ")\(command)\(options) "
        + "\(user.user.description.hasPrefix("-") ? "-- " : "")\(Self.shellWord(user.user.description))"
      let query = isDefault ? "" : "?namespace=\(PercentCoding.encode(namespace))"
      request = "\(method) /v1/users/\(PercentCoding.encode(user.user.description))\(path)\(query)"
    }

    /// One word for a shell, whatever is in it.
    private static func shellWord(_ text: String) -> String {
      let isPlain = text.utf8.allSatisfy { byte in PercentCoding.isUnreserved(byte) || ":@/+,".utf8.contains(byte) }
      // Not of the string itself: a mark that combines with a quotation mark would hide it.
      return isPlain
        ? text : "'" + String(text.unicodeScalars.replacing("'".unicodeScalars, with: "'\\''".unicodeScalars)) + "'"
    }
  }
}

extension MemoirStore {
  /// What is kept of a person, for the person.
  ///
  /// - Parameter now: The moment it is to speak of; this one unless told. What was learned until now counts either way.
  /// - Throws: `not_found` for a user nobody has heard of.
  /// - Complexity: O(size of the state, and accesses to the person's memory).
  public func report(of user: StreamName, at now: Timestamp? = nil) throws(MemoirError) -> TransparencyReport {
    let now = now ?? clock()
    let state = try state(of: user)
    let (memorySince, erasedEvents) = try erasure(of: user)
    let parts = state.state
    let facts = parts.facts.facts.filter { !$0.isExpired(at: now) }
    var categories: [String: Int] = [:]
    for fact in facts { categories[fact.category, default: 0] += 1 }
    let sessions = (parts.sessions.open + parts.sessions.ended).sorted { a, b in
      (a.lastActivityAt, a.latestVersion) > (b.lastActivityAt, b.latestVersion)
    }
    return TransparencyReport(
      user: user, madeAt: now, version: state.version, memorySince: memorySince,
      erasedEvents: erasedEvents,
      totals: TransparencyReport.Totals(
        events: state.version.number, messages: parts.messages.total, facts: facts.count,
        preferences: parts.preferences.all.count, relationships: parts.relationships.all.count,
        sessions: parts.sessions.total, episodes: parts.episodes.all.count),
      factsByCategory: categories.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { (category: $0.key, count: $0.value) },
      recentSessions: Array(sessions.prefix(TransparencyReport.sessionLimit)), readers: try readers(of: user),
      grants: try grants.list(of: user))
  }

  private func readers(of user: StreamName) throws(MemoirError) -> [TransparencyReport.Reader] {
    var readers: [Accessor: TransparencyReport.Reader] = [:]
    let names = Dictionary(uniqueKeysWithValues: try keys.list(includingRevoked: true).map { ($0.id, $0.name) })
    try accesses.forEachAccess(of: user) { entry in
      let (accessor, time) = (entry.access.reader, entry.access.time)
      let name = if case .key(let id) = accessor { names[id] } else { String?.none }
      readers[
        accessor, default: TransparencyReport.Reader(accessor: accessor, name: name, firstAt: time, lastAt: time)
      ].count(entry.access)
      return true
    }
    return readers.values.sorted { a, b in
      (b.lastAt, a.accessor.description) < (a.lastAt, b.accessor.description)
    }
  }

  /// When the first event occurred that was not erased, and how many were.
  private func erasure(of user: StreamName) throws(MemoirError) -> (memorySince: Timestamp?, erased: UInt64) {
    do throws(StorageError) {
      let noted = try log.lastErasure(of: user)?.notedAt ?? 0
      let first = try log.readStream(user, from: noted.next, limit: 1).events.first
      // The one that notes it was not erased.
      return (first?.occurredAt, max(1, noted.number) - 1)
    } catch {
      throw MemoirError(error)
    }
  }
}
