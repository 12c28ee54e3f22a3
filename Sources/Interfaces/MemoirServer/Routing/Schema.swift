// What a value looks like, in the terms of JSON Schema: what the OpenAPI document says of it.
import JSON

/// What a value looks like.
indirect enum Schema: Sendable {
  /// One of an object's members.
  struct Property: Sendable {
    var name: String
    var schema: Schema
    var isRequired: Bool

    static func required(_ name: String, _ schema: Schema) -> Property {
      Property(name: name, schema: schema, isRequired: true)
    }
    static func optional(_ name: String, _ schema: Schema) -> Property {
      Property(name: name, schema: schema, isRequired: false)
    }
  }

  /// A text. Lengths are characters, as JSON Schema counts.
  case string(format: String? = nil, minLength: Int? = nil, maxLength: Int? = nil, pattern: String? = nil)
  /// One of these texts.
  case words([String])
  /// A whole number.
  case integer(min: Int64? = nil, max: Int64? = nil)
  /// A number.
  case number(min: Double? = nil, max: Double? = nil)
  /// `true` or `false`.
  case boolean
  /// Some of a kind.
  case array(Schema, max: Int? = nil)
  /// Members by name; others are refused unless it is `open`.
  case object([Property], isOpen: Bool = false)
  /// An object whose members all look alike.
  case map(Schema)
  /// One of the document's own.
  case named(String)
  /// Any of them.
  case either([Schema])
  /// `null` alone.
  case null
  /// This, or `null`.
  case nullable(Schema)
  /// Any JSON.
  case any
  /// This, with a sentence about it.
  case described(Schema, String)

  /// A point in time.
  static let time = Schema.string(format: "date-time")
  /// An event's id.
  static let uuid = Schema.string(format: "uuid")
  /// A number that counts something.
  static let count = Schema.integer(min: 0)
}

extension Schema {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writeMembers(to: &writer)
    writer.endObject()
  }

  private func writeMembers(to writer: inout JSONWriter) {
    switch self {
    case .string(let format, let minLength, let maxLength, let pattern):
      writer.member("type", "string")
      if let format { writer.member("format", format) }
      if let minLength { writer.member("minLength", minLength) }
      if let maxLength { writer.member("maxLength", maxLength) }
      if let pattern { writer.member("pattern", pattern) }
    case .words(let words):
      writer.member("type", "string")
      writer.member("enum", array: words) { $0.string($1) }
    case .integer(let min, let max):
      writer.member("type", "integer")
      if let min { writer.member("minimum", Int(min)) }
      if let max { writer.member("maximum", Int(max)) }
    case .number(let min, let max):
      writer.member("type", "number")
      if let min {
        writer.key("minimum")
        writer.double(min)
      }
      if let max {
        writer.key("maximum")
        writer.double(max)
      }
    case .boolean: writer.member("type", "boolean")
    case .array(let element, let max):
      writer.member("type", "array")
      writer.key("items")
      element.write(to: &writer)
      if let max { writer.member("maxItems", max) }
    case .object(let properties, let isOpen):
      writer.member("type", "object")
      writer.key("properties")
      writer.beginObject()
      for property in properties {
        writer.key(text: property.name)
        property.schema.write(to: &writer)
      }
      writer.endObject()
      let required = properties.filter(\.isRequired).map(\.name)
      if !required.isEmpty {
        writer.member("required", array: required) { $0.string($1) }
      }
      if !isOpen {
        writer.key("additionalProperties")
        writer.bool(false)
      }
    case .map(let element):
      writer.member("type", "object")
      writer.key("additionalProperties")
      element.write(to: &writer)
    case .named(let name): writer.member("$ref", "#/components/schemas/\(name)")
    case .either(let schemas):
      writer.key("anyOf")
      writer.beginArray()
      for schema in schemas { schema.write(to: &writer) }
      writer.endArray()
    case .null: writer.member("type", "null")
    case .nullable(let schema): Schema.either([schema, .null]).writeMembers(to: &writer)
    case .any: break
    case .described(let schema, let text):
      schema.writeMembers(to: &writer)
      writer.member("description", text)
    }
  }
}
