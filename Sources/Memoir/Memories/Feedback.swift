// What people think of a memory: it matters more, or less, and the log keeps why.
public import EventStore
internal import JSON

/// What somebody thinks of a memory.
public enum FeedbackSignal: String, CaseIterable, Hashable, Sendable {
  /// It was of use: its importance grows by 15 %, to 1 at most.
  case upvote
  /// It was of no use: its importance shrinks by 15 %.
  case downvote
  /// Somebody is to look at it: its importance stays.
  case flag

  func importance(after old: Double) throws(InvalidValue) -> Fraction {
    let new =
      switch self {
      case .upvote: min(1, old * 1.15)
      case .downvote: old * 0.85
      case .flag: old
      }
    // Votes back and forth leave no tail of digits.
    return try Fraction((new * 1_000_000).rounded() / 1_000_000, field: "importance")
  }
}

/// Feedback that was given.
public struct Feedback: Sendable {
  /// What was thought.
  public let signal: FeedbackSignal
  /// When.
  public let at: Timestamp
  /// The importance before.
  public let before: Double
  /// The importance after.
  public let after: Double
}

extension MemoirStore {
  private static var signalMember: String { "signal" }

  /// Takes in what somebody thinks of a memory.
  ///
  /// - Throws: `not_found` where there is no such memory now.
  @discardableResult
  public func giveFeedback(
    _ signal: FeedbackSignal, on id: FactID, of user: StreamName, agent: String? = nil,
    retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<Feedback> {
    try await update(user, retry: retry) { state throws(MemoirError) in
      guard let state else { throw .noUser(user) }
      let fact = try state.memory(id)
      let before = self.memory.decay.statedImportance(of: fact)
      do throws(InvalidValue) {
        let after = try signal.importance(after: before)
        let revised = try FactRevised(factID: id, importance: after)
        let event = try EventData(
          .factRevised(revised), id: .generate(at: state.clock), occurredAt: state.clock,
          metadata: .named([("agent", agent), (Self.signalMember, signal.rawValue)]))
        return Decision(
          append: [event],
          result: Feedback(signal: signal, at: state.clock, before: before, after: after.value))
      } catch {
        throw MemoirError(error)
      }
    }
  }

  /// What was thought of a memory, from the first feedback on.
  ///
  /// - Throws: `not_found` where there is no such memory now.
  /// - Complexity: O(events of the user since it was learned)
  public func feedback(on id: FactID, of user: StreamName) throws(MemoirError) -> [Feedback] {
    let fact = try state(of: user).memory(id)
    var given: [Feedback] = []
    var importance = memory.decay.defaultImportance
    do {
      var next: StreamVersion? = fact.origin.version
      while let start = next {
        let page = try log.readStream(
          user, from: start, filter: EventFilter(types: ["FactLearned", "FactRevised"]))
        for event in page.events {
          switch try MemoirEvent(event) {
          case .factLearned(let learned) where event.version == fact.origin.version:
            importance = learned.importance?.value ?? importance
          case .factRevised(let revised) where revised.factID == id:
            let before = importance
            importance = revised.importance?.value ?? importance
            guard let word = event.metadata.text(of: Self.signalMember), let signal = FeedbackSignal(rawValue: word)
            else { continue }
            given.append(Feedback(signal: signal, at: event.occurredAt, before: before, after: importance))
          default: break
          }
        }
        next = page.next
      }
    } catch {
      throw MemoirError(error)
    }
    return given
  }
}

extension JSONText {
  /// An object of those members that there are; sorted by name as they are given.
  static func named(_ members: [(name: String, value: String?)]) -> JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, value) in members {
      guard let value else { continue }
      writer.key(text: name)
      writer.string(value)
    }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }

  /// The text of a member of an object, where it is one.
  func text(of member: String) -> String? {
    try? JSONParser().parse(utf8.span) { $0.member(named: member)?.string }
  }
}
