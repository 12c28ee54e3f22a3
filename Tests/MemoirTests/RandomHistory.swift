// Random histories: every type of event, late ones, repeated ids, sessions that overlap, are left open, or go on
// after their end.
import EventStore
import JSON
import Memoir
import TestSupport

extension History {
  /// A history of so many events.
  static func random(events count: Int, with random: inout SeededRandom) throws -> History {
    var history = History()
    let sessionCount = Int.random(in: 1...60, using: &random)
    let factCount = Int.random(in: 1...30, using: &random)
    for number in 1...count {
      let session =
        Int.random(in: 0..<10, using: &random) == 0
        ? nil
        : "s-\(min(number * sessionCount / count, sessionCount) + Int.random(in: 0...4, using: &random))"
      // One in five comes in late, or early.
      let jitter = Int.random(in: 0..<5, using: &random) == 0 ? Int.random(in: -60...60, using: &random) : 0
      try history.append(
        event(facts: factCount, hasSession: session != nil, with: &random), session: session,
        at: 1_000 + number + jitter)
      if Int.random(in: 0..<40, using: &random) == 0 { history.redact(number) }
    }
    return history
  }

  private static func event(
    facts: Int, hasSession: Bool, with random: inout SeededRandom
  ) throws -> MemoirEvent {
    func maybe<T>(_ value: @autoclosure () throws -> T) rethrows -> T? {
      Bool.random(using: &random) ? try value() : nil
    }
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func factID() throws -> FactID {
      let number = number(1...facts)
      // Some ids are those of events, as of facts without an id of their own.
      return number % 2 == 0 ? FactID(History.id(number * 7)) : try FactID("fact-\(number) of a longer name")
    }
    let fractions: [Fraction] = [0, 1, 0.25, try Fraction(text: "0.90"), try Fraction(text: "5e-1")]
    let texts = ["a", "tea", "grün", "🙂", "line\nbreak", "0193f9a0-0000-7000-8000-000000000001"]
    func text() -> String { texts[number(0...texts.count - 1)] }
    func fraction() -> Fraction { fractions[number(0...fractions.count - 1)] }
    func object() -> JSONText { JSONText(canonical: Array("{\"n\":\(number(0...9))}".utf8)) }
    switch number(0...24) {
    case 0...8:
      return .messageAdded(
        try MessageAdded(
          role: MessageRole.allCases[number(0...3)], content: text(), messageID: maybe(MessageID("m"))))
    case 9, 10:
      return .factLearned(
        try FactLearned(
          fact: text(), category: ["interest", "goal", "food"][number(0...2)], confidence: fraction(),
          factID: maybe(factID()), importance: maybe(fraction()), memoryType: maybe(.episodic),
          tags: maybe([text(), text()]), sourceMessageID: maybe(MessageID("m-\(number(0...9))")),
          expiresAt: maybe(History.time(number(900...1_500))), metadata: maybe(object())))
    case 11, 12:
      return .factRevised(
        try FactRevised(
          factID: factID(), fact: maybe(text()), category: maybe("goal"), confidence: maybe(fraction()),
          importance: maybe(fraction()), tags: maybe([]), expiresAt: maybe(History.time(number(900...1_500))),
          metadata: maybe(object()), supersededBy: number(0...9) == 0 ? FactID("another") : nil))
    case 13: return .factForgotten(try FactForgotten(factID: factID(), reason: maybe(text())))
    case 14, 15:
      let values = [JSONText.null, JSONText(string: text()), object()]
      return .preferenceUpdated(
        try PreferenceUpdated(key: text() + String(number(0...1)), value: values[number(0...2)]))
    case 16:
      return .relationshipLearned(
        try RelationshipLearned(
          subject: text(), predicate: "p", object: text(), confidence: maybe(fraction())))
    case 17:
      return .episodeRecorded(
        try EpisodeRecorded(
          task: text(), actions: ["x", "y"], outcomes: "one", success: Bool.random(using: &random),
          lessons: maybe([text()])))
    case 18: return .custom(try CustomEvent(type: "Acme.Ping", data: object()))
    case 19:
      return .sessionsCompacted(try SessionsCompacted(sessions: [SessionID("s-1")], summary: text()))
    case 24:
      // Those without a summary, or without a session, change nothing.
      let summary = JSONText(canonical: Array((number(0...2) == 0 ? "{}" : "{\"summary\":\"\(number(0...9))\"}").utf8))
      return .custom(try CustomEvent(type: "SessionDistilled", data: summary))
    case 20, 21:
      guard hasSession else { return .custom(try CustomEvent(type: "NoSession", data: .null)) }
      return .sessionStarted(
        try SessionStarted(metadata: maybe(object()), idleTimeoutSeconds: maybe(number(0...1) == 0 ? 0 : 60)))
    default:
      guard hasSession else { return .custom(try CustomEvent(type: "NoSession", data: .null)) }
      return .sessionEnded(try SessionEnded(reason: maybe("closed"), summary: maybe(text())))
    }
  }
}
