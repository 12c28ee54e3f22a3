// One of the two streams that a command writes to, and what is known of its far end.
import Memoir

/// Takes text in order: a file descriptor, or a test's array.
protocol TextSink: Sendable {
  /// Writes all of `text`.
  ///
  /// - Throws: ``OutputError`` where it cannot all be written: a closed pipe, a full disk.
  func write(_ text: String) throws(OutputError)

  /// Writes valid UTF-8.
  func write(utf8: [UInt8]) throws(OutputError)

  /// Hands on what is held back.
  func flush() throws(OutputError)

  /// Whether the one who read it is known to have gone away.
  var isReaderGone: Bool { get }
}

extension TextSink {
  func write(utf8: [UInt8]) throws(OutputError) { try write(String(decoding: utf8, as: UTF8.self)) }
  func flush() throws(OutputError) {}
  var isReaderGone: Bool { false }
}

/// Why output could not be written.
struct OutputError: Error, Hashable, ReportableError {
  let reason: String
  /// Whether the one who read it went away, as `head` does. That is no failure, and nothing is said about it.
  var isReaderGone = false

  var report: ErrorReport {
    ErrorReport(
      MemoirError(.internal, "cannot write the output: " + reason), exitCode: isReaderGone ? .readerGone : nil)
  }
}

/// Standard output or standard error.
struct Console: Sendable {
  let sink: any TextSink
  let isTerminal: Bool
  let paint: Paint
  private let terminalWidth: @Sendable () -> Int

  /// - Parameters:
  ///   - environment: Asked for `NO_COLOR` and `TERM`; colour is for terminals that can show it.
  ///   - width: The terminal's columns, asked anew for each use since windows change.
  init(
    sink: any TextSink, isTerminal: Bool, environment: (String) -> String? = { _ in nil },
    width: @escaping @Sendable () -> Int = { 80 }
  ) {
    self.sink = sink
    let isDumb = environment("TERM") == "dumb"
    // A terminal that cannot move its cursor gets what a file gets.
    self.isTerminal = isTerminal && !isDumb
    let isColourRefused = environment("NO_COLOR").map { !$0.isEmpty } ?? false
    self.paint = Paint(isEnabled: self.isTerminal && !isColourRefused)
    self.terminalWidth = width
  }

  /// The columns that lines should fit in; `nil` where nobody looks at them, and nothing is cut.
  var width: Int? { isTerminal ? max(terminalWidth(), 20) : nil }

  /// The columns that sentences are broken to: the terminal's, but no more than are good to read.
  var measure: Int { min(width ?? 80, 100) }

  /// Writes `text` as it is. It must come from Memoir itself or be made safe.
  func write(_ text: String) throws(OutputError) {
    try sink.write(text)
  }

  /// Writes JSON, given as valid UTF-8.
  ///
  /// On a terminal, characters that could steer it or hide from the reader are written as JSON's escapes; what it says
  /// is the same.
  func write(json: [UInt8]) throws(OutputError) {
    if isTerminal, json.contains(where: { $0 >= 0x7F }) {
      try sink.write(SafeText.json(String(decoding: json, as: UTF8.self)))
    } else {
      try sink.write(utf8: json)
    }
  }

  /// Hands on what is held back: before a wait, and at the end.
  func flush() throws(OutputError) {
    try sink.flush()
  }

  /// Asked while there is nothing to write, which alone would find it out.
  ///
  /// - Throws: ``OutputError`` where the reader went away.
  func checkReader() throws(OutputError) {
    if sink.isReaderGone { throw OutputError(reason: "its reader went away", isReaderGone: true) }
  }

  /// A line.
  func print(_ text: StyledText = "") throws(OutputError) {
    try sink.write(text.rendered(by: paint) + "\n")
  }

  /// A line that names what follows, with an empty one above it.
  func heading(_ title: StyledText) throws(OutputError) {
    try sink.write("\n" + title.styled(.bold).rendered(by: paint) + "\n")
  }

  /// Long text as a paragraph, with its own line breaks kept.
  ///
  /// - Parameter hanging: Begins the first line, e.g. `• `; the others stand in as deep.
  func paragraph(_ text: some StringProtocol, hanging: String = "") throws(OutputError) {
    let indent = String(repeating: " ", count: DisplayWidth.of(hanging))
    let lines = Wrapping.lines(text, width: measure, first: hanging, rest: indent)
    try sink.write(lines.joined(separator: "\n") + "\n")
  }

  /// A paragraph with a remark behind it, on the same line where there is room.
  func item(
    _ text: some StringProtocol, remark: String = "", bullet: String = "  • "
  ) throws(OutputError) {
    let indent = String(repeating: " ", count: DisplayWidth.of(bullet))
    var lines = Wrapping.lines(text, width: measure, first: bullet, rest: indent)
    if !remark.isEmpty {
      let remark = StyledText(remark, .dim)
      if DisplayWidth.of(lines.last ?? "") + 2 + remark.width <= measure {
        lines[lines.count - 1] += "  " + remark.rendered(by: paint)
      } else {
        lines.append(indent + remark.rendered(by: paint))
      }
    }
    try sink.write(lines.joined(separator: "\n") + "\n")
  }

  func table(_ table: TextTable) throws(OutputError) {
    for line in table.lines(width: width, paint: paint) { try sink.write(line + "\n") }
  }

  func keyValues(_ block: KeyValues) throws(OutputError) {
    for line in block.lines(width: width, paint: paint) { try sink.write(line + "\n") }
  }
}
