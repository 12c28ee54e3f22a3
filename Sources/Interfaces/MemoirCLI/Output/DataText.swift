// How the memory's values look to people: JSON values, points in time, confidence.
import JSON
import Memoir

extension JSONText {
  /// A string without its quotation marks, a simple object as `key value` pairs, anything else as JSON.
  var shown: String {
    switch kind {
    case .string: return (try? JSONParser().parse(utf8) { $0.string }) ?? description
    case .object where utf8.count > 2:
      let pairs = try? JSONParser().parse(utf8) { node throws in
        var pairs: [String] = []
        var rest = node.members
        while let member = rest.next() {
          // What holds more than a value is better left as it is.
          if member.value.kind == .object || member.value.kind == .array { return [String]?.none }
          pairs.append("\(member.key.string ?? "") \(JSONText(member.value).shown)")
        }
        return pairs
      }
      guard let pairs else { return description }
      return pairs.joined(separator: ", ")
    default: return description
    }
  }
}

extension AsOfText {
  /// The end of a sentence: `now`, `after event 12`, `as known on 2026-03-02 14:00:00Z`.
  var shown: String {
    switch self {
    case .start: "before the first event"
    case .now: "now"
    case .version(let version): "after event \(Quantity.count(version.number))"
    case .position(let position): "at position \(Quantity.count(position.number))"
    case .recorded(let time): "as known on \(time.second)"
    case .occurred(let time): "as it was on \(time.second)"
    }
  }
}

extension Fraction {
  /// `97%`
  var percent: String { "\(Int((value * 100).rounded()))%" }
}

extension Fact {
  /// The id it was given; `nil` where it goes by its event's, which says nothing to people.
  var ownID: String? { factID == FactID(origin.id) ? nil : factID.description }
}

extension MemoirEvent {
  /// What the event says, in a line.
  var summary: String {
    switch self {
    case .sessionStarted: "a session began"
    case .messageAdded(let message): "\(message.role): \(message.content)"
    case .factLearned(let fact): fact.fact
    case .factRevised(let fact):
      fact.fact ?? fact.supersededBy.map { "superseded by \($0)" } ?? fact.otherChanges
    case .factForgotten(let fact): "forgotten" + (fact.reason.map { ": \($0)" } ?? "")
    case .preferenceUpdated(let preference): "\(preference.key) is \(preference.value.shown)"
    case .relationshipLearned(let relationship):
      "\(relationship.subject) \(relationship.predicate) \(relationship.object)"
    case .episodeRecorded(let episode): episode.task
    case .sessionEnded(let end): end.summary ?? end.reason ?? "a session ended"
    case .sessionsCompacted(let compaction): compaction.summary
    case .userErased: "everything before was erased"
    case .custom(let event): "\(event.type) \(event.data)"
    }
  }
}

extension FactRevised {
  /// What is otherwise of a fact that is said in the same words: `confidence 90%, until 2026-03-09`.
  fileprivate var otherChanges: String {
    var changes: [String] = []
    if let category { changes.append("category \(category)") }
    if let confidence { changes.append("confidence \(confidence.percent)") }
    if let importance { changes.append("importance \(importance)") }
    if let memoryType { changes.append("type \(memoryType)") }
    if let tags { changes.append("tags \(tags.joined(separator: ", "))") }
    if let expiresAt { changes.append("until \(expiresAt.day)") }
    if metadata != nil { changes.append("metadata") }
    return changes.isEmpty ? "confirmed" : changes.joined(separator: ", ")
  }
}

extension RecordedEvent {
  /// What the event says, in a line.
  var summary: String {
    if isRedacted { return "erased" }
    return (try? MemoirEvent(self))?.summary ?? typeName
  }
}
