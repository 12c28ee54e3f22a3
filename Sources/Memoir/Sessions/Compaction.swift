// The levels of memory, and how sessions come to the last: many old ones in one summary. The log loses nothing by it.
internal import Bytes
public import EventStore
internal import JSON

/// A person's conversations by how closely they are remembered.
public struct MemoryLevels: Sendable {
  /// Open sessions, in full.
  public let working: [Session]
  /// Those that ended last, each with its summary, by end.
  public let shortTerm: [Session]
  /// The latest combined summaries of older ones.
  public let longTerm: [CompactedSessions]
  /// What is known, whichever conversation it was learned in.
  public let semantic: [Fact]
}

extension StateAt {
  /// Open sessions in full, the last with their summaries, older ones combined, and the facts.
  public var levels: MemoryLevels {
    MemoryLevels(
      working: state.sessions.open, shortTerm: state.sessions.ended, longTerm: state.sessions.compacted, semantic: facts
    )
  }
}

extension MemoirStore {
  /// Combines sessions that ended long ago, if enough of them did; see ``CompactionPolicy``.
  ///
  /// Each group is a `SessionsCompacted` whose id follows from its first session, and which is appended only to the state
  /// it was decided on. So what several processes do at a time is done once.
  ///
  /// - Returns: How many such events this call appended.
  /// - Complexity: O(size of the state), save where there is something to combine, every 31 sessions by the default:
  ///   then O(events of the user).
  @discardableResult
  public func compactSessions(of user: StreamName) async throws(MemoirError) -> Int {
    let policy = sessionPolicy.compaction
    let time = clock()
    return try await deciding(on: user) { state throws(MemoirError) in
      guard let state, state.state.sessions.mayBeCompacted(by: policy) else { return ([], ()) }
      let events = try compactions(of: state, by: policy, at: time)
      return (events, ())
    }.eventIDs.count
  }

  private func compactions(
    of state: StateAt, by policy: CompactionPolicy, at time: Timestamp
  ) throws(MemoirError) -> [EventData] {
    let combined = try compactedNames(of: state)
    let ended = try allSessions(of: state.user, at: .version(state.version)).filter {
      $0.end != nil && !combined.contains($0.id)
    }
    guard ended.count > policy.threshold else { return [] }
    let old = ended.dropLast(policy.keptCount)
    var events: [EventData] = []
    var first = old.startIndex
    while let end = old.index(first, offsetBy: max(1, policy.groupSize), limitedBy: old.endIndex), end > first {
      let group = old[first..<end]
      do throws(InvalidValue) {
        let event = try SessionsCompacted(
          sessions: group.map(\.id), summary: CombinedSummary.text(of: Array(group), limit: policy.summarySize))
        events.append(
          try EventData(
            .sessionsCompacted(event), id: group[first].derivedID("compacted"), occurredAt: time))
      } catch {
        throw MemoirError(error)
      }
      first = end
    }
    return events
  }

  /// The sessions that any combined summary names.
  private func compactedNames(of state: StateAt) throws(MemoirError) -> Set<SessionID> {
    var names: Set<SessionID> = []
    do {
      let filter = EventFilter(types: ["SessionsCompacted"])
      var next: StreamVersion? = 1
      while let start = next, start <= state.version {
        let page = try log.readStream(state.user, from: start, to: state.version, filter: filter)
        for event in page.events where !event.isRedacted {
          names.formUnion(try SessionsCompacted(payload: event.payload.rawSpan).sessions)
        }
        next = page.next
      }
    } catch {
      throw MemoirError(error)
    }
    return names
  }
}

extension SessionsState {
  /// Whether more sessions have ended than are combined or may stand by themselves.
  fileprivate func mayBeCompacted(by policy: CompactionPolicy) -> Bool {
    Int(clamping: total) - openCount - Int(clamping: compactedTotal) > policy.threshold
  }
}

/// The one summary of several sessions, made of theirs.
enum CombinedSummary {
  /// A line a session: its day, and as much of its summary as fits.
  static func text(of sessions: [Session], limit: Int) -> String {
    // Every session gets its share, so that none pushes another out.
    let share = max(limit / max(sessions.count, 1) - 1, 0)
    let lines = sessions.map { session -> String in
      let summary = session.end?.summary ?? ""
      let said = summary.isEmpty ? "\(session.messageCount) messages" : summary
      return "\(session.startedAt.description.prefix(10)): \(said)".onOneLine.cut(toSize: share)
    }
    return lines.joined(separator: "\n").cut(toSize: limit)
  }
}
