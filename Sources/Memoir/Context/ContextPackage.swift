// What an assistant is given to begin with: a text for its prompt, and the items behind it.
public import EventStore

/// The sections of a context, in the order in which they stand in the text.
public enum ContextSection: String, CaseIterable, Hashable, Sendable {
  /// Who the person is.
  case profile
  /// What is to be done.
  case tasks
  /// What was decided, and what must be kept to.
  case decisions
  /// What the person prefers.
  case preferences
  /// What was said and done about the question.
  case history
  /// What the latest sessions were about.
  case sessions
  /// What else is known.
  case facts

  /// As the text shows it.
  public var heading: String {
    switch self {
    case .profile: "Profile"
    case .tasks: "Open tasks"
    case .decisions: "Decisions and constraints"
    case .preferences: "Preferences"
    case .history: "Related history"
    case .sessions: "Recent sessions"
    case .facts: "Facts"
    }
  }
}

/// Something that competed for a place in a context, and got one.
public struct ContextItem: Sendable {
  /// Where it stands.
  public let section: ContextSection
  /// `fact`, `preference`, `relationship`, `message`, `summary` or `episode`.
  public let kind: String
  /// The fact's id, the preference's key; of anything else, the id of its event.
  public let id: String
  /// As it stands in the text, without the bullet.
  public let text: String
  /// By its kind: see ``ContextPriorities``.
  public let priority: Double
  /// How much of the question it meets; see ``ContextPriorities/leastRelevance``.
  public let relevance: Double
  /// 1 now, falling to a half.
  public let recency: Double
  /// The event that put it there.
  public let event: EventReference
  /// When that happened, or when it was confirmed last.
  public let usedAt: Timestamp
  /// How fresh it is: of facts, preferences and summaries.
  public let staleness: Staleness?
  /// Whether it meets anything of the question.
  let isHit: Bool

  /// By which it competed: priority × relevance × recency.
  public var score: Double { priority * relevance * recency }
}

/// How much each kind of item counts when a context is assembled.
public struct ContextPriorities: Sendable, Hashable {
  /// Open tasks.
  public var task = 1.0
  /// Decisions and constraints.
  public var decision = 0.9
  /// Preferences, and what else the profile shows.
  public var preference = 0.8
  /// What was said and done about the question, and what the latest sessions were about.
  public var history = 0.6
  /// Everything else.
  public var fact = 0.4
  /// The relevance of an item that meets nothing of the question: it still may matter.
  public var leastRelevance = 0.4

  /// The defaults.
  public init() {}
}

/// What a context is to be of.
public struct ContextRequest: Sendable {
  /// What the person says or asks; may be empty, where nothing has been said yet.
  public var query: String
  /// The most tokens that the text may take: 1…1,000,000.
  public var budget = 4_000
  /// What counts for how much.
  public var priorities = ContextPriorities()
  /// How many messages, summaries and episodes may stand under related history.
  public var historyLimit = 12
  /// Of how many sessions those may be; `nil`: of any number.
  public var historySessions: Int?
  /// How many of the latest sessions' summaries may stand in it.
  public var sessionLimit = 5

  /// Asks for what matters to `query`.
  public init(_ query: String) { self.query = query }

  /// What a session is to begin with: beside what is known, the latest five sessions, and the three that the first
  /// message has most to do with.
  public static func opening(with firstMessage: String = "") -> ContextRequest {
    var request = ContextRequest(firstMessage.beginning(atMost: RecallQuery.longestText))
    request.historySessions = 3
    return request
  }

  /// The largest budget.
  public static let largestBudget = 1_000_000

  func check() throws(MemoirError) {
    guard query.utf8.count <= RecallQuery.longestText else {
      throw .tooLarge(field: "query", count: query.utf8.count, limit: RecallQuery.longestText)
    }
    guard (1...Self.largestBudget).contains(budget) else {
      throw .invalid(field: "budget", "is \(budget); it must be 1…\(Self.largestBudget)")
    }
  }
}

/// A context: what is known of a person and matters now, as text for a prompt.
public struct ContextPackage: Sendable {
  /// Whose it is.
  public let user: StreamName
  /// The point it was assembled at.
  public let asOf: AsOfText
  /// The highest version that went into it.
  public let version: StreamVersion
  /// The text, which equal memories, requests and clocks make equal. Empty where nothing is known, or nothing fits.
  public let text: String
  /// How many tokens it takes, by the counter it was assembled with.
  public let tokens: Int
  /// What stands in it, in the order of the text.
  public let items: [ContextItem]
  /// How many items found no room.
  public let omitted: Int
  /// Whether what was asked was looked for by meaning too; `nil` where nothing was asked, or no embedder is configured.
  public internal(set) var meaning: MeaningUse?
  /// Whether anybody is known by that name: there is an event of theirs, whatever the point asked at.
  public internal(set) var isKnown = true
}
