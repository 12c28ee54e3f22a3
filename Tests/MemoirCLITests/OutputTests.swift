// What people see: safe text, straight columns, readable figures.

import Memoir
import Testing

@testable import MemoirCLI

@Suite struct `Text on a terminal` {
  @Test(arguments: [
    ("plain text", "plain text"),
    ("two\nlines\tand\r", #"two\nlines\tand\r"#),
    ("\u{1B}]0;title\u{7}", #"\u{1B}]0;title\u{7}"#),
    ("\u{9B}2J", #"\u{9B}2J"#),
    ("abc\u{202E}def\u{2066}", #"abc\u{202E}def\u{2066}"#),
    ("pass\u{200B}word\u{FEFF}", #"pass\u{200B}word\u{FEFF}"#),
    ("a\u{200D}b", #"a\u{200D}b"#),
    ("1\u{FE0F}", #"1\u{FE0F}"#),
    ("\u{E0041}\u{3164}\u{AD}", #"\u{E0041}\u{3164}\u{AD}"#),
    ("\u{2028}\u{FFFE}", #"\u{2028}\u{FFFE}"#),
    ("Grüße, 世界, مرحبا, e\u{301}", "Grüße, 世界, مرحبا, e\u{301}"),
    ("👩‍👩‍👧 👍🏽 ❤️ 🇩🇪", "👩‍👩‍👧 👍🏽 ❤️ 🇩🇪"),
  ])
  func `shows what would steer it or hide, and leaves the rest`(text: String, shown: String) {
    #expect(SafeText.line(text).unicodeScalars.elementsEqual(shown.unicodeScalars))
  }

  @Test func `keeps the line breaks of long text, and nothing else`() {
    #expect(SafeText.lines("a\r\nb\n\n\tc\rd\u{85}") == ["a", "b", "", #"    c\rd\u{85}"#])
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("é", 1), ("e\u{301}\u{302}", 1), ("世界", 4), ("한글", 4),
    ("\u{1112}\u{1161}\u{11AB}", 2),
    ("ﾊﾝｶｸ", 4), ("Ａ", 2), ("👍", 2), ("👍🏽", 2), ("👩‍👩‍👧", 2), ("❤️", 2), ("❤", 1), ("🇩🇪", 2), ("…", 1), ("█", 1),
    ("नमस्ते", 4), ("✓", 1),
  ])
  func `takes as many columns as terminals give it`(text: String, columns: Int) {
    #expect(DisplayWidth.of(text) == columns)
  }

  @Test func `is cut at a column, never inside a character`() {
    #expect(StyledText("abcdef").truncated(to: 6).plain == "abcdef")
    #expect(StyledText("abcdef").truncated(to: 5).plain == "abcd…")
    #expect(StyledText("世界人").truncated(to: 4).plain == "世…")
    #expect(StyledText("👩‍👩‍👧👩‍👩‍👧").truncated(to: 3).plain == "👩‍👩‍👧…")
    #expect(StyledText("abc").truncated(to: 1).plain == "…")
    #expect(StyledText("abc").truncated(to: 0).plain == "")
    let pieces: StyledText = "\("ab", .bold)\("cd", .dim)"
    #expect(pieces.truncated(to: 3).plain == "ab…")
    #expect(pieces.truncated(to: 2).plain == "a…")
  }

  @Test func `has styles around its pieces where colour is shown`() {
    let text: StyledText = "kept \("bob", .accent) at \(12)"
    #expect(text.rendered(by: Paint(isEnabled: true)) == "kept \u{1B}[36mbob\u{1B}[0m at 12")
    #expect(text.plain == "kept bob at 12")
    #expect(text.width == 14)
  }

  @Test func `cannot bring styles of its own`() {
    let text: StyledText = "\("\u{1B}[31mred", .bold)"
    #expect(text.rendered(by: Paint(isEnabled: true)) == "\u{1B}[1m\\u{1B}[31mred\u{1B}[0m")
  }
}

@Suite struct `Colour` {
  private func isShown(terminal: Bool, _ environment: [String: String]) -> Bool {
    Console(sink: RecordingSink(), isTerminal: terminal, environment: { environment[$0] }).paint.isEnabled
  }

  @Test func `is for terminals`() {
    #expect(isShown(terminal: true, [:]))
    #expect(!isShown(terminal: false, [:]))
  }

  @Test func `can be refused`() {
    #expect(!isShown(terminal: true, ["NO_COLOR": "1"]))
    #expect(isShown(terminal: true, ["NO_COLOR": ""]))
    #expect(!isShown(terminal: true, ["TERM": "dumb"]))
  }
}

@Suite struct `Wrapped text` {
  @Test func `breaks between words and hangs`() {
    #expect(
      Wrapping.lines("The quick brown fox jumps over it", width: 16, first: "• ", rest: "  ") == [
        "• The quick", "  brown fox", "  jumps over it",
      ])
  }

  @Test func `keeps paragraphs, and cuts a word that fits nowhere`() {
    #expect(Wrapping.lines("a b\n\nabcdefghij k", width: 4) == ["a b", "", "abcd", "efgh", "ij k"])
    #expect(Wrapping.lines("a abcdefgh b", width: 4, cuttingWords: false) == ["a", "abcdefgh", "b"])
    #expect(Wrapping.lines("世界人民", width: 4) == ["世界", "人民"])
  }

  @Test func `ends, however narrow the line`() {
    #expect(Wrapping.lines("世界", width: 1) == ["世界"])
    #expect(Wrapping.lines("", width: 10) == [""])
  }
}

@Suite struct `A table` {
  private func table() -> TextTable {
    var table = TextTable([.fixed("user", .accent), .number("events"), .flexible("last message", atLeast: 8)])
    table.add(["bob", "12,174", "Could we look at the pool again?"])
    table.add(["世界", "3", "ok"])
    return table
  }

  @Test func `has straight columns, whatever the characters`() {
    #expect(
      table().lines(width: nil, paint: .none) == [
        "user  events  last message",
        "bob   12,174  Could we look at the pool again?",
        "世界       3  ok",
      ])
  }

  @Test func `cuts what may be cut to the terminal's width`() {
    #expect(
      table().lines(width: 30, paint: .none) == [
        "user  events  last message",
        "bob   12,174  Could we look a…",
        "世界       3  ok",
      ])
  }

  @Test func `cuts everything before it grows too wide`() {
    for width in 7...60 {
      for line in table().lines(width: width, paint: .none) { #expect(DisplayWidth.of(line) <= width) }
    }
  }

  @Test func `is painted without moving a column`() {
    let lines = table().lines(width: nil, paint: Paint(isEnabled: true))
    #expect(lines[0] == "\u{1B}[1muser\u{1B}[0m  \u{1B}[1mevents\u{1B}[0m  \u{1B}[1mlast message\u{1B}[0m")
    #expect(lines[1] == "\u{1B}[36mbob\u{1B}[0m   12,174  Could we look at the pool again?")
  }

  @Test func `shows what a cell would do to the terminal`() {
    var table = TextTable([.flexible("content")])
    table.add([StyledText("a\nb\u{1B}[2J")])
    #expect(table.lines(width: nil, paint: .none)[1] == #"a\nb\u{1B}[2J"#)
  }
}

@Suite struct `A console` {
  @Test func `writes headings, values and paragraphs`() throws {
    let sink = RecordingSink()
    let console = Console(sink: sink, isTerminal: false)
    var values = KeyValues()
    values.add("user", "bob")
    values.add("version", "12")
    try console.heading("State")
    try console.keyValues(values)
    try console.paragraph("one two", hanging: "• ")
    #expect(
      sink.text == """

        State
        user     bob
        version  12
        • one two

        """)
  }

  @Test func `cuts values for a terminal alone`() throws {
    var values = KeyValues()
    values.add("key", StyledText(String(repeating: "v", count: 200)))
    #expect(values.lines(width: 20, paint: .none) == ["key  " + String(repeating: "v", count: 14) + "…"])
    #expect(values.lines(width: nil, paint: .none)[0].utf8.count == 205)
    #expect(Console(sink: RecordingSink(), isTerminal: false).width == nil)
    #expect(Console(sink: RecordingSink(), isTerminal: true, width: { 132 }).width == 132)
  }
}

@Suite struct `Figures for people` {
  @Test func `counts have their thousands`() {
    #expect(
      [0, 7, 999, 1000, 12174, 1_000_000, -1234].map { Quantity.count($0) } == [
        "0", "7", "999", "1,000", "12,174", "1,000,000", "-1,234",
      ])
    #expect(Quantity.count(UInt64.max) == "18,446,744,073,709,551,615")
    #expect(Quantity.count(Int.min) == "-9,223,372,036,854,775,808")
    #expect(Quantity.count(1, "event") == "1 event")
    #expect(Quantity.count(0, "entry", plural: "entries") == "0 entries")
  }

  @Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (102_349, "100 KiB"),
    (1_048_575, "1 MiB"),
    (239_075_328, "228 MiB"), (Int.max, "8,192 PiB"),
  ])
  func `sizes have a unit and few digits`(bytes: Int, text: String) {
    #expect(Quantity.bytes(bytes) == text)
  }

  @Test(arguments: [
    (Duration.zero, "0 µs"), (.microseconds(340), "340 µs"), (.microseconds(12_345), "12.3 ms"),
    (.microseconds(999_900), "1 s"), (.milliseconds(4210), "4.2 s"), (.milliseconds(59_990), "1 min"),
    (.seconds(125), "2 min 5 s"), (.seconds(4320), "1 h 12 min"), (.seconds(273_600), "3 d 4 h"),
    (.seconds(-1), "0 µs"),
  ])
  func `durations have the unit that suits them`(duration: Duration, text: String) {
    #expect(Quantity.duration(duration) == text)
  }

  @Test(arguments: [
    (0.0, "0/s"), (0.52, "0.5/s"), (99.9, "99.9/s"), (364.4, "364/s"), (999.6, "1,000/s"),
    (364_213.0, "364,000/s"),
    (12_345_678.0, "12,300,000/s"),
  ])
  func `rates have three digits`(rate: Double, text: String) {
    #expect(Quantity.rate(perSecond: rate) == text)
  }

  @Test func `not everything is done before everything is`() {
    #expect(Quantity.share(999, of: 1000) == "99%")
    #expect(Quantity.share(1000, of: 1000) == "100%")
    #expect(Quantity.share(0, of: 0) == "100%")
  }

  @Test(arguments: [
    (0, "1970-01-01 00:00:00Z", "Thursday, 1 January 1970"),
    (1_772_460_309_999_999, "2026-03-02 14:05:09Z", "Monday, 2 March 2026"),
    (1_709_164_800_000_000, "2024-02-29 00:00:00Z", "Thursday, 29 February 2024"),
    (253_402_300_799_000_000, "9999-12-31 23:59:59Z", "Friday, 31 December 9999"),
  ])
  func `times are the clock's, in UTC`(microseconds: Int64, second: String, day: String) throws {
    let time = try #require(Timestamp(microseconds: microseconds))
    #expect(time.second == second)
    #expect(time.minute == second.dropLast(4) + "Z")
    #expect(time.day + " " + time.minuteOfDay == time.minute)
    #expect(time.longDay == day)
  }
}
