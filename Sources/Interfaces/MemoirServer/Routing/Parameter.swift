// What a call may say in its query: one list for reading it and for the document that describes it.
import Memoir

/// A parameter of the query, and how its text becomes a value.
struct Parameter<Value: Sendable>: Sendable {
  let name: String
  let summary: String
  let schema: Schema
  var isRepeatable = false
  var isRequired = false
  /// Takes the text, and the name for errors.
  let read: @Sendable (_ text: String, _ field: String) throws -> Value

  init(
    _ name: String, _ summary: String, _ schema: Schema, isRepeatable: Bool = false, isRequired: Bool = false,
    read: @escaping @Sendable (_ text: String, _ field: String) throws -> Value
  ) {
    self.name = name
    self.summary = summary
    self.schema = schema
    self.isRepeatable = isRepeatable
    self.isRequired = isRequired
    self.read = read
  }

  /// The same, where a call makes no sense without it.
  var required: Parameter {
    var copy = self
    copy.isRequired = true
    return copy
  }
}

/// A parameter among others.
struct AnyParameter: Sendable {
  let name: String
  let summary: String
  let schema: Schema
  let isRepeatable: Bool
  let isRequired: Bool
  let read: @Sendable (String) throws -> any Sendable

  init<Value>(_ parameter: Parameter<Value>) {
    name = parameter.name
    summary = parameter.summary
    schema = parameter.schema
    isRepeatable = parameter.isRepeatable
    isRequired = parameter.isRequired
    read = { [read = parameter.read, name] text in try read(text, name) }
  }
}

extension Parameter where Value == Int {
  /// A whole number within bounds.
  static func integer(_ name: String, _ summary: String, in range: ClosedRange<Int>) -> Parameter {
    let schema = Schema.integer(min: Int64(range.lowerBound), max: Int64(range.upperBound))
    return Parameter(name, summary, schema) { text, field in
      let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
      guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        throw MemoirError.invalid(field: field, "is no whole number in decimal digits")
      }
      guard let number = Int(text), range.contains(number) else {
        throw MemoirError.invalid(field: field, "is not within \(range.lowerBound)…\(range.upperBound)")
      }
      return number
    }
  }
}

extension Parameter where Value == Bool {
  /// `true` or `false`.
  static func flag(_ name: String, _ summary: String) -> Parameter {
    Parameter(name, summary, .boolean) { text, field in
      switch text {
      case "true": true
      case "false": false
      default: throw MemoirError.invalid(field: field, "is neither true nor false")
      }
    }
  }
}

extension Parameter where Value == Timestamp {
  /// A point in time.
  static func time(_ name: String, _ summary: String) -> Parameter {
    Parameter(name, summary, .time) { try Timestamp($0, field: $1) }
  }
}

extension Parameter where Value == String {
  /// Any text.
  static func text(_ name: String, _ summary: String, maxLength: Int? = nil) -> Parameter {
    Parameter(name, summary, .string(maxLength: maxLength)) { text, _ in text }
  }
}
