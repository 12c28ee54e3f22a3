// How texts are found in any language and spelling, and at which times questions mean.
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `A text is found by` {
  /// Texts, each with words that must find it and nothing else.
  private static let texts: [(text: String, questions: [String])] = [
    ("Meet me at the café Zoë", ["cafe", "CAFÉ", "cafe\u{301}", "zoe", "ZOË"]),
    ("Straße und Übergröße", ["STRASSE", "straße", "ubergrosse", "Übergröße"]),
    ("Я купил книгу в Москве", ["КНИГУ", "москве", "Москве"]),
    ("Η Αθήνα είναι όμορφη", ["ΑΘΗΝΑ", "αθηνα", "όμορφη"]),
    ("أحب القهوة في الصباح", ["القهوة", "الصباح"]),
    ("मुझे चाय पसंद है", ["चाय", "पसंद"]),
    ("ฉันชอบกาแฟเย็น", ["กาแฟ"]),
    ("我明天去上海开会", ["上海", "我什么时候去上海？"]),
    ("東京タワーに行きたい", ["東京タワー", "行きたい"]),
    ("서울에서 만나요", ["서울에서"]),
    ("Party 🎉at🎉 seven", ["party", "seven"]),
    ("The ticket is PROJ-123", ["proj-123", "PROJ-123"]),
    ("Call user_id in snake_case", ["user_id", "snake_case"]),
    ("My number is 619-275-5700", ["619-275-5700", "5700"]),
    ("It cost 1,250 dollars", ["1,250", "1250"]),
    ("I write C++ at night", ["C++", "c++"]),
    ("She prefers C#", ["C#"]),
    ("Upgraded to v2.14.3 yesterday", ["v2.14.3"]),
    ("Write to ann.lee@example.org", ["ann.lee@example.org", "example.org"]),
    ("The O'Brien account", ["O'Brien", "O’Brien", "obrien"]),
    ("Breakfast at 10:30", ["10:30"]),
    ("ｆｕｌｌｗｉｄｔｈ ﬁsh", ["fullwidth", "fish"]),
    ("He was running through cities", ["run", "city", "runs", "Cities"]),
    ("A well-known secret", ["well-known", "known"]),
    ("naïve co\u{00AD}operation", ["naive", "cooperation"]),
  ]

  @Test func `its words, whatever the script and the spelling`() async throws {
    let store = try RecallStore()
    for text in Self.texts { try store.say(text.text) }
    for (text, questions) in Self.texts {
      for question in questions {
        let found = try await store.messages(question, topK: 3)
        #expect(found.first?.content == text, "\(question)")
        #expect(found.first?.parts.words ?? 0 > 0, "\(question)")
      }
    }
  }

  // Of such texts nothing was indexed, so no question found them.
  @Test(arguments: [
    ("Who are you?", "who are you"), ("👍🏽🦊", "🦊"), ("❤️", "❤"), ("Yes, please.", "please"), ("to be", "be"),
  ]) func `stop words and symbols, where it has nothing else`(text: String, question: String) async throws {
    let store = try RecallStore()
    try store.say(text, session: "s-1")
    try store.say("The fox sleeps at noon", session: "s-1")
    let found = try await store.messages(question)
    #expect(found.first?.content == text && found.first?.parts.words ?? 0 > 0)
    #expect(try await store.messages("fox").map(\.content) == ["The fox sleeps at noon"])
  }

  @Test func `no stop word or symbol, where it has anything else`() async throws {
    let store = try RecallStore()
    try store.say("You are the fox 🦊")
    try store.say("The fox sleeps")
    for question in ["are you", "🦊"] {
      #expect(try await store.messages(question).allSatisfy { $0.parts.words == 0 }, "\(question)")
    }
  }

  @Test(arguments: [
    ("PROJ-123", "PROJ-124"), ("619-275-5700", "619-275-5711"), ("C++", "C#"), ("user_id", "user_ids"),
    ("上海", "海南"), ("v2.14.3", "v2.14.4"),
  ]) func `no other identifier before its own`(own: String, other: String) async throws {
    let store = try RecallStore()
    // What comes later would be first among equals.
    let first = try store.say("It is about \(own) here")
    try store.say("It is about \(other) there")
    #expect(try await store.messages(own, topK: 1).map(\.event.id) == [first])
  }

  @Test func `no word of a stem that only looks alike`() async throws {
    let store = try RecallStore()
    try store.say("The universe is large")
    for question in ["unicorn", "univ", "enlarge"] {
      #expect(try await store.messages(question).first?.parts.words == 0, "\(question)")
    }
  }

  // Marks on one letter were once put in order in the square of their number.
  @Test(arguments: ["é", "上", "ab ", "\u{0301}\u{0323}", "😀", "1.", "\u{FDFA}"])
  func `something of it, however long it is`(unit: String) async throws {
    try await checkIsFound(among: String(repeating: unit, count: 100_000 / unit.utf8.count))
  }

  @Test func `a word before one of a megabyte`() async throws {
    try await checkIsFound(among: String(repeating: "a", count: Limits.textSize - 20))
  }

  private func checkIsFound(among rest: String) async throws {
    let store = try RecallStore()
    let id = try store.say("needle " + rest)
    try store.say("hay")
    #expect(try await store.messages("needle", topK: 1).map(\.event.id) == [id])
  }

  @Test(arguments: 1...20) func `no bytes that trap`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<200 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...60, using: &random) {
        if Bool.random(using: &random) {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        } else if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) {
          bytes += Array(String(Character(scalar)).utf8)
        }
      }
      Analyzers(language: "english").withAnalyzer { analyzer in
        let terms = analyzer.said(in: bytes.rawSpan).terms
        // What is not UTF-8 has no words; what is has the same ones each time.
        if String(validating: bytes, as: UTF8.self) == nil { #expect(terms.isEmpty, "seed \(seed)") }
        #expect(analyzer.said(in: bytes.rawSpan).terms == terms)
      }
    }
  }
}

