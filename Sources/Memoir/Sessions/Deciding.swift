// Appending what was decided on a state, by events whose ids follow from what they are about.
internal import EventStore

/// What became of a decision.
struct Decided<Result: Sendable>: Sendable {
  /// What the decision says.
  var result: Result
  /// The events that this call appended: none where there was nothing to append, or another process had done it.
  var eventIDs: [EventID]
}

extension MemoirStore {
  /// Decides on the state of a user, and appends what was decided if nobody came in between; else decides again.
  ///
  /// As ``update(_:retry:_:)``, for events with derived ids: there `id_conflict` means that another process has done
  /// the same with other words, and is decided on again like a conflict of versions. Events that were known already
  /// are not counted as this call's.
  func deciding<Result: Sendable>(
    on user: StreamName, retry: RetryPolicy = .standard,
    _ decide: (StateAt?) async throws(MemoirError) -> (events: [EventData], result: Result)
  ) async throws(MemoirError) -> Decided<Result> {
    var attempt = 1
    while true {
      let state = try stateIfKnown(of: user)
      let decision = try await decide(state)
      if decision.events.isEmpty { return Decided(result: decision.result, eventIDs: []) }
      do throws(MemoirError) {
        let appended = try await append(
          decision.events, to: user, expecting: state.map { .exactly($0.version) } ?? .noStream)
        return Decided(
          result: decision.result, eventIDs: appended.isDuplicate ? [] : decision.events.map(\.id))
      } catch {
        guard error.code == .versionConflict || error.code == .idConflict, attempt < retry.attempts else {
          throw error
        }
        var random = SystemRandomNumberGenerator()
        do { try await Task.sleep(for: retry.delay(afterAttempt: attempt, using: &random)) } catch _ { throw error }
        attempt += 1
      }
    }
  }
}
