// The one error of values that are checked once, when they are made.

/// A value that cannot be accepted, and why. `field` is spelled as the caller spelled it.
public struct InvalidValue: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name of the field, argument or parameter, e.g. `user`.
  public var field: String
  /// What is wrong with it, as the end of a sentence that begins with the field.
  public var reason: String

  /// Makes the error.
  public init(field: String, reason: String) {
    self.field = field
    self.reason = reason
  }

  /// `field: reason`.
  public var description: String { "\(field): \(reason)" }
}
