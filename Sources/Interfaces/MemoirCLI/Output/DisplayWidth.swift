// How many columns of a terminal a text takes: wide East Asian characters and emoji two, marks none.

/// Columns on a terminal, by the rules most terminals share.
///
/// Approximate where terminals differ (ambiguous width counts as one), and meant for text that ``SafeText`` has
/// been through: control characters count as nothing.
enum DisplayWidth {
  /// The columns `text` takes. Plain ASCII is only counted.
  static func of(_ text: some StringProtocol) -> Int {
    if text.utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7F }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  /// The columns one character takes, however many scalars it is made of.
  static func of(_ character: Character) -> Int {
    let scalars = character.unicodeScalars
    guard let first = scalars.first else { return 0 }
    if scalars.count == 1 { return of(first) }
    if isRegionalIndicator(first) { return 2 }
    let isEmojiSequence =
      first.properties.isEmoji
      && scalars.contains { $0 == zeroWidthJoiner || $0 == emojiSelector || $0.properties.isEmojiModifier }
    return isEmojiSequence ? 2 : scalars.reduce(0) { $0 + of($1) }
  }

  private static func of(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x7F { return scalar.value < 0x20 ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .control, .format, .nonspacingMark, .enclosingMark, .lineSeparator, .paragraphSeparator: return 0
    default: break
    }
    // The vowels and finals of a Hangul syllable written in parts stand inside the first part's two columns.
    if 0x1160...0x11FF ~= scalar.value { return 0 }
    if scalar.properties.isEmojiPresentation, !isRegionalIndicator(scalar) { return 2 }
    return isWide(scalar) ? 2 : 1
  }

  /// East Asian Width W and F, but for the emoji, which have a property of their own.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
      0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
      0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x3FFFD:
      true
    default: false
    }
  }

  private static func isRegionalIndicator(_ scalar: Unicode.Scalar) -> Bool {
    0x1F1E6...0x1F1FF ~= scalar.value
  }

  private static let zeroWidthJoiner: Unicode.Scalar = "\u{200D}"
  private static let emojiSelector: Unicode.Scalar = "\u{FE0F}"
}
