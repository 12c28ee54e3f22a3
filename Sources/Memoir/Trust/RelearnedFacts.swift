// Facts that were learned again after they had been forgotten or superseded.
//
// Such an event changes nothing, as long as those are there that taught the fact and buried it. Were they taken out for
// their age and the later one left, the fact would be back: so it goes with them, whatever its own age.
internal import Bytes
internal import EventStore

/// Finds, as a run comes to them, the events that would bring back what was forgotten.
struct RelearnedFacts {
  private let log: EventLog
  /// Of each person looked at: the events that learned a fact, each with those that learned it again in vain.
  private var known: [StreamName: [StreamVersion: [Place]]] = [:]
  /// What has been found to go before its time.
  private var taken: [StreamName: Set<StreamVersion>] = [:]
  private static let largestCount = 65_536

  private typealias Place = (version: StreamVersion, position: LogPosition)

  init(_ log: EventLog) { self.log = log }

  /// What has to go together with an event about a fact, each once.
  ///
  /// - Complexity: O(events of the person), the first time.
  mutating func after(_ event: ExpiredEvent) throws(ReadError) -> [ExpiredEvent] {
    if known[event.user] == nil {
      if known.count >= Self.largestCount { known.removeAll() }
      known[event.user] = try relearned(by: event.user)
    }
    return (known[event.user]?[event.version] ?? []).compactMap { place in
      guard taken[event.user, default: []].insert(place.version).inserted else { return nil }
      return ExpiredEvent(user: event.user, version: place.version, position: place.position, kind: .facts)
    }
  }

  /// Whether an event has gone already, together with one before it.
  func isTaken(_ event: ExpiredEvent) -> Bool { taken[event.user]?.contains(event.version) ?? false }

  private func relearned(by user: StreamName) throws(ReadError) -> [StreamVersion: [Place]] {
    var facts = FactsState()
    var learned: [ItemKey: StreamVersion] = [:]
    var again: [StreamVersion: [Place]] = [:]
    do throws(ReadError) {
      try log.forEachEvent(of: user, through: .head) { event throws(DamagedBytes) in
        if event.isRedacted { return }
        let (key, change) = try facts.apply(event)
        if change == .learned {
          learned[key] = event.version
        } else if event.type == .factLearned, facts.isGone(key), let first = learned[key] {
          again[first, default: []].append((event.version, event.position))
        }
      }
    } catch {
      // Of a person with a damaged event nobody can tell any state, and so none in which a fact is back.
      guard case .storage(.corrupt) = error else { throw error }
    }
    return again
  }
}
