// A value of a parsed text, as a view of it.

/// The six kinds of values.
public enum JSONKind: Hashable, Sendable {
  case null, bool, number, string, array, object
}

/// A value within a parsed text. Cheap to copy, and cannot outlive the parse that lends it.
///
/// A question about a value of another kind is answered with `nil`, or with nothing to iterate over; so
/// `node["data"]?["role"]?.string` is `nil` wherever anything on the way is missing or of another kind.
public struct JSONNode: ~Escapable {
  let source: Span<UInt8>
  let unescaped: Span<UInt8>
  let tape: Span<TapeEntry>
  let index: Int

  @_lifetime(copy source, copy unescaped, copy tape)
  init(source: Span<UInt8>, unescaped: Span<UInt8>, tape: Span<TapeEntry>, index: Int) {
    self.source = source
    self.unescaped = unescaped
    self.tape = tape
    self.index = index
  }

  /// The node of another entry of the same text.
  @_lifetime(copy self)
  func node(at index: Int) -> JSONNode {
    JSONNode(source: source, unescaped: unescaped, tape: tape, index: index)
  }

  var entry: TapeEntry { tape[index] }

  /// What kind of value it is.
  public var kind: JSONKind {
    switch entry.kind {
    case .null: .null
    case .false, .true: .bool
    case .number: .number
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }

  /// Where the value begins, in bytes from the start of the text; a string at its quote.
  public var offset: Int { entry.kind == .string ? Int(entry.start) - 1 : Int(entry.start) }

  /// Whether it is `null`.
  public var isNull: Bool { entry.kind == .null }

  /// `true` or `false`.
  public var bool: Bool? {
    switch entry.kind {
    case .true: true
    case .false: false
    default: nil
    }
  }

  /// The text of a string.
  public var string: String? {
    entry.kind == .string ? String(validUTF8: content) : nil
  }

  /// The bytes of a string, escapes undone.
  public var utf8: Span<UInt8>? {
    @_lifetime(copy self) get {
      guard entry.kind == .string else { return nil }
      return content
    }
  }

  /// A number as it is written. See ``JSONNumber`` for what it is worth.
  public var numberText: Span<UInt8>? {
    @_lifetime(copy self) get {
      guard entry.kind == .number else { return nil }
      return content
    }
  }

  /// A number without fractional part that fits, however it is written: `3`, `3.0` and `3e0` are the same.
  public var int64: Int64? { entry.kind == .number ? JSONNumber.int64(content) : nil }

  /// A number without fractional part that fits, however it is written.
  public var uint64: UInt64? { entry.kind == .number ? JSONNumber.uint64(content) : nil }

  /// The nearest `Double` of a number; `nil` where that is infinite.
  public var double: Double? { entry.kind == .number ? JSONNumber.double(content) : nil }

  /// How many members or elements; 0 for what has none.
  public var count: Int { entry.isContainer ? entry.count : 0 }

  /// The members of an object in source order; none of anything else.
  public var members: JSONMembers {
    @_lifetime(copy self) get { JSONMembers(of: self) }
  }

  /// The elements of an array in source order; none of anything else.
  public var elements: JSONElements {
    @_lifetime(copy self) get { JSONElements(of: self) }
  }

  /// The value of the member with this key.
  ///
  /// - Complexity: O(members).
  public subscript(key: StaticString) -> JSONNode? {
    @_lifetime(copy self) get { member(withKey: key.utf8Bytes) }
  }

  /// The value of the member with this key, for keys that are made at run time.
  ///
  /// - Complexity: O(members).
  @_lifetime(copy self)
  public func member(named key: String) -> JSONNode? {
    member(withKey: key.utf8Span.span)
  }

  @_lifetime(copy self)
  private func member(withKey key: Span<UInt8>) -> JSONNode? {
    guard entry.isObject else { return nil }
    let end = Int(entry.link)
    var index = self.index &+ 1
    while index < end {
      let candidate = tape[index]
      if Int(candidate.length) == key.count,
        candidate.content(source: source, unescaped: unescaped).hasSameBytes(as: key)
      {
        return node(at: index &+ 1)
      }
      index = tape[index &+ 1].next(after: index &+ 1)
    }
    return nil
  }

  /// Whether it is a string with this text.
  public func isString(_ text: StaticString) -> Bool {
    let entry = entry
    guard Int(entry.length) == text.utf8CodeUnitCount, entry.kind == .string else { return false }
    return entry.content(source: source, unescaped: unescaped).hasSameBytes(as: text.utf8Bytes)
  }

  /// The content of a string, or a number or word as written.
  var content: Span<UInt8> {
    @_lifetime(copy self) get { entry.content(source: source, unescaped: unescaped) }
  }
}

/// A key and its value.
public struct JSONMember: ~Escapable {
  private let keyNode: JSONNode

  @_lifetime(copy key)
  init(key: JSONNode) { keyNode = key }

  /// The key, a string.
  public var key: JSONNode {
    @_lifetime(copy self) get { keyNode }
  }
  /// The value.
  public var value: JSONNode {
    @_lifetime(copy self) get { keyNode.node(at: keyNode.index &+ 1) }
  }

  /// Whether the key is this one.
  public func hasKey(_ key: StaticString) -> Bool { keyNode.isString(key) }
}

/// The members of an object, one after the other.
///
/// ```swift
/// var members = node.members
/// while let member = members.next() { … }
/// ```
public struct JSONMembers: ~Escapable {
  private let object: JSONNode
  private var index: Int
  private let end: Int

  @_lifetime(copy object)
  init(of object: JSONNode) {
    self.object = object
    index = object.index &+ 1
    end = object.entry.isObject ? Int(object.entry.link) : 0
  }

  /// The next member, in source order.
  @_lifetime(copy self)
  public mutating func next() -> JSONMember? {
    guard index < end else { return nil }
    let member = JSONMember(key: object.node(at: index))
    index = object.tape[index &+ 1].next(after: index &+ 1)
    return member
  }
}

/// The elements of an array, one after the other.
///
/// ```swift
/// var elements = node.elements
/// while let element = elements.next() { … }
/// ```
public struct JSONElements: ~Escapable {
  private let array: JSONNode
  private var index: Int
  private let end: Int

  @_lifetime(copy array)
  init(of array: JSONNode) {
    self.array = array
    index = array.index &+ 1
    end = array.entry.kind == .array ? Int(array.entry.link) : 0
  }

  /// The next element, in source order.
  @_lifetime(copy self)
  public mutating func next() -> JSONNode? {
    guard index < end else { return nil }
    let element = array.node(at: index)
    index = element.entry.next(after: index)
    return element
  }
}

extension String {
  /// The text of bytes that were checked to be UTF-8 when they were parsed.
  init(validUTF8 bytes: Span<UInt8>) {
    self.init(copying: unsafe UTF8Span(unchecked: bytes))
  }
}
