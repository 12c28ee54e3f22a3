// Why a text was refused.

/// Why a text is not the JSON that Memoir takes, and where.
public struct JSONError: Error, Hashable, Sendable {
  /// What a caller can tell apart.
  public enum Kind: Hashable, Sendable {
    /// Nothing, or nothing but white space.
    case empty
    /// A token is missing, misplaced or unknown.
    case malformed
    /// A whole value is followed by something else.
    case trailingContent
    /// A number that is not of JSON's grammar: `01`, `+1`, `1.`, `.5`, `NaN`.
    case invalidNumber
    /// A raw control character, an unknown escape, or no closing quote.
    case invalidString
    /// `\ud800` without its other half, or the halves the wrong way round.
    case loneSurrogate
    case invalidUTF8
    /// Two members of an object have the same key, escapes undone.
    case duplicateKey
    /// Deeper than ``JSONLimits/depth``.
    case tooDeep
    /// Larger than ``JSONLimits/sizeInBytes``.
    case tooLarge
  }

  /// What kind of fault it is.
  public let kind: Kind
  /// Where the text goes wrong, in bytes from its start; the text's length where it ends too early.
  public let offset: Int
  /// What is wrong, as half a sentence: `a number cannot have a leading zero`.
  public let reason: String
  /// The value in which it goes wrong, e.g. `data.tags[2]`; empty at the top, or where it is not known.
  public let path: String

  /// An error of the caller's own about a text, e.g. about a value of the wrong kind.
  public init(kind: Kind, offset: Int, reason: String, path: String = "") {
    self.kind = kind
    self.offset = offset
    self.reason = reason
    self.path = path
  }
}

extension JSONError: CustomStringConvertible {
  /// One line for people: reason, path and offset.
  public var description: String {
    path.isEmpty ? "\(reason) (byte \(offset))" : "\(path): \(reason) (byte \(offset))"
  }
}
