// What recall answers.
public import EventStore
public import JSON

/// The memories that answer a question best, best first.
public struct RecallAnswer: Sendable {
  /// Whose they are.
  public let user: StreamName
  /// The point asked at.
  public let asOf: AsOfText
  /// The highest version that could have been answered with.
  public let version: StreamVersion
  /// By which age, expiry and decay are judged.
  public let clock: Timestamp
  /// The memories.
  public internal(set) var memories: [RecalledMemory] = []
  /// How many facts of the person have faded, and were not asked; 0 where no facts were to be recalled.
  public internal(set) var faded = 0
  /// Whether anybody is known by that name: there is an event of theirs, whatever the point asked at.
  public internal(set) var isKnown = true
  /// Whether it went by meaning too; `nil` where no embedder is configured.
  public internal(set) var meaning: MeaningUse?

  /// The answer about somebody nobody has heard of.
  static func ofNobody(_ user: StreamName, at point: AsOfText, clock: Timestamp) -> RecallAnswer {
    var answer = RecallAnswer(user: user, asOf: point, version: 0, clock: clock)
    answer.isKnown = false
    return answer
  }

  /// Prints `{"faded","known","meaning","memories":[…]}`: `known` only where nobody is known by that name, and `meaning`
  /// where an embedder is configured.
  public func write(to writer: inout JSONWriter) {
    if !isKnown { return Self.writeNobody(to: &writer) }
    writer.beginObject()
    writer.key("faded")
    writer.integer(faded)
    if let meaning {
      writer.key("meaning")
      meaning.write(to: &writer)
    }
    writer.key("memories")
    writer.array(memories) { $0.write($1) }
    writer.endObject()
  }

  /// Prints the answer about somebody nobody has heard of: `{"faded":0,"known":false,"memories":[]}`.
  public static func writeNobody(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("faded")
    writer.integer(0)
    writer.key("known")
    writer.bool(false)
    writer.key("memories")
    writer.beginArray()
    writer.endArray()
    writer.endObject()
  }
}

/// Whether an answer went by meaning, or how far.
public struct MeaningUse: Sendable, Hashable {
  /// The embedding model.
  public let model: String?
  /// Texts that had no vector, and were found by their words alone.
  public let missing: Int
  /// Why all were found by their words alone; `nil` where they were not.
  public let absence: String?

  init(_ answer: SemanticAnswer, missing: Int) {
    model = answer.model
    self.missing = missing
    absence = answer.absence?.description
  }

  /// Prints `{"absence","missing","model"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    if let absence {
      writer.key("absence")
      writer.string(absence)
    }
    writer.key("missing")
    writer.integer(missing)
    if let model {
      writer.key("model")
      writer.string(model)
    }
    writer.endObject()
  }
}

/// A memory that was recalled, and why.
public struct RecalledMemory: Sendable {
  /// What it is.
  public let kind: MemoryKind
  /// The id of the fact; of anything else, that of its event.
  public let id: String
  /// What it says.
  public let content: String
  /// By which it was ranked: 0…1, never rising along an answer.
  public internal(set) var score: Float
  /// What the score is the sum of. Of a near-duplicate, which comes after all others, they come to more.
  public let parts: ScoreParts
  /// The event that says it.
  public let event: EventReference
  /// When that happened.
  public let occurredAt: Timestamp
  /// Its session.
  public let session: SessionID?
  /// Who said it, of a message.
  public let role: MessageRole?
  /// The fact, where it is one.
  public let fact: Fact?
  /// The importance of a fact as it has faded.
  public let importance: Double?
  /// How fresh it is: of facts and summaries.
  public let staleness: Staleness?
}