@Suite struct `The time that a question names` {
  /// A Wednesday.
  private static let now = "2026-11-18T15:00:00Z"

  /// The days of the first range, and how many ranges there are.
  private func days(_ question: String, now: String = now) throws -> (first: String, last: String, count: Int)? {
    let time = QueryTime(of: question, now: try Timestamp(now))
    guard let range = time.ranges.last else { return nil }
    let ends = [range.lowerBound, range.upperBound].map { Timestamp(clamping: $0).description }
    #expect(ends[0].hasSuffix("T00:00:00.000000Z") && ends[1].hasSuffix("T23:59:59.999999Z"))
    return (String(ends[0].prefix(10)), String(ends[1].prefix(10)), time.ranges.count)
  }

  @Test(arguments: [
    ("What did I buy in May 2025?", "2025-05-01", "2025-05-31"),
    ("and in february 2024", "2024-02-01", "2024-02-29"), ("in Feb 2025", "2025-02-01", "2025-02-28"),
    ("in December 2025", "2025-12-01", "2025-12-31"), ("on 3 March 2026", "2026-03-03", "2026-03-03"),
    ("on March 3rd, 2026", "2026-03-03", "2026-03-03"), ("the 29th of", nil, nil),
    ("on 2026-03-14", "2026-03-14", "2026-03-14"), ("29 February 2024", "2024-02-29", "2024-02-29"),
    ("2024-02-29", "2024-02-29", "2024-02-29"), ("in 2023", "2023-01-01", "2023-12-31"),
    ("since 2024", "2024-01-01", "2024-12-31"), ("what did I say today", "2026-11-18", "2026-11-18"),
    ("tonight", "2026-11-18", "2026-11-18"), ("yesterday", "2026-11-17", "2026-11-17"),
    ("last week", "2026-11-09", "2026-11-15"), ("this week", "2026-11-16", "2026-11-22"),
    ("last month", "2026-10-01", "2026-10-31"), ("this month", "2026-11-01", "2026-11-30"),
    ("last year", "2025-01-01", "2025-12-31"), ("this year", "2026-01-01", "2026-12-31"),
    ("last Monday", "2026-11-16", "2026-11-16"), ("last Wednesday", "2026-11-11", "2026-11-11"),
    ("on Friday", "2026-11-13", "2026-11-13"), ("on Wednesday", "2026-11-18", "2026-11-18"),
    ("two days ago", "2026-11-16", "2026-11-16"), ("a week ago", "2026-11-08", "2026-11-14"),
    ("the last 3 days", "2026-11-15", "2026-11-18"), ("past two weeks", "2026-11-04", "2026-11-18"),
    ("may I ask you something", nil, nil), ("what may come", nil, nil), ("room 2024", nil, nil),
    ("I have 3 days", nil, nil), ("second thoughts", nil, nil), ("", nil, nil),
    ("last", nil, nil), ("ago ago ago", nil, nil), ("99999 days ago", nil, nil),
  ]) func `is read`(question: String, first: String?, last: String?) throws {
    let found = try days(question)
    #expect(found?.first == first && found?.last == last, "\(question): \(String(describing: found))")
  }

  @Test func `is a month of any late year where none is given`() throws {
    let found = try #require(try days("in August"))
    #expect(found.first == "2026-08-01" && found.count == 11)
    let time = QueryTime(of: "in August", now: try Timestamp(Self.now))
    #expect(time.contains(try Timestamp("2019-08-31T23:59:59.999999Z").microseconds))
    #expect(!time.contains(try Timestamp("2019-09-01T00:00:00Z").microseconds))
    #expect(!time.contains(try Timestamp("2010-08-01T00:00:00Z").microseconds))
  }

  @Test(arguments: ["1970-01-01T00:00:00Z", "1970-01-03T12:00:00Z", "2026-11-18T15:00:00Z", "9999-12-31T23:59:59Z"])
  func `is never outside of what a time can be`(now: String) throws {
    let now = try Timestamp(now)
    var random = SeededRandom(seed: 3)
    let words = [
      "last", "this", "past", "on", "in", "of", "ago", "a", "two", "few", "0", "1", "31", "32", "1970", "2200", "9999",
      "0000", "1st", "th", "stst", "day", "weeks", "months", "year", "years", "monday", "sunday", "may", "feb", "sept",
      "december", "today", "yesterday", "é", "-", "2024-02-31", "since", "until",
    ]
    for _ in 0..<3_000 {
      let question = (0..<Int.random(in: 1...6, using: &random)).map { _ in
        words[Int.random(in: 0..<words.count, using: &random)]
      }.joined(separator: " ")
      for range in QueryTime(of: question, now: now).ranges {
        #expect(Timestamp(microseconds: range.lowerBound) != nil, "\(question)")
        #expect(Timestamp(microseconds: range.upperBound) != nil, "\(question)")
      }
    }
  }
}
