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
  public var value: Double { JSONNumber.double(description.utf8Span.span) ?? 0 }

  /// Checks a number.
  ///
  /// - Throws: ``InvalidValue`` outside 0…1.
  public init(_ value: Double, field: String = "value") throws(InvalidValue) {
    guard value >= 0, value <= 1 else { throw InvalidValue(field: field, reason: Self.refusal) }
    description = value == 0 ? "0" : value == 1 ? "1" : "\(value)"
  }

  /// Checks a number as written.
  ///
  /// - Throws: ``InvalidValue`` where it is no number of JSON's grammar, or outside 0…1.
  public init(text: String, field: String = "value") throws(InvalidValue) {
    guard let value = JSONNumber.double(text.utf8Span.span), value >= 0, value <= 1 else {
      throw InvalidValue(field: field, reason: Self.refusal)
    }
    description = text
  }

  /// A literal outside 0…1 is a mistake in the program, and traps.
  public init(floatLiteral value: Double) {
    precondition(value >= 0 && value <= 1, "a fraction \(Self.refusal)")
    description = "\(value)"
  }

  /// 0 or 1; any other literal is a mistake in the program, and traps.
  public init(integerLiteral value: Int) {
    precondition(value == 0 || value == 1, "a fraction \(Self.refusal)")
    description = "\(value)"
  }

  /// What was written by this type once.
  init(stored text: String) { description = text }

  private static let refusal = "must be a number from 0 to 1"

  /// By value.
  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}
