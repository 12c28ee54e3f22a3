// What every event of the vocabulary can do: become the payload of an event, be read back, be made of JSON.
internal import Bytes
internal import EventStore
public import JSON

/// What an event says: one type for each event of the memory.
protocol EventContent: Sendable {
  /// The event type it is the content of.
  static var type: EventTypeCode { get }
  /// The version of the payload it writes.
  static var version: UInt16 { get }
  /// Whether such an event needs a session.
  static var needsSession: Bool { get }

  /// The members of `data`, sorted by name.
  static var keys: [DataKey] { get }

  /// Reads a payload of ``version``.
  ///
  /// - Throws: ``DamagedBytes`` where the bytes are no such payload.
  init(payload: RawSpan) throws(DamagedBytes)
  /// Writes the payload.
  func write(into writer: inout PayloadWriter)
  /// Members of `data` that the vocabulary does not know: a JSON object. They are kept and shown as they came.
  var otherFields: JSONText? { get }
}

extension EventContent {
  /// 1.
  static var version: UInt16 { 1 }
  /// Only where a session is what it is about.
  static var needsSession: Bool { false }
}

/// Content that is handed in as JSON.
protocol JSONContent: EventContent {
  /// Reads `data`.
  ///
  /// - Throws: ``MemoirError`` or ``InvalidValue``, naming the field.
  init(reading data: borrowing DataReader) throws
}

/// A member of `data` and the payload field it is kept in.
struct DataKey: Sendable {
  /// How an integer field is shown. Fields of other kinds show what they are.
  enum Form: Sendable {
    case number, time, role, memoryType
  }

  let name: StaticString
  let field: UInt8
  let form: Form

  init(_ name: StaticString, _ field: UInt8, _ form: Form = .number) {
    self.name = name
    self.field = field
    self.form = form
  }
}

/// The payload field in which members of `data` that the vocabulary does not know are kept.
let otherFieldsNumber: UInt8 = 0

extension PayloadWriter {
  mutating func write(_ json: JSONText?, field number: UInt8) {
    if let json { write(json: json.utf8.rawSpan, field: number) }
  }

  mutating func write(_ text: String?, field number: UInt8) {
    if let text { write(text, field: number) }
  }

  mutating func write(_ time: Timestamp?, field number: UInt8) {
    if let time { write(time, field: number) }
  }

  mutating func write(_ fraction: Fraction?, field number: UInt8) {
    if let fraction {
      let text = Array(fraction.description.utf8)
      write(json: text.rawSpan, field: number)
    }
  }

  mutating func write(_ flag: Bool, field number: UInt8) {
    let text = Array((flag ? "true" : "false").utf8)
    write(json: text.rawSpan, field: number)
  }

  mutating func write(_ texts: [String]?, field number: UInt8) {
    if let texts { write(JSONText(strings: texts), field: number) }
  }
}

extension PayloadField {
  /// The JSON of a field, copied.
  func json() throws(DamagedBytes) -> JSONText {
    guard kind == .json else { throw DamagedBytes() }
    return JSONText(canonical: bytes.array())
  }

  /// The number of a confidence or importance.
  func fraction() throws(DamagedBytes) -> Fraction {
    guard kind == .json else { throw DamagedBytes() }
    return Fraction(stored: try bytes.string())
  }

  /// `true` or `false`.
  func flag() throws(DamagedBytes) -> Bool {
    guard kind == .json else { throw DamagedBytes() }
    return bytes.byteCount == 4
  }

  /// The id of a fact or message.
  func itemID() throws(DamagedBytes) -> ItemID {
    if kind == .uuid {
      var reader = ByteReader(bytes)
      return .uuid(try EventID(reading: &reader))
    }
    return .name(try text())
  }

  /// An array of texts.
  func texts() throws(DamagedBytes) -> [String] {
    guard let texts = try json().strings else { throw DamagedBytes() }
    return texts
  }
}

extension JSONText {
  /// An array of strings.
  init(strings: [String]) {
    var writer = JSONWriter()
    writer.beginArray()
    for text in strings { writer.string(text) }
    writer.endArray()
    self.init(canonical: writer.finish())
  }

  /// The strings of an array that holds nothing else.
  public var strings: [String]? {
    try? JSONParser().parse(utf8.span) { node throws -> [String]? in
      guard node.kind == .array else { return nil }
      var texts: [String] = []
      texts.reserveCapacity(node.count)
      var elements = node.elements
      while let element = elements.next() {
        guard let text = element.string else { return nil }
        texts.append(text)
      }
      return texts
    }
  }
}
