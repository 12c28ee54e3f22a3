// What the value of an argument looks like: how usage names it, how a shell completes it, how it is read.

/// A kind of value that arguments take.
///
/// A kind of one's own is a placeholder and a function:
/// `ArgumentKind<Timestamp>("TIME") { text throws(ArgumentProblem) in … }`.
struct ArgumentKind<Value: Sendable>: Sendable {
  /// The value's name in usage and help, e.g. `N` or `FILE|-`.
  let placeholder: String
  let candidates: Candidates
  let read: @Sendable (String) throws(ArgumentProblem) -> Value

  init(
    _ placeholder: String, candidates: Candidates = .none,
    read: @escaping @Sendable (String) throws(ArgumentProblem) -> Value
  ) {
    self.placeholder = placeholder
    self.candidates = candidates
    self.read = { text throws(ArgumentProblem) in
      if text.isEmpty { throw ArgumentProblem("must not be empty") }
      return try read(text)
    }
  }
}

/// Why a text is no value of a kind.
struct ArgumentProblem: Error, Hashable {
  /// Follows the argument's name and a colon: `'abc' is not a whole number`.
  let reason: String
  /// What may have been meant.
  let suggestion: String?

  init(_ reason: String, suggestion: String? = nil) {
    self.reason = reason
    self.suggestion = suggestion
  }
}

/// What a shell can offer where a value is wanted.
enum Candidates: Hashable, Sendable {
  case none
  case choices([String])
  /// Words that are often wanted; others are as good.
  case common([String])
  case files
  case directories
  /// The users of the store, asked from the command itself.
  case users
  /// The commands of the table.
  case commands
}

/// Where a command reads its input.
enum InputSource: Hashable, Sendable {
  case standardInput
  case file(String)
}

extension ArgumentKind where Value == String {
  /// Any text but an empty one.
  static func text(_ placeholder: String, candidates: Candidates = .none) -> Self {
    Self(placeholder, candidates: candidates) { text throws(ArgumentProblem) in text }
  }

  /// One of a few words, spelled exactly.
  static func choice(_ placeholder: String? = nil, of words: [String]) -> Self {
    Self(placeholder ?? words.joined(separator: "|"), candidates: .choices(words)) {
      text throws(ArgumentProblem) in
      if words.contains(text) { return text }
      throw ArgumentProblem(
        "\(SafeText.quoted(text)) is none of \(words.joined(separator: ", "))",
        suggestion: Suggestion.nearest(to: text, among: words))
    }
  }

  static var directory: Self { text("DIR", candidates: .directories) }
  /// The path of a file.
  static var file: Self { text("FILE", candidates: .files) }
}

extension ArgumentKind where Value == InputSource {
  /// A file, or `-` for standard input.
  static var input: Self {
    Self("FILE|-", candidates: .files) { text throws(ArgumentProblem) in
      text == "-" ? .standardInput : .file(text)
    }
  }
}

extension ArgumentKind where Value: RawRepresentable<String> & CaseIterable {
  /// One of the cases, by its raw value.
  static func choice(_ placeholder: String? = nil) -> Self {
    let words = ArgumentKind<String>.choice(placeholder, of: Value.allCases.map(\.rawValue))
    return Self(words.placeholder, candidates: words.candidates) { text throws(ArgumentProblem) in
      guard let value = Value(rawValue: try words.read(text)) else { throw ArgumentProblem("is no choice") }
      return value
    }
  }
}

extension ArgumentKind where Value: FixedWidthInteger {
  /// A whole number in decimal digits, within `range`.
  static func number(_ placeholder: String = "N", in range: ClosedRange<Value> = Value.min...Value.max)
    -> Self
  {
    Self(placeholder) { text throws(ArgumentProblem) in
      let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
      guard !digits.isEmpty, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
        throw ArgumentProblem("\(SafeText.quoted(text)) is not a whole number")
      }
      if let value = Value(text), range.contains(value) { return value }
      let limits =
        range.upperBound == Value.max
        ? "\(range.lowerBound) or more" : "between \(range.lowerBound) and \(range.upperBound)"
      // Past what the type holds, and yet not below the range: the number is beyond any that there can be.
      let isTooLong = Value(text) == nil && digits.count == text.utf8.count
      throw ArgumentProblem(
        isTooLong && range.upperBound == Value.max
          ? "\(SafeText.quoted(text)) is too large a number"
          : "must be \(limits), not \(SafeText.quoted(text))")
    }
  }
}
