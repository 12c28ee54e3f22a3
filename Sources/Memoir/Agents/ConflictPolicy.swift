// Changing preferences that others may change at the same time.
public import EventStore
public import JSON

/// What becomes of a change of preferences where others have changed them since the caller looked.
///
/// The profile is made of preferences and facts, so this goes for its name, style and level too.
public enum ConflictPolicy: Sendable {
  /// What is handed in last holds.
  case lastWriteWins
  /// The caller's changes and the others' are merged against what both began from. A key, or a member of an object,
  /// that only one side has changed is that side's; one that both have changed alike is no conflict. What both have
  /// changed to different values is `resolve`'s to decide; where it returns `nil`, the change is refused as
  /// `version_conflict`, with the keys in `details.keys`.
  case merge(resolve: @Sendable (MergeConflict) -> JSONText?)
  /// Any preference set since refuses the change as `version_conflict`, with the keys set in `details.keys`.
  case reject

  /// A three-way merge in which a conflict is refused.
  public static var merge: ConflictPolicy { .merge { _ in nil } }
}

extension MemoirStore {
  /// Sets preferences of a user.
  ///
  /// ```swift
  /// let seen = try store.state(of: bob)
  /// try await store.updatePreferences(["theme": dark], of: bob, basedOn: seen.version)
  /// ```
  /// - Parameters:
  ///   - changes: The new value of each key. What an object no longer has is taken out of it by a merge.
  ///   - base: The version that the caller looked at; without one, where the stream is at this call.
  ///   - policy: What to do where others changed them since.
  ///   - agent: Who says so; kept in the events' metadata.
  /// - Returns: The values that hold now, of the keys handed in. Keys whose value would stay the same are not set again,
  ///   save by ``ConflictPolicy/lastWriteWins``.
  /// - Throws: `version_conflict` with `expected` (the base), `actual` and `keys`; `invalid_argument` for a base beyond
  ///   the head, an empty key, no changes.
  @discardableResult
  public func updatePreferences(
    _ changes: [String: JSONText], of user: StreamName, basedOn base: StreamVersion? = nil,
    policy: ConflictPolicy = .merge, session: SessionID? = nil, agent: String? = nil,
    retry: RetryPolicy = .standard
  ) async throws(MemoirError) -> Updated<[String: JSONText]> {
    guard !changes.isEmpty else { throw .invalid(field: "preferences", "must name at least one key") }
    let before = try stateIfKnown(of: user, at: base.map { .version($0) } ?? .now)
    if before == nil, let base, base > 0 {
      throw .invalid(field: "based_on", "is \(base), beyond the head at 0")
    }
    let seen = base ?? before?.version ?? 0
    let keys = changes.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return try await update(user, retry: retry) { state throws(MemoirError) in
      let present = state?.state.preferences
      var values: [String: JSONText] = [:]
      var events: [EventData] = []
      func set(_ key: String, _ value: JSONText) throws(MemoirError) {
        let content: PreferenceUpdated
        do { content = try PreferenceUpdated(key: key, value: value) } catch { throw MemoirError(error) }
        values[key] = value
        events.append(try event(.preferenceUpdated(content), session: session, agent: agent))
      }
      switch policy {
      case .lastWriteWins:
        for key in keys { if let value = changes[key] { try set(key, value) } }
      case .reject:
        let later = (present?.all ?? []).filter { $0.origin.version > seen }
        if !later.isEmpty { throw .conflict(of: later.map { [$0.key] }, seen, state?.version ?? 0) }
        for key in keys { if let value = changes[key] { try set(key, value) } }
      case .merge(let resolve):
        var merge = ThreeWayMerge(resolve: resolve)
        for key in keys {
          let theirs = present?[key]?.value
          let value = merge.merge(
            base: before?.state.preferences[key]?.value, yours: changes[key], theirs: theirs, at: [key])
          guard let value else { continue }
          if let theirs, theirs.isSame(as: value) { values[key] = theirs } else { try set(key, value) }
        }
        if !merge.conflicts.isEmpty {
          throw .conflict(of: merge.conflicts.map(\.path), seen, state?.version ?? 0)
        }
      }
      return Decision(append: events, result: values)
    }
  }
}

extension MemoirError {
  /// `version_conflict` about preferences.
  ///
  /// - Parameter paths: Where the conflicts are, the key of the preference first.
  fileprivate static func conflict(
    of paths: [[String]], _ expected: StreamVersion, _ actual: StreamVersion
  ) -> MemoirError {
    var keys: [String] = []
    for path in paths { if let key = path.first, keys.last != key { keys.append(key) } }
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("actual")
    writer.integer(actual.number)
    writer.key("expected")
    writer.integer(expected.number)
    writer.key("keys")
    writer.value(JSONText(strings: keys))
    writer.endObject()
    let named = paths.prefix(3).map { $0.joined(separator: ".") }.joined(separator: ", ")
    return MemoirError(
      .versionConflict,
      "since version \(expected) others have set \(named)\(paths.count > 3 ? ", …" : "")",
      details: JSONText(canonical: writer.finish()))
  }
}
