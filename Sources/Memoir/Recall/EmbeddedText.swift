// Which text of an event can be found by its meaning.
internal import Bytes
internal import EventStore

/// The text by which an event is recalled, and as what; `nil` where it says nothing, or its payload is gone.
///
/// The words of a fact belong to the event that worded it: ``Fact/wordedAt``.
func recallText(of event: RecordedEvent) throws(DamagedBytes) -> (kind: MemoryKind, text: String)? {
  guard EmbeddedText.types.contains(event.type), let event = try MemoirEvent(event) else { return nil }
  let found: (kind: MemoryKind, text: String)? =
    switch event {
    case .messageAdded(let message): (.message, message.content)
    case .factLearned(let fact): (.fact, fact.fact)
    case .factRevised(let fact): fact.fact.map { (.fact, $0) }
    case .sessionEnded(let session): session.summary.map { (.summary, $0) }
    case .episodeRecorded(let episode): (.episode, episode.recallText)
    case .custom(let event): SessionDistilled.summary(of: event).map { (.summary, $0) }
    default: nil
    }
  guard let found, found.text.contains(where: { !$0.isWhitespace }) else { return nil }
  return found
}

enum EmbeddedText {
  static let types: Set<EventTypeCode> = [
    .messageAdded, .factLearned, .factRevised, .sessionEnded, .episodeRecorded, .custom,
  ]

  /// Their names, to read no others.
  static let filter = EventFilter(
    types: Set(types.compactMap { EventSchema.memoir.name(of: $0) } + [SessionDistilled.typeName]))
}
