// An application's own events: any JSON under a name of its own.
internal import Bytes
public import EventStore
public import JSON

/// An event type of the application's own, with any JSON, or bytes, as its content.
public struct CustomEvent: Sendable {
  /// The type's name: a letter, then up to 199 letters, digits, or one of `_.:-`.
  public let type: String
  /// The content. Bytes are `{"$bytes":"<base64>"}`; no other key begins with `$`.
  public let data: JSONText

  /// Checks the name and the content.
  ///
  /// - Throws: ``InvalidValue`` that names the field: `type` or `data`.
  public init(type: String, data: JSONText) throws(InvalidValue) {
    try Self.check(type: type)
    self.type = type
    self.data = data
    guard data.utf8.contains(UInt8(ascii: "$")) else { return }
    let problem = try? JSONParser().parse(data.utf8.span) { node throws -> InvalidValue? in
      do throws(InvalidValue) { try Self.check(data: node, field: "data") } catch { return error }
      return nil
    }
    if let problem { throw problem }
  }

  /// An event of bytes.
  ///
  /// - Throws: ``InvalidValue`` where `type` is no such name.
  public init(type: String, bytes: [UInt8]) throws(InvalidValue) {
    try Self.check(type: type)
    self.type = type
    data = .object("$bytes", Base64.encode(bytes))
  }

  init(uncheckedType type: String, data: JSONText) {
    self.type = type
    self.data = data
  }

  /// The bytes, where the content is nothing else.
  public var bytes: [UInt8]? {
    try? JSONParser().parse(data.utf8.span) { node throws -> [UInt8]? in
      guard node.count == 1, let text = node["$bytes"]?.utf8 else { return nil }
      return Base64.decode(text)
    }
  }

  /// The payload field of the content.
  static let field: UInt8 = 1

  func write(into writer: inout PayloadWriter) { writer.write(data, field: Self.field) }

  /// The content of a payload; `nil` where an application wrote fields of its own.
  static func data(of payload: RawSpan) throws(DamagedBytes) -> JSONText? {
    var data: JSONText? = nil
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      guard field.number == Self.field, field.kind == .json, data == nil else { return nil }
      data = try field.json()
    }
    return data
  }

  package static func check(type: String) throws(InvalidValue) {
    let name = type.utf8
    guard let first = name.first, first | 0x20 >= UInt8(ascii: "a"), first | 0x20 <= UInt8(ascii: "z"),
      name.count <= 200, name.allSatisfy(isAllowed)
    else {
      throw InvalidValue(
        field: "type", reason: "must be a letter, then up to 199 letters, digits, or one of _ . : -")
    }
    let lowercased = type.lowercased()
    for known in EventSchema.memoir.types where known.name.lowercased() == lowercased {
      throw InvalidValue(field: "type", reason: "differs from \(known.name) by upper and lower case only")
    }
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Refuses keys that begin with `$`, apart from bytes.
  static func check(data: JSONNode, field: String) throws(InvalidValue) {
    var elements = data.elements
    var index = 0
    while let element = elements.next() {
      try check(data: element, field: "\(field)[\(index)]")
      index += 1
    }
    var members = data.members
    while let member = members.next() {
      let key = member.key.utf8
      if let key, !key.isEmpty, key[0] == UInt8(ascii: "$") {
        guard member.hasKey("$bytes"), data.count == 1, let text = member.value.utf8,
          Base64.decode(text) != nil
        else {
          throw InvalidValue(
            field: "\(field).\(member.key.string ?? "")",
            reason: #"begins with $; only {"$bytes":"<base64>"} may"#)
        }
      }
      if member.value.count > 0 {
        try check(data: member.value, field: "\(field).\(member.key.string ?? "")")
      }
    }
  }
}
