// Namespace, user and session: names that callers choose, compared byte by byte.
internal import Bytes

/// A wall between sets of users. 1…100 bytes.
public struct Namespace: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The name.
  public let description: String

  /// The namespace of those who name none.
  public static let `default` = Namespace(unchecked: "default")

  /// Checks the name.
  ///
  /// - Throws: ``InvalidValue`` where it is empty, too long, or could be mistaken for another.
  public init(_ name: String, field: String = "namespace") throws(InvalidValue) {
    try NameRule.check(name, longest: 100, field: field)
    description = name
  }

  init(unchecked name: String) { description = name }

  /// By bytes.
  public static func < (a: Self, b: Self) -> Bool { NameRule.precedes(a.description, b.description) }
  /// By bytes.
  public static func == (a: Self, b: Self) -> Bool { NameRule.isSame(a.description, b.description) }
  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { NameRule.hash(description, into: &hasher) }
}

/// The person remembered. 1…250 bytes.
public struct UserID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The name.
  public let description: String

  /// Checks the name.
  ///
  /// - Throws: ``InvalidValue`` where it is empty, too long, or could be mistaken for another.
  public init(_ name: String, field: String = "user") throws(InvalidValue) {
    try NameRule.check(name, longest: 250, field: field)
    description = name
  }

  init(unchecked name: String) { description = name }

  /// By bytes.
  public static func < (a: Self, b: Self) -> Bool { NameRule.precedes(a.description, b.description) }
  /// By bytes.
  public static func == (a: Self, b: Self) -> Bool { NameRule.isSame(a.description, b.description) }
  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { NameRule.hash(description, into: &hasher) }
}

/// One conversation of a user. 1…250 bytes.
public struct SessionID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The name.
  public let description: String

  /// Checks the name.
  ///
  /// - Throws: ``InvalidValue`` where it is empty, too long, or could be mistaken for another.
  public init(_ name: String, field: String = "session") throws(InvalidValue) {
    try NameRule.check(name, longest: 250, field: field)
    description = name
  }

  init(unchecked name: String) { description = name }

  /// By bytes.
  public static func < (a: Self, b: Self) -> Bool { NameRule.precedes(a.description, b.description) }
  /// By bytes.
  public static func == (a: Self, b: Self) -> Bool { NameRule.isSame(a.description, b.description) }
  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { NameRule.hash(description, into: &hasher) }
}

/// A stream's name: all events of one user in one namespace.
public struct StreamName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The namespace.
  public let namespace: Namespace
  /// The user.
  public let user: UserID

  /// Names the stream of `user` in `namespace`.
  public init(_ user: UserID, in namespace: Namespace = .default) {
    self.namespace = namespace
    self.user = user
  }

  /// Namespace and user, for messages.
  public var description: String {
    let user = isNameless ? "(erased)" : "\(user)"
    return namespace == .default ? user : "\(namespace)/\(user)"
  }

  /// By namespace, then by user.
  public static func < (a: Self, b: Self) -> Bool {
    a.namespace == b.namespace ? a.user < b.user : a.namespace < b.namespace
  }
}

/// What a name may be. Swift's own comparison of strings treats canonically equivalent texts as equal; names do not.
package enum NameRule {
  package static func check(_ name: String, longest: Int, field: String) throws(InvalidValue) {
    let (count, problem) = (name.utf8.count, firstProblem(in: name.utf8.span))
    guard count > 0 else { throw InvalidValue(field: field, reason: "must not be empty") }
    guard count <= longest else {
      throw InvalidValue(field: field, reason: "is \(count) bytes long; at most \(longest) are allowed")
    }
    if let problem { throw InvalidValue(field: field, reason: problem) }
    if name == "." || name == ".." { throw InvalidValue(field: field, reason: "must not be \"\(name)\"") }
  }

  private static func firstProblem(in bytes: Span<UInt8>) -> String? {
    // Plain ASCII is nearly every name, and needs no decoding.
    var isPlain = true
    for index in bytes.indices where bytes[index] < 0x20 || bytes[index] >= 0x7f { isPlain = false }
    if isPlain { return nil }
    guard let text = try? UTF8Span(validating: bytes) else { return "is not valid UTF-8" }
    for scalar in String(copying: text).unicodeScalars {
      if let kind = forbidden(scalar) {
        return "contains \(kind) (U+\(hexadecimal(scalar.value)))"
      }
    }
    return nil
  }

  /// Characters that change how a name looks without being seen.
  private static func forbidden(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0...0x1f, 0x7f...0x9f: "a control character"
    case 0x200e, 0x200f, 0x061c, 0x202a...0x202e, 0x2066...0x2069: "a bidirectional control character"
    case 0x200b...0x200d, 0x2060...0x2064, 0xfeff, 0x00ad, 0x034f, 0x180e, 0x115f, 0x1160, 0x3164, 0xffa0:
      "a zero-width character"
    case 0x2028, 0x2029: "a line separator"
    case 0xe0000...0xe007f, 0xfe00...0xfe0f, 0xe0100...0xe01ef, 0xfff9...0xfffb: "an invisible character"
    default: nil
    }
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  static func isSame(_ a: String, _ b: String) -> Bool { a.utf8.rawSpan.isSame(as: b.utf8.rawSpan) }
  static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.rawSpan.precedes(b.utf8.rawSpan) }
  static func hash(_ name: String, into hasher: inout Hasher) {
    name.utf8.rawSpan.hash(into: &hasher)
    hasher.combine(0xff as UInt8)
  }
}
