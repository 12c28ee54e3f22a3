// Shorthand for objects whose members are known when they are written.

extension JSONWriter {
  /// A member that is a string.
  package mutating func member(_ key: StaticString, _ value: String) {
    self.key(key)
    string(value)
  }

  /// A member that is a string, under a key made at run time.
  package mutating func member(text key: String, _ value: String) {
    self.key(text: key)
    string(value)
  }

  /// A member that is an integer.
  package mutating func member(_ key: StaticString, _ value: Int) {
    self.key(key)
    integer(value)
  }

  /// A member that is an integer, under a key made at run time.
  package mutating func member(text key: String, _ value: Int) {
    self.key(text: key)
    integer(value)
  }

  /// A member that is `true` or `false`.
  package mutating func member(_ key: StaticString, _ value: Bool) {
    self.key(key)
    bool(value)
  }

  /// A member that is an object.
  package mutating func member(_ key: StaticString, object body: (inout JSONWriter) -> Void) {
    self.key(key)
    object(body)
  }

  /// A member that is an array with one element for each of `elements`.
  package mutating func member<Element>(
    _ key: StaticString, array elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void
  ) {
    self.key(key)
    beginArray()
    for element in elements { body(&self, element) }
    endArray()
  }

  /// An array of strings.
  package mutating func strings(_ values: [String]) {
    beginArray()
    for value in values { string(value) }
    endArray()
  }

  /// An object.
  package mutating func object(_ body: (inout JSONWriter) -> Void) {
    beginObject()
    body(&self)
    endObject()
  }
}
