// Reading, deciding, appending where nobody came in between: what agents do that share a person's memory.
public import EventStore
internal import JSON

/// How often something is tried again that came too late, and after what pauses.
///
/// The pause before the second attempt is up to ``firstDelay``; it doubles with each further one, up to
/// ``longestDelay``. Of each pause at least half is kept and the rest is left to chance, so that agents who met once
/// do not meet again.
public struct RetryPolicy: Hashable, Sendable {
  /// How many attempts there are in all, the first included. At least 1.
  public var attempts: Int
  /// The longest pause before the second attempt.
  public var firstDelay: Duration
  /// The longest pause there is.
  public var longestDelay: Duration

  /// 20 attempts, with pauses from 2 ms to 250 ms: some 3 s in all.
  public static let standard = RetryPolicy()
  /// One attempt.
  public static let never = RetryPolicy(attempts: 1)

  /// Makes a policy.
  public init(
    attempts: Int = 20, firstDelay: Duration = .milliseconds(2), longestDelay: Duration = .milliseconds(250)
  ) {
    self.attempts = max(1, attempts)
    self.firstDelay = firstDelay
    self.longestDelay = longestDelay
  }

  /// The pause after an attempt that failed, the first being 1.
  public func delay(afterAttempt attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
    var longest = firstDelay
    for _ in 1..<max(attempt, 1) where longest < longestDelay { longest = longest * 2 }
    longest = min(longest, longestDelay)
    return longest / 2 + longest / 2 * Double.random(in: 0...1, using: &random)
  }
}

/// What is to be appended after a look at a state, and what the caller is to be told then.
public struct Decision<Result: Sendable>: Sendable {
  /// The events, in order; none where there is nothing to change.
  public var events: [EventData]
  /// What the caller is told once they are on disk.
  public var result: Result

  /// Appends events.
  public init(append events: [EventData], result: Result) {
    self.events = events
    self.result = result
  }

  /// Appends nothing.
  public static func nothing(_ result: Result) -> Decision { Decision(append: [], result: result) }
}

/// What became of a decision.
public struct Updated<Result: Sendable>: Sendable {
  /// What the decision says.
  public let result: Result
  /// The user's version after it: that of its last event, or without any, the one it was made at.
  public let version: StreamVersion
  /// The ids of the events that were appended, in order.
  public let eventIDs: [EventID]
}

extension MemoirStore {
  /// Looks at a user's state, decides by it, and appends what was decided if nobody came in between; else it looks and
  /// decides again.
  ///
  /// ```swift
  /// let updated = try await store.update(bob) { state throws(MemoirError) in
  ///   if state?.state.preferences["theme"] != nil { return .nothing(false) }
  ///   return Decision(append: [try store.event(.preferenceUpdated(dark))], result: true)
  /// }
  /// ```
  /// So of several agents and processes that do the same, each decides on what the others have done: nothing is lost
  /// and nothing doubled. Only `version_conflict` is tried again, which says that nothing was stored; each attempt may
  /// therefore make events with new ids. Where the outcome is unknown (the store stopped in the middle of a commit),
  /// the error is thrown: who opens the store anew and calls this again decides on a state that has the events, if they
  /// were stored.
  ///
  /// - Parameter decide: Called once an attempt, with `nil` for a user nobody has heard of. It must have no effect of
  ///   its own.
  /// - Throws: The last `version_conflict` when the attempts are used up or the task is cancelled; what `decide` and
  ///   appending throw else.
  public func update<Result: Sendable>(
    _ user: StreamName, retry: RetryPolicy = .standard,
    _ decide: @Sendable (StateAt?) throws(MemoirError) -> Decision<Result>
  ) async throws(MemoirError) -> Updated<Result> {
    var attempt = 1
    while true {
      let state = try stateIfKnown(of: user)
      let decision = try decide(state)
      let version = state?.version ?? 0
      if decision.events.isEmpty {
        return Updated(result: decision.result, version: version, eventIDs: [])
      }
      do throws(MemoirError) {
        let appended = try await append(
          decision.events, to: user, expecting: state == nil ? .noStream : .exactly(version))
        return Updated(
          result: decision.result, version: appended.lastVersion, eventIDs: decision.events.map(\.id))
      } catch {
        guard error.code == .versionConflict, attempt < retry.attempts else { throw error }
        var random = SystemRandomNumberGenerator()
        let pause = retry.delay(afterAttempt: attempt, using: &random)
        // Who was cancelled is told of the conflict: it is why nothing was stored.
        do { try await Task.sleep(for: pause) } catch _ { throw error }
        attempt += 1
      }
    }
  }

  /// The state at the head; `nil` for a user nobody has heard of.
  func stateIfKnown(of user: StreamName, at point: AsOfText = .now) throws(MemoirError) -> StateAt? {
    do throws(MemoirError) {
      return try state(of: user, at: point)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  /// An event that happens now, with an id made here unless one is given.
  ///
  /// - Parameters:
  ///   - time: When it happens, if not at this very moment: what was decided at a state's clock happens then.
  ///   - agent: Who says so; kept in the event's metadata.
  /// - Throws: `invalid_argument` where the event needs a session and has none, or is larger than an event may be.
  public func event(
    _ event: MemoirEvent, session: SessionID? = nil, id: EventID? = nil, at time: Timestamp? = nil,
    agent: String? = nil
  ) throws(MemoirError) -> EventData {
    let now = time ?? clock()
    do throws(InvalidValue) {
      return try EventData(
        event, session: session, id: id ?? .generate(at: now), occurredAt: now,
        metadata: agent.map { .object("agent", $0) } ?? .emptyObject)
    } catch {
      throw MemoirError(error)
    }
  }
}

extension RecordedEvent {
  /// The agent that handed it in, where its metadata says so.
  public var agent: String? {
    try? JSONParser().parse(metadata.utf8.span) { $0["agent"]?.string }
  }
}
