// Text with a few styles, safe to show: the one way from data to a terminal.

/// How a piece of text looks where colour is shown.
struct Style: Hashable, Sendable {
  fileprivate let codes: [Int]

  static let plain = Style(codes: [])
  /// Headings, and what a line is about.
  static let bold = Style(codes: [1])
  /// What one may skip: units, ids, times beside the text.
  static let dim = Style(codes: [2])
  static let good = Style(codes: [32])
  static let bad = Style(codes: [1, 31])
  /// Names that can be given to another command.
  static let accent = Style(codes: [36])
}

/// Puts styles around text, or leaves it alone.
struct Paint: Hashable, Sendable {
  let isEnabled: Bool

  static let none = Paint(isEnabled: false)

  /// Colour is for terminals, and for those who have not set `NO_COLOR`.
  init(isEnabled: Bool) { self.isEnabled = isEnabled }

  /// `text`, which is safe already, in `style`.
  fileprivate func callAsFunction(_ text: String, _ style: Style) -> String {
    guard isEnabled, style != .plain, !text.isEmpty else { return text }
    return "\u{1B}[" + style.codes.map(String.init).joined(separator: ";") + "m" + text + "\u{1B}[0m"
  }
}

/// One line of text for people, made of pieces with a style each.
///
/// Whatever goes in is made safe (``SafeText``), so nothing in it can steer the terminal. Written as a literal:
/// `"kept \(user, .accent) at \(version)"`.
struct StyledText: Hashable, Sendable {
  private(set) var pieces: [Piece] = []

  struct Piece: Hashable, Sendable {
    /// Safe to show.
    var text: String
    var style: Style
  }

  init() {}

  init(_ text: some StringProtocol, _ style: Style = .plain) {
    append(text, style)
  }

  /// The columns it takes.
  var width: Int { pieces.reduce(0) { $0 + DisplayWidth.of($1.text) } }

  /// Without any style, and still safe.
  var plain: String { rendered(by: .none) }

  func rendered(by paint: Paint) -> String {
    pieces.map { paint($0.text, $0.style) }.joined()
  }

  mutating func append(_ text: some StringProtocol, _ style: Style = .plain) {
    if !text.isEmpty { pieces.append(Piece(text: SafeText.line(text), style: style)) }
  }

  mutating func append(_ other: StyledText) {
    pieces += other.pieces
  }

  /// The same text with `style` wherever it has none of its own.
  func styled(_ style: Style) -> StyledText {
    var copy = self
    for index in copy.pieces.indices where copy.pieces[index].style == .plain {
      copy.pieces[index].style = style
    }
    return copy
  }

  /// At most `width` columns of it; where something is cut, the last of them is `…`.
  func truncated(to width: Int) -> StyledText {
    guard self.width > width else { return self }
    guard width > 0 else { return StyledText() }
    var short = StyledText()
    var room = width - 1
    for piece in pieces {
      let head = piece.text.prefix(columns: room)
      if !head.isEmpty { short.pieces.append(Piece(text: String(head), style: piece.style)) }
      room -= DisplayWidth.of(head)
      if head.endIndex != piece.text.endIndex {
        short.pieces.append(Piece(text: "…", style: piece.style))
        return short
      }
    }
    return short
  }
}

extension StyledText: ExpressibleByStringInterpolation {
  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = StyledText()

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) { text.append(literal) }
    mutating func appendInterpolation(_ value: some CustomStringConvertible, _ style: Style = .plain) {
      text.append(value.description, style)
    }
    mutating func appendInterpolation(_ other: StyledText) { text.append(other) }
  }

  init(stringLiteral value: String) { self.init(value) }
  init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }
}

extension StringProtocol {
  /// The longest beginning that takes at most `columns` columns.
  func prefix(columns: Int) -> SubSequence {
    var room = columns
    var end = startIndex
    while end < endIndex {
      room -= DisplayWidth.of(self[end])
      if room < 0 { break }
      end = index(after: end)
    }
    return self[..<end]
  }
}
