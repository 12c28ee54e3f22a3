// Shorthand for the many small objects of the protocol.
import JSON

extension JSONWriter {
  /// A member that is a string.
  mutating func member(_ key: StaticString, _ value: String) {
    self.key(key)
    string(value)
  }

  /// A member that is `true` or `false`.
  mutating func member(_ key: StaticString, _ value: Bool) {
    self.key(key)
    bool(value)
  }

  /// A member that is an object.
  mutating func member(_ key: StaticString, object body: (inout JSONWriter) -> Void) {
    self.key(key)
    object(body)
  }

  /// A member that is an array with one element for each of `elements`.
  mutating func member<Element>(
    _ key: StaticString, array elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void
  ) {
    self.key(key)
    beginArray()
    for element in elements { body(&self, element) }
    endArray()
  }

  /// An object.
  mutating func object(_ body: (inout JSONWriter) -> Void) {
    beginObject()
    body(&self)
    endObject()
  }
}

extension JSONText {
  /// What `body` writes. Only for what goes out: keys are in the order they are written in.
  static func written<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) -> JSONText {
    var writer = JSONWriter()
    try body(&writer)
    return JSONText(canonical: writer.finish())
  }

  /// An object of the members that `body` writes.
  static func object(_ body: (inout JSONWriter) -> Void) -> JSONText {
    written { $0.object(body) }
  }
}
