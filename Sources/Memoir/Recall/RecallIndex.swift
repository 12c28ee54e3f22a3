// What recall looks texts up in: a projection of the stream, as any other. Messages have an index of their own, since
// there are many of them and most questions are not about them.
//
// The index of the head serves every earlier point too: what was indexed by a version is what came first, and how often
// a term was said by then is counted there alone.
//
// It only grows, nearly as fast as the log, so it is stored in parts: every 16,384 texts are closed, and change no more.
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
  /// Of each part, how many sessions there were at its end.
  private var sessionsByPart: [Int] = []
  private var partsSize = 0
  private var untakenPart: Int?

  /// So many texts are closed together.
  static let textsOfPart = 16_384

  init() {}

  /// The place of a session among ``sessions``, from 1; `nil` where no text is of it.
  func ordinal(ofSession number: UInt64) -> UInt32? { ordinals[number] }

  mutating func addMessage(_ event: borrowing EventView, _ said: SaidTerms) {
    let session = ordinal(of: event)
    let previous = lastMessages[Int(session)]
    lastMessages[Int(session)] = UInt32(messages.count + 1)
    messages.add(
      IndexedText(
        version: event.version.number, occurredAt: event.occurredAt, kind: .message, session: session,
        previous: previous), said)
    closeIfFull()
  }

  mutating func addMemory(
    _ kind: MemoryKind, _ event: borrowing EventView, _ said: SaidTerms, isReplacement: Bool = false
  ) {
    memories.add(
      IndexedText(
        version: event.version.number, occurredAt: event.occurredAt, kind: kind, isReplacement: isReplacement,
        session: ordinal(of: event), previous: 0), said)
    closeIfFull()
  }

  private mutating func closeIfFull() {
    guard messages.openCount + memories.openCount == Self.textsOfPart else { return }
    messages.close()
    memories.close()
    sessionsByPart.append(sessions.count)
    untakenPart = finishedParts - 1
    partsSize += encodedSize(part: finishedParts - 1)
  }

  private mutating func ordinal(of event: borrowing EventView) -> UInt32 {
    guard let number = event.session?.number.number else { return 0 }
    if let known = ordinals[number] { return known }
    return add(session: number)
  }

  @discardableResult
  private mutating func add(session number: UInt64) -> UInt32 {
    sessions.append(number)
    lastMessages.append(0)
    ordinals[number] = UInt32(sessions.count)
    return UInt32(sessions.count)
  }

  // MARK: Coding

  package static var isStoredInParts: Bool { true }

  var finishedParts: Int { sessionsByPart.count }

  package mutating func takeFinishedPart() -> Int? { untakenPart.take() }

  /// The sessions that were mentioned first in a part; after the last one, since.
  private func sessions(ofPart part: Int) -> ArraySlice<UInt64> {
    sessions[(part > 0 ? sessionsByPart[part - 1] : 0)..<(part < finishedParts ? sessionsByPart[part] : sessions.count)]
  }

  private func encodedSize(part: Int) -> Int {
    let sessions = sessions(ofPart: part).count
    return EncodedSize.varint(sessions) + 8 * sessions + messages.encodedSize(closing: part)
      + memories.encodedSize(closing: part)
  }

  package func encode(part: Int, into writer: inout ByteWriter) {
    writer.writeVarint(sessions(ofPart: part).count)
    writer.write(integers: Array(sessions(ofPart: part)))
    messages.encode(closing: part, into: &writer)
    memories.encode(closing: part, into: &writer)
  }

  package mutating func add(partDecoding reader: inout ByteReader) throws(DamagedBytes) {
    let before = reader.remaining
    let new = try readSessions(&reader)
    let messages = try TermIndex(closingAfter: messages, decoding: &reader)
    let memories = try TermIndex(closingAfter: memories, decoding: &reader)
    guard messages.count + memories.count == Self.textsOfPart else { throw DamagedBytes() }
    try Self.check(messages.columns, memories.columns, sessions: sessions.count + new.count)
    self.messages.add(closing: messages)
    self.memories.add(closing: memories)
    add(new, lastOf: messages.columns, from: self.messages.count - messages.count)
    sessionsByPart.append(sessions.count)
    partsSize += before - reader.remaining
  }

  package var encodedSize: Int {
    let sessions = sessions(ofPart: finishedParts).count
    return EncodedSize.varint(finishedParts) + partsSize + EncodedSize.varint(sessions) + 8 * sessions
      + messages.openEncodedSize + memories.openEncodedSize
  }

  package func encode(into writer: inout ByteWriter) {
    writer.writeVarint(finishedParts)
    for part in 0..<finishedParts { encode(part: part, into: &writer) }
    writer.writeVarint(sessions(ofPart: finishedParts).count)
    writer.write(integers: Array(sessions(ofPart: finishedParts)))
    messages.encodeOpen(into: &writer)
    memories.encodeOpen(into: &writer)
  }

  package init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    for _ in 0..<(try reader.readCount()) { try add(partDecoding: &reader) }
    let new = try readSessions(&reader)
    let first = messages.count
    let open = (try messages.addOpen(decoding: &reader), try memories.addOpen(decoding: &reader))
    guard open.0.count + open.1.count < Self.textsOfPart else { throw DamagedBytes() }
    try Self.check(open.0, open.1, sessions: sessions.count + new.count)
    add(new, lastOf: open.0, from: first)
  }

  /// Sessions that have not been mentioned before.
  private func readSessions(_ reader: inout ByteReader) throws(DamagedBytes) -> [UInt64] {
    let count = try reader.readCount(limit: reader.remaining / 8)
    let new: [UInt64] = try reader.readIntegers(count: count)
    var seen = Set<UInt64>()
    for number in new {
      guard ordinals[number] == nil, seen.insert(number).inserted else { throw DamagedBytes() }
    }
    return new
  }

  /// Refuses texts of sessions that there are not, and such as are of the other index.
  private static func check(
    _ messages: TextColumns, _ memories: TextColumns, sessions: Int
  ) throws(DamagedBytes) {
    for (columns, isOfMessages) in [(messages, true), (memories, false)] {
      for text in 0..<columns.count {
        guard columns.sessions[text] <= sessions,
          (columns.kinds[text] == MemoryKind.message.rawValue) == isOfMessages
        else { throw DamagedBytes() }
      }
    }
  }

  /// Takes in sessions, and which messages are their last: of those from an ordinal on.
  private mutating func add(_ new: [UInt64], lastOf messages: TextColumns, from first: Int) {
    for number in new { add(session: number) }
    for text in 0..<messages.count { lastMessages[Int(messages.sessions[text])] = UInt32(first + text + 1) }
  }
}

