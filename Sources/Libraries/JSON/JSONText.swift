// A JSON value of any kind, kept as its canonical text.

/// A JSON value as canonical text: what metadata and the values of preferences are kept as.
///
/// `==` compares the texts, so `1` and `1.0` differ; ``isSame(as:)`` compares the values.
public struct JSONText: Equatable, Sendable {
  /// The canonical text.
  public let utf8: [UInt8]

  /// `null`.
  public static let null = JSONText(canonical: Array("null".utf8))
  /// `{}`.
  public static let emptyObject = JSONText(canonical: Array("{}".utf8))

  /// The value of a node.
  public init(_ node: JSONNode) {
    var text: [UInt8] = []
    node.appendCanonical(to: &text)
    utf8 = text
  }

  /// The value of a text.
  ///
  /// - Throws: ``JSONError`` where the parser refuses it.
  public init(
    parsing text: Span<UInt8>, limits: JSONLimits = .standard, with parser: JSONParser = JSONParser()
  ) throws(JSONError) {
    self = try parser.parse(text, limits: limits, refusal: { $0 }) { node throws(JSONError) in JSONText(node)
    }
  }

  /// The value of a text.
  ///
  /// - Throws: ``JSONError`` where the parser refuses it.
  public init(parsing text: String, limits: JSONLimits = .standard) throws(JSONError) {
    try self.init(parsing: text.utf8Span.span, limits: limits)
  }

  /// The value of a canonical text that was once printed by this type or a node, and comes from where it
  /// cannot have changed. Nothing is checked; anything else makes comparisons wrong, though not unsafe.
  public init(canonical text: [UInt8]) { utf8 = text }

  /// A string.
  public init(string: String) {
    var text: [UInt8] = []
    text.append(jsonString: string.utf8Span.span)
    utf8 = text
  }

  /// Whether both are the same value, numbers compared as decimals.
  public func isSame(as other: JSONText) -> Bool { canonicalJSONEqual(utf8.span, other.utf8.span) }

  /// What kind of value it is.
  public var kind: JSONKind {
    switch utf8.first {
    case .openingBrace: .object
    case .openingBracket: .array
    case .quote: .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// The value over several lines, two spaces a level, for people.
  public func indented() -> [UInt8] {
    var writer = JSONWriter(style: .indented)
    writer.value(self)
    return writer.finish()
  }
}

extension JSONText {
  /// The text of a member of an object, where it is a string or a whole number.
  package func member(_ key: String) -> String? {
    try? JSONParser().parse(utf8) { node -> String? in
      guard let value = node.member(named: key) else { return nil }
      return value.string ?? value.uint64.map { String($0) }
    }
  }
}

extension JSONText: CustomStringConvertible {
  /// The canonical text.
  public var description: String { String(decoding: utf8, as: UTF8.self) }
}
