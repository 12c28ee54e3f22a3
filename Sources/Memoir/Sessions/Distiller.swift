// What makes a few memories of a conversation: the seam between the rules, which are always there, and a language model.
public import EventStore

/// Makes a summary and a few memories of a conversation.
///
/// ``RuleDistiller`` is the one that needs nothing. An application brings its own with ``SessionPolicy/distiller``; where
/// that one throws, or does not answer in time, the rules take its place, and the events say so.
public protocol Distiller: Sendable {
  /// Who it is; what it makes says so.
  var identity: DistillerIdentity { get }

  /// Reads a conversation.
  ///
  /// - Throws: ``DistillerError``. Nothing is lost then: the rules take over.
  func distill(_ transcript: SessionTranscript) async throws(DistillerError) -> Distillation
}

/// Who distilled a session: what is made by the same name, model and version is not made again.
public struct DistillerIdentity: Hashable, Sendable, CustomStringConvertible {
  /// How it goes about it, e.g. `rules` or `chat`.
  public let name: String
  /// The language model, where there is one.
  public let model: String?
  /// Raised with every change of what it makes of the same conversation.
  public let version: String

  /// Names a distiller.
  public init(name: String, model: String? = nil, version: String) {
    self.name = name
    self.model = model
    self.version = version
  }

  /// Name, model and version, e.g. `chat gpt-x 2`.
  public var description: String { [name, model, version].compactMap { $0 }.joined(separator: " ") }
}

/// Why a distiller has no answer, in one word.
public enum DistillerError: String, Error, Hashable, Sendable {
  /// It, or what it asks, cannot be reached.
  case unavailable
  /// It took longer than it may.
  case timeout
  /// It is asked too often.
  case rateLimited = "rate_limited"
  /// It will not do it, e.g. without a valid key.
  case refused
  /// It answered something that is no distillation.
  case malformed
  /// Anything else.
  case failed
}

/// A conversation, and what is known of the person besides.
public struct SessionTranscript: Sendable {
  /// One thing that was said.
  public struct Message: Sendable {
    /// The message's event.
    public let eventID: EventID
    /// The version of that event.
    public let version: StreamVersion
    /// Who said it.
    public let role: MessageRole
    /// What was said.
    public let content: String
    /// When it was said.
    public let occurredAt: Timestamp
    /// Which agent handed it in, where the event's metadata says so.
    public let agent: String?

    /// Collects what there is to know of a message.
    public init(
      eventID: EventID, version: StreamVersion, role: MessageRole, content: String, occurredAt: Timestamp,
      agent: String? = nil
    ) {
      self.eventID = eventID
      self.version = version
      self.role = role
      self.content = content
      self.occurredAt = occurredAt
      self.agent = agent
    }
  }

  /// Whose conversation it is.
  public let user: StreamName
  /// Which one.
  public let session: SessionID
  /// What was said, in the order of the log.
  public let messages: [Message]
  /// What is known of the person, besides what was learned in this session.
  public let knownFacts: [Fact]
  /// What was learned in this session already.
  public let learnedFacts: [Fact]
  /// The person's preferences.
  public let preferences: [Preference]

  /// Collects a conversation and its surroundings.
  public init(
    user: StreamName, session: SessionID, messages: [Message], knownFacts: [Fact] = [], learnedFacts: [Fact] = [],
    preferences: [Preference] = []
  ) {
    self.user = user
    self.session = session
    self.messages = messages
    self.knownFacts = knownFacts
    self.learnedFacts = learnedFacts
    self.preferences = preferences
  }
}

/// What a conversation comes to.
public struct Distillation: Sendable {
  /// What it was about, in two or three sentences; empty where there is nothing to say.
  public var summary: String
  /// What is worth keeping, the most important first. At most ``SessionPolicy/memoryLimit`` are kept.
  public var memories: [MemoryDraft]

  /// Collects the result.
  public init(summary: String, memories: [MemoryDraft]) {
    self.summary = summary
    self.memories = memories
  }
}

/// A distillation, and who made it.
public struct AttributedDistillation: Sendable {
  /// What was made.
  public internal(set) var distillation: Distillation
  /// Who made it.
  public let distiller: DistillerIdentity
  /// Who was asked first and failed, and why.
  public let failure: (distiller: DistillerIdentity, error: DistillerError)?
}

extension Distiller {
  /// Asks for a distillation; where none comes in time, the rules make one.
  ///
  /// Always answers within `limit`: what a distiller does after that is cancelled and not waited for.
  func distillOrFallBack(_ transcript: SessionTranscript, within limit: Duration) async -> AttributedDistillation {
    if let rules = self as? RuleDistiller {
      return AttributedDistillation(
        distillation: rules.distilled(transcript), distiller: rules.identity, failure: nil)
    }
    switch await answer(to: transcript, within: limit) {
    case .success(let distillation):
      return AttributedDistillation(distillation: distillation, distiller: identity, failure: nil)
    case .failure(let error):
      let rules = RuleDistiller()
      return AttributedDistillation(
        distillation: rules.distilled(transcript), distiller: rules.identity, failure: (identity, error))
    }
  }

  private func answer(
    to transcript: SessionTranscript, within limit: Duration
  ) async -> Result<Distillation, DistillerError> {
    await firstResult(within: limit, timedOut: .timeout, cancelled: .failed) {
      do throws(DistillerError) { return .success(try await distill(transcript)) } catch { return .failure(error) }
    }
  }
}