/// Folds texts into the index that recall looks them up in.
package struct RecallProjector: Projector {
  package let name = "recall"
  /// Raised with every change of how texts are split, or of how the index is coded.
  package let version = 2
  package let parameters: String
  let analyzers: Analyzers

  init(language: String = "english") {
    parameters = language
    analyzers = Analyzers(language: language)
  }

  package func initialState() -> RecallIndex { RecallIndex() }

  package func apply(_ event: borrowing EventView, to state: inout RecallIndex) throws(DamagedBytes) {
    switch event.type {
    case .messageAdded: state.addMessage(event, try said(in: event.payload, MessageField.content) ?? .nothing)
    case .factLearned, .factRevised:
      if let said = try said(in: event.payload, FactField.fact) { state.addMemory(.fact, event, said) }
    case .sessionEnded:
      // One without a summary too: a later end of the same session does not count, whatever it says.
      state.addMemory(.summary, event, try said(in: event.payload, SessionField.summary) ?? .nothing)
    case .episodeRecorded:
      let episode = try EpisodeRecorded(payload: event.payload)
      state.addMemory(.episode, event, analyzers.withAnalyzer { $0.said(in: episode.recallText) })
    case .custom:
      // A session that is distilled after its end gets another summary.
      if let summary = try SessionDistilled.summary(in: event) {
        state.addMemory(.summary, event, analyzers.withAnalyzer { $0.said(in: summary) }, isReplacement: true)
      }
    default: break
    }
  }

  /// What a payload's text is found by; `nil` where it has none.
  private func said(in payload: RawSpan, _ number: UInt8) throws(DamagedBytes) -> SaidTerms? {
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      guard field.number == number else { continue }
      if field.kind == .text {
        let bytes = field.bytes
        return analyzers.withAnalyzer { $0.said(in: bytes) }
      }
      let text = try field.text()
      return analyzers.withAnalyzer { $0.said(in: text) }
    }
    return nil
  }
}

extension SaidTerms {
  fileprivate static let nothing = SaidTerms(terms: [], length: 0)
}

extension EpisodeRecorded {
  /// All that it says, a line each.
  var recallText: String {
    ([task] + actions.texts + outcomes.texts + (lessons?.texts ?? [])).joined(separator: "\n")
  }
}
