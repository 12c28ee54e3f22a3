// Distilling by rules: no model, no network, the same memories for the same conversation.
internal import EventStore

/// Finds what is worth keeping of an English conversation by how it is said.
///
/// It looks for decisions ("let's go with …", and an assistant's offer that was accepted), completions ("it's fixed",
/// an assistant's report that what was asked for is done), open tasks ("still need to …"), constraints ("no more than …"),
/// preferences ("I prefer …"), facts about the person ("I live in …") and switches ("from X to Y"). Questions,
/// suppositions, quotations, code and an assistant's mere offers are none of these.
///
/// Up to six are kept, the clearest of each kind first. Each is made of the conversation's own words: in the third person
/// where grammar allows, otherwise word for word. What a conversation does not say is never made up, so a short one
/// may have fewer than three, and one in another language none.
public struct RuleDistiller: Distiller {
  /// `rules`.
  public var identity: DistillerIdentity { DistillerIdentity(name: "rules", version: "1") }

  /// Makes the distiller.
  public init() {}

  /// Never throws.
  ///
  /// - Complexity: O(bytes of the conversation), of each message the first 32 KiB
  public func distill(_ transcript: SessionTranscript) async throws(DistillerError) -> Distillation {
    distilled(transcript)
  }

  /// What the rules make of a conversation, at once.
  public func distilled(_ transcript: SessionTranscript) -> Distillation {
    var reading = ConversationReading()
    for (index, message) in transcript.messages.enumerated() {
      let next = transcript.messages[(index + 1)...].first { $0.role == .assistant }
      reading.read(message, at: index, answeredBy: next?.content)
    }
    let found = reading.finished()
    let kept = Self.selection(of: found)
    return Distillation(
      summary: RuleSummary(opening: reading.opening, findings: found).text,
      memories: kept.compactMap { $0.draft(from: transcript.messages[$0.message]) })
  }

  /// At most so many memories are made.
  static let limit = 6
  /// What is only vaguely a memory fills up to this many.
  static let aim = 4

  /// The clearest findings, in the order they were said in: of each kind one, then of each another, and so on.
  static func selection(of found: [Finding]) -> [Finding] {
    var kept: [Finding] = []
    for clarity in [Finding.Clarity.plain, .fair, .faint] {
      let clear = found.filter { $0.clarity == clarity }
      // Of a kind, what was said last comes first: it is what was left standing.
      var kinds = Finding.Kind.allCases.map { kind in clear.filter { $0.kind == kind } }
      while kept.count < (clarity == .faint ? aim : limit), kinds.contains(where: { !$0.isEmpty }) {
        for index in kinds.indices where kept.count < (clarity == .faint ? aim : limit) {
          if let finding = kinds[index].popLast() { kept.append(finding) }
        }
      }
    }
    return kept.sorted { ($0.message, $0.order) < ($1.message, $1.order) }
  }
}

/// Something in a conversation that may be worth keeping.
struct Finding {
  /// The most important first.
  enum Kind: CaseIterable {
    case task, decision, change, constraint, completion, preference, fact

    var category: String {
      switch self {
      // What is so now takes the place of what was so before, which is a fact.
      case .fact, .change: "fact"
      case .preference: "preference"
      case .completion: FactCategory.completion
      case .constraint: FactCategory.constraint
      case .decision: FactCategory.decision
      case .task: FactCategory.task
      }
    }

    var importance: Fraction {
      switch self {
      case .task, .decision, .change: 0.9
      case .constraint: 0.85
      case .preference, .completion: 0.8
      case .fact: 0.75
      }
    }

    var memoryType: MemoryType {
      switch self {
      case .completion, .decision: .episodic
      case .task: .working
      case .constraint, .preference, .fact, .change: .semantic
      }
    }
  }

  /// How plainly it was said.
  enum Clarity: Int, Comparable {
    case faint, fair, plain
    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  var kind: Kind
  var content: String
  var clarity: Clarity
  /// Which message it was said in.
  var message: Int
  /// Its place in that message.
  var order: Int
  /// The words that carry its meaning.
  var topics: [String]

  /// The memory; `nil` where there is nothing in it.
  func draft(from source: SessionTranscript.Message) -> MemoryDraft? {
    try? MemoryDraft(
      content, category: kind.category, memoryType: kind.memoryType, importance: kind.importance,
      confidence: clarity == .plain ? 0.9 : clarity == .fair ? 0.8 : 0.6, tags: Array(topics.prefix(4)),
      sourceMessageID: MessageID(source.eventID))
  }
}

extension MessageID {
  /// The id of the message that an event without `message_id` added.
  init(_ id: EventID) { self.init(stored: .uuid(id)) }
}

/// Two or three sentences: what was wanted, what came of it, what is open.
struct RuleSummary {
  var opening: String?
  var findings: [Finding]

  /// A sentence has at most so many bytes.
  private static let sentenceSize = 240

  var text: String {
    var sentences: [String] = []
    if let opening { sentences.append(opening) }
    let outcome =
      findings.last { $0.kind == .completion && $0.clarity == .plain }
      ?? findings.last { $0.kind == .decision && $0.clarity > .faint }
      ?? findings.first { $0.clarity == .plain && $0.kind != .task }
    if let outcome { sentences.append(outcome.content) }
    if let task = findings.last(where: { $0.kind == .task }), task.content != outcome?.content {
      sentences.append("Open: \(task.content)")
    }
    var kept: [String] = []
    for sentence in sentences.map({ $0.cut(toSize: Self.sentenceSize) }) where !kept.contains(sentence) {
      kept.append(sentence)
    }
    return kept.joined(separator: " ")
  }
}
