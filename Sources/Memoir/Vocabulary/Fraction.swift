// Confidence and importance: numbers from 0 to 1 that print as they were written.
public import EventStore
internal import JSON

/// A number from 0 to 1, kept as written: `0.90` stays `0.90`.
public struct Fraction: Hashable, Sendable, Comparable, CustomStringConvertible, ExpressibleByFloatLiteral,
  ExpressibleByIntegerLiteral
{
  /// The number as written, in JSON's grammar.
  public let description: String
  /// The number itself.
  public let value: Double

  private init(_ description: String, _ value: Double) {
    self.description = description
    self.value = value
  }

  /// Checks a number.
  ///
  /// - Throws: ``InvalidValue`` outside 0…1.
  public init(_ value: Double, field: String = "value") throws(InvalidValue) {
    guard value >= 0, value <= 1 else { throw InvalidValue(field: field, reason: Self.refusal) }
    self.init(value == 0 ? "0" : value == 1 ? "1" : "\(value)", value)
  }

  /// Checks a number as written.
  ///
  /// - Throws: ``InvalidValue`` where it is no number of JSON's grammar, or outside 0…1.
  public init(text: String, field: String = "value") throws(InvalidValue) {
    guard let value = JSONNumber.double(text.utf8Span.span), value >= 0, value <= 1 else {
      throw InvalidValue(field: field, reason: Self.refusal)
    }
    self.init(text, value)
  }

  /// A literal outside 0…1 is a mistake in the program, and traps.
  public init(floatLiteral value: Double) {
    precondition(value >= 0 && value <= 1, "a fraction \(Self.refusal)")
    self.init("\(value)", value)
  }

  /// 0 or 1; any other literal is a mistake in the program, and traps.
  public init(integerLiteral value: Int) {
    precondition(value == 0 || value == 1, "a fraction \(Self.refusal)")
    self.init("\(value)", Double(value))
  }

  /// What was written by this type once.
  init(stored text: String) { self.init(text, JSONNumber.double(text.utf8Span.span) ?? 0) }

  private static let refusal = "must be a number from 0 to 1"

  /// By value.
  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}
