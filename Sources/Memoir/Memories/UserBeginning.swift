// A user who is known before anything is known of them.
public import EventStore
internal import JSON

extension MemoirStore {
  /// Makes a user known of whom nothing is: by an event that says no more than that.
  ///
  /// - Returns: Whether nobody had heard of the user before.
  @discardableResult
  public func begin(_ user: StreamName, agent: String? = nil) async throws(MemoirError) -> Bool {
    if try stateIfKnown(of: user) != nil { return false }
    let now = clock()
    let event: EventData
    do throws(InvalidValue) {
      event = try EventData(
        .custom(try CustomEvent(type: "UserBegun", data: .emptyObject)), id: .generate(at: now), occurredAt: now,
        metadata: SessionEventMetadata(agent: agent).json)
    } catch {
      throw MemoirError(error)
    }
    do throws(MemoirError) {
      try await append([event], to: user, expecting: .noStream)
      return true
    } catch {
      if error.code == .versionConflict { return false }
      throw error
    }
  }
}
