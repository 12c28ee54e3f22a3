// Data on its way to a terminal: what would steer the terminal or hide from the reader is made visible.

/// Text as it may be shown on a terminal.
///
/// Remembered text is written by strangers. Control characters could move the cursor or set the window's title,
/// bidirectional ones could swap what is read, zero-width ones hide text in text; all of them are printed as
/// escapes. Emoji keep the joiners and selectors that they are made of.
enum SafeText {
  /// `text` on one line, with every control, bidirectional and invisible character as an escape such as `\n` or
  /// `\u{202E}`.
  static func line(_ text: some StringProtocol) -> String {
    if text.utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7F }) { return String(text) }
    let scalars = Array(text.unicodeScalars)
    var safe = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      if isShown(scalar) || isPartOfEmoji(index, of: scalars) {
        safe.append(scalar)
      } else {
        safe.append(contentsOf: escape(scalar).unicodeScalars)
      }
    }
    return String(safe)
  }

  /// `text` with its own line breaks kept and tabs as spaces; each line is made safe.
  static func lines(_ text: some StringProtocol) -> [String] {
    if text.utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7F }) { return [String(text)] }
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { scalars in
      var plain = String.UnicodeScalarView()
      for scalar in scalars.last == "\r" ? scalars.dropLast() : scalars[...] {
        plain.append(contentsOf: scalar == "\t" ? "    ".unicodeScalars : String(scalar).unicodeScalars)
      }
      return line(String(plain))
    }
  }

  /// `text`, which is JSON, with such characters as JSON's own escapes, which say the same. Line breaks between values
  /// stay.
  static func json(_ text: String) -> String {
    var safe = ""
    for scalar in text.unicodeScalars {
      if scalar == "\n" || " "..."~" ~= scalar || line(String(scalar)) == String(scalar) {
        safe.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        safe += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return safe
  }

  /// `text` in quotation marks for a message about it, cut where it is long.
  static func quoted(_ text: some StringProtocol) -> String {
    "'" + StyledText(String(text)).truncated(to: 60).plain + "'"
  }

  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    if 0x20 <= scalar.value && scalar.value < 0x7F { return true }
    let properties = scalar.properties
    if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return false }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
    default: return true
    }
  }

  /// Whether the scalar at `index` is a selector after an emoji, or a joiner between two.
  private static func isPartOfEmoji(_ index: Int, of scalars: [Unicode.Scalar]) -> Bool {
    guard index > 0, isEmojiBase(scalars[index - 1]) || scalars[index - 1].value == 0xFE0F else {
      return false
    }
    switch scalars[index].value {
    case 0xFE0E, 0xFE0F: return isEmojiBase(scalars[index - 1])
    case 0x200D: return index + 1 < scalars.count && isEmojiBase(scalars[index + 1])
    default: return false
    }
  }

  /// An emoji, or a skin tone; not the digits, `#` and `*`, which the property counts among the emoji.
  private static func isEmojiBase(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value > 0x7F && scalar.properties.isEmoji
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
    }
  }
}
