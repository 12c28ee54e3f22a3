// Reading `data`, the part of an event's JSON that its type gives a meaning.
internal import EventStore
internal import JSON

/// The members of an object, read with checks; every error names the field with its path.
///
/// `null` in an optional field is absent.
struct DataReader: ~Escapable {
  let node: JSONNode
  /// What stands before a field's name in errors.
  let path: StaticString

  /// - Throws: ``MemoirError`` where the value is no object.
  @_lifetime(copy node)
  init(_ node: JSONNode, path: StaticString = "data.") throws(MemoirError) {
    guard node.kind == .object else {
      throw .invalid(field: String(path.description.dropLast()), "must be an object")
    }
    self.node = node
    self.path = path
  }

  func name(_ key: StaticString) -> String { path.description + key.description }

  private func refused(_ key: StaticString, _ reason: String) -> MemoirError {
    .invalid(field: name(key), reason)
  }

  private func missing(_ key: StaticString) -> MemoirError { refused(key, "is missing") }

  /// The value of a member, unless it is `null`.
  @_lifetime(copy self)
  func value(_ key: StaticString) -> JSONNode? {
    guard let value = node[key], !value.isNull else { return nil }
    return value
  }

  func optionalText(_ key: StaticString, mayBeEmpty: Bool = false) throws(MemoirError) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.utf8 else { throw refused(key, "must be a string") }
    if text.count > Limits.textSize {
      throw .tooLarge(field: name(key), count: text.count, limit: Limits.textSize)
    }
    if text.isEmpty, !mayBeEmpty { throw refused(key, "must not be empty") }
    return value.string
  }

  func text(_ key: StaticString, mayBeEmpty: Bool = false) throws(MemoirError) -> String {
    guard let text = try optionalText(key, mayBeEmpty: mayBeEmpty) else { throw missing(key) }
    return text
  }

  /// An id or another checked name.
  func id<ID>(
    _ key: StaticString, _ make: (String, String) throws(InvalidValue) -> ID
  ) throws(MemoirError) -> ID? {
    guard let text = try optionalText(key, mayBeEmpty: true) else { return nil }
    do throws(InvalidValue) {
      return try make(text, "")
    } catch {
      throw refused(key, error.reason)
    }
  }

  func requiredID<ID>(
    _ key: StaticString, _ make: (String, String) throws(InvalidValue) -> ID
  ) throws(MemoirError) -> ID {
    guard let id = try id(key, make) else { throw missing(key) }
    return id
  }

  /// One of a few words.
  func optionalWord<Word: CaseIterable & CustomStringConvertible>(
    _ key: StaticString, of words: Word.Type
  ) throws(MemoirError) -> Word? {
    guard let value = value(key) else { return nil }
    if let text = value.string {
      for word in Word.allCases where word.description == text { return word }
    }
    throw refused(key, "must be one of " + Word.allCases.map(\.description).joined(separator: ", "))
  }

  func word<Word: CaseIterable & CustomStringConvertible>(
    _ key: StaticString, of words: Word.Type
  ) throws(MemoirError) -> Word {
    guard let word = try optionalWord(key, of: words) else { throw missing(key) }
    return word
  }

  func optionalFraction(_ key: StaticString) throws(MemoirError) -> Fraction? {
    guard let value = value(key) else { return nil }
    guard let text = value.numberText else { throw refused(key, "must be a number from 0 to 1") }
    do throws(InvalidValue) {
      return try Fraction(text: String(decodingASCII: text))
    } catch {
      throw refused(key, error.reason)
    }
  }

  func fraction(_ key: StaticString) throws(MemoirError) -> Fraction {
    guard let fraction = try optionalFraction(key) else { throw missing(key) }
    return fraction
  }

  func optionalTime(_ key: StaticString) throws(MemoirError) -> Timestamp? {
    guard let value = value(key) else { return nil }
    guard let text = value.utf8 else { throw refused(key, "must be a time like 2026-11-20T10:00:00Z") }
    do throws(InvalidValue) {
      return try Timestamp(utf8: text, field: "")
    } catch {
      throw refused(key, error.reason)
    }
  }

  func flag(_ key: StaticString) throws(MemoirError) -> Bool {
    guard let value = value(key) else { throw missing(key) }
    guard let flag = value.bool else { throw refused(key, "must be true or false") }
    return flag
  }

  /// A whole number from 0 on.
  func optionalCount(_ key: StaticString) throws(MemoirError) -> UInt64? {
    guard let value = value(key) else { return nil }
    guard let count = value.uint64 else { throw refused(key, "must be a whole number from 0 on") }
    return count
  }

  /// An object of at most 16 KiB.
  func optionalMetadata(_ key: StaticString) throws(MemoirError) -> JSONText? {
    guard let value = value(key) else { return nil }
    guard value.kind == .object else { throw refused(key, "must be an object") }
    let text = JSONText(value)
    if text.utf8.count > Limits.metadataSize {
      throw .tooLarge(field: name(key), count: text.utf8.count, limit: Limits.metadataSize)
    }
    return text
  }

  func optionalTexts(_ key: StaticString) throws(MemoirError) -> [String]? {
    guard let value = value(key) else { return nil }
    guard value.kind == .array else { throw refused(key, "must be an array of strings") }
    var texts: [String] = []
    texts.reserveCapacity(value.count)
    var elements = value.elements
    while let element = elements.next() {
      guard let text = element.utf8, let copy = element.string else {
        throw refused(key, "must be an array of strings")
      }
      if text.count > Limits.textSize {
        throw .tooLarge(
          field: "\(name(key))[\(texts.count)]", count: text.count, limit: Limits.textSize)
      }
      texts.append(copy)
    }
    return texts
  }

  func texts(_ key: StaticString) throws(MemoirError) -> [String] {
    guard let texts = try optionalTexts(key) else { throw missing(key) }
    return texts
  }

  /// One text, or an array of texts.
  func optionalTextList(_ key: StaticString) throws(MemoirError) -> TextList? {
    if let text = value(key), text.kind == .string {
      return .one(try self.text(key, mayBeEmpty: true))
    }
    guard let value = value(key) else { return nil }
    guard value.kind == .array else { throw refused(key, "must be a string or an array of strings") }
    return .many(try texts(key))
  }

  func textList(_ key: StaticString) throws(MemoirError) -> TextList {
    guard let list = try optionalTextList(key) else { throw missing(key) }
    return list
  }

  /// Any JSON; `null` is a value like others.
  func json(_ key: StaticString) throws(MemoirError) -> JSONText {
    guard let value = node[key] else { throw missing(key) }
    return try Self.json(value, field: name(key))
  }

  func optionalJSON(_ key: StaticString) throws(MemoirError) -> JSONText? {
    guard let value = node[key] else { return nil }
    return try Self.json(value, field: name(key))
  }

  /// The members that `known` does not name, as an object; `nil` where there are none.
  func others(besides known: [DataKey]) throws(MemoirError) -> JSONText? {
    var others: [(key: [UInt8], value: JSONText)] = []
    var members = node.members
    next: while let member = members.next() {
      for key in known where member.hasKey(key.name) { continue next }
      guard let key = member.key.utf8 else { continue }
      var bytes: [UInt8] = []
      for index in key.indices { bytes.append(key[index]) }
      others.append((bytes, try Self.json(member.value, field: path.description + (member.key.string ?? ""))))
    }
    if others.isEmpty { return nil }
    others.sort { $0.key.lexicographicallyPrecedes($1.key) }
    var writer = JSONWriter()
    writer.beginObject()
    for other in others {
      writer.key(utf8: other.key.span)
      writer.value(other.value)
    }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }

  /// A value of any kind, whose texts keep to their limit.
  static func json(_ value: JSONNode, field: String) throws(MemoirError) -> JSONText {
    let text = JSONText(value)
    if text.utf8.count > Limits.textSize { try checkTexts(in: value, field: field) }
    return text
  }

  private static func checkTexts(in value: JSONNode, field: String) throws(MemoirError) {
    if let text = value.utf8, text.count > Limits.textSize {
      throw .tooLarge(field: field, count: text.count, limit: Limits.textSize)
    }
    var elements = value.elements
    while let element = elements.next() { try checkTexts(in: element, field: field) }
    var members = value.members
    while let member = members.next() {
      try checkTexts(in: member.key, field: field)
      try checkTexts(in: member.value, field: field)
    }
  }
}

extension String {
  /// The text of a number, which is ASCII.
  init(decodingASCII bytes: Span<UInt8>) {
    self.init()
    reserveCapacity(bytes.count)
    for index in bytes.indices { unicodeScalars.append(Unicode.Scalar(bytes[index])) }
  }
}
