// What recall looks texts up in: a projection of the stream, as any other. Messages have an index of their own, since
// there are many of them and most questions are not about them.
//
// The index of the head serves every earlier point too: what was indexed by a version is the part that came first, and
// how often a term was said by then is counted in that part alone.
package import Bytes
package import EventStore

/// Messages, and all other memories, by term.
package struct RecallIndex: ProjectionState {
  private(set) var messages = TermIndex()
  private(set) var memories = TermIndex()
  /// The sessions that a text is of, in the order of first mention.
  private(set) var sessions: [UInt64] = []
  private var ordinals: [UInt64: UInt32] = [:]
  /// The last message of no session, and of each: its ordinal plus one; 0 for none.
  private var lastMessages: [UInt32] = [0]

  init() {}

  /// The place of a session among ``sessions``, from 1; `nil` where no text is of it.
  func ordinal(ofSession number: UInt64) -> UInt32? { ordinals[number] }

  mutating func addMessage(_ event: borrowing EventView, _ terms: [Term]) {
    let session = ordinal(of: event)
    let previous = lastMessages[Int(session)]
    lastMessages[Int(session)] = UInt32(messages.count + 1)
    messages.add(
      IndexedText(
        version: event.version.number, occurredAt: event.occurredAt, kind: .message, session: session,
        previous: previous), terms)
  }

  mutating func addMemory(
    _ kind: MemoryKind, _ event: borrowing EventView, _ terms: [Term], isReplacement: Bool = false
  ) {
    memories.add(
      IndexedText(
        version: event.version.number, occurredAt: event.occurredAt, kind: kind, isReplacement: isReplacement,
        session: ordinal(of: event), previous: 0), terms)
  }

  private mutating func ordinal(of event: borrowing EventView) -> UInt32 {
    guard let number = event.session?.number.number else { return 0 }
    if let known = ordinals[number] { return known }
    sessions.append(number)
    lastMessages.append(0)
    ordinals[number] = UInt32(sessions.count)
    return UInt32(sessions.count)
  }

  package var encodedSize: Int {
    messages.encodedSize + memories.encodedSize + EncodedSize.varint(sessions.count) + 12 * sessions.count + 4
  }

  package func encode(into writer: inout ByteWriter) {
    writer.writeVarint(sessions.count)
    for number in sessions { writer.write(number) }
    for message in lastMessages { writer.write(message) }
    messages.encode(into: &writer)
    memories.encode(into: &writer)
  }

  package init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount(limit: reader.remaining / 12)
    sessions.reserveCapacity(count)
    ordinals.reserveCapacity(count)
    for index in 0..<count {
      let number = try reader.readUInt64()
      sessions.append(number)
      guard ordinals.updateValue(UInt32(index + 1), forKey: number) == nil else { throw DamagedBytes() }
    }
    lastMessages.removeAll()
    for _ in 0...count { lastMessages.append(try reader.readUInt32()) }
    messages = try TermIndex(decoding: &reader)
    memories = try TermIndex(decoding: &reader)
    let limit = messages.count
    guard lastMessages.allSatisfy({ Int($0) <= limit }) else { throw DamagedBytes() }
    for (index, isOfMessages) in [(messages, true), (memories, false)] {
      var isSound = true
      index.forEachPart { columns, _ in
        for session in columns.sessions where Int(session) > count { isSound = false }
        for kind in columns.kinds where (kind == MemoryKind.message.rawValue) != isOfMessages { isSound = false }
      }
      guard isSound else { throw DamagedBytes() }
    }
  }
}

/// Folds texts into the index that recall looks them up in.
package struct RecallProjector: Projector {
  package let name = "recall"
  /// Raised with every change of how texts are split, or of how the index is coded.
  package let version = 1
  package let parameters: String
  let analyzers: Analyzers

  init(language: String = "english") {
    parameters = language
    analyzers = Analyzers(language: language)
  }

  package func initialState() -> RecallIndex { RecallIndex() }

  package func apply(_ event: borrowing EventView, to state: inout RecallIndex) throws(DamagedBytes) {
    switch event.type {
    case .messageAdded: state.addMessage(event, try terms(of: event.payload, in: MessageField.content) ?? [])
    case .factLearned, .factRevised:
      if let terms = try terms(of: event.payload, in: FactField.fact) { state.addMemory(.fact, event, terms) }
    case .sessionEnded:
      // One without a summary too: a later end of the same session does not count, whatever it says.
      state.addMemory(.summary, event, try terms(of: event.payload, in: SessionField.summary) ?? [])
    case .episodeRecorded:
      let episode = try EpisodeRecorded(payload: event.payload)
      state.addMemory(.episode, event, analyzers.withAnalyzer { $0.terms(of: episode.recallText) })
    case .custom:
      // A session that is distilled after its end gets another summary.
      if let summary = try SessionDistilled.summary(in: event) {
        state.addMemory(.summary, event, analyzers.withAnalyzer { $0.terms(of: summary) }, isReplacement: true)
      }
    default: break
    }
  }

  /// The terms of a payload's text; `nil` where it has none.
  private func terms(of payload: RawSpan, in number: UInt8) throws(DamagedBytes) -> [Term]? {
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      guard field.number == number else { continue }
      if field.kind == .text {
        let bytes = field.bytes
        return analyzers.withAnalyzer { $0.terms(of: bytes) }
      }
      let text = try field.text()
      return analyzers.withAnalyzer { $0.terms(of: text) }
    }
    return nil
  }
}

extension EpisodeRecorded {
  /// All that it says, a line each.
  var recallText: String {
    ([task] + actions.texts + outcomes.texts + (lessons?.texts ?? [])).joined(separator: "\n")
  }
}
