// JSON Schema, as much of it as tools need.
import JSON

/// What a value is like.
indirect enum Schema: Sendable {
  case text(longest: Int? = nil)
  case word(of: [String])
  case time
  case fraction
  case number
  case whole(ClosedRange<Int64>? = nil)
  case flag
  /// An object of the application's own.
  case anyObject
  /// Anything, `null` included.
  case anything
  /// The value, or `null`.
  case nullable(Schema)
  case array(of: Schema)
  /// An object with these members.
  case object([Property], isClosed: Bool = false)

  /// A member of an object.
  struct Property: Sendable {
    let name: String
    let schema: Schema
    var isRequired = true
    var help: String?

    static func required(_ name: String, _ schema: Schema, _ help: String? = nil) -> Property {
      Property(name: name, schema: schema, help: help)
    }

    static func optional(_ name: String, _ schema: Schema, _ help: String? = nil) -> Property {
      Property(name: name, schema: schema, isRequired: false, help: help)
    }
  }

  /// Prints it as an object.
  func write(to writer: inout JSONWriter, help: String? = nil) {
    writer.beginObject()
    writeMembers(to: &writer)
    if let help { writer.member("description", help) }
    writer.endObject()
  }

  private func writeMembers(to writer: inout JSONWriter) {
    switch self {
    case .text(let longest):
      writer.member("type", "string")
      if let longest {
        writer.key("maxLength")
        writer.integer(longest)
      }
    case .word(let words):
      writer.member("type", "string")
      writer.member("enum", array: words) { $0.string($1) }
    case .time:
      writer.member("type", "string")
      writer.member("format", "date-time")
    case .fraction:
      writer.member("type", "number")
      Self.writeRange(0...1, to: &writer)
    case .number: writer.member("type", "number")
    case .whole(let range):
      writer.member("type", "integer")
      if let range { Self.writeRange(range, to: &writer) }
    case .flag: writer.member("type", "boolean")
    case .anyObject: writer.member("type", "object")
    case .anything: break
    case .nullable(let schema):
      writer.member("anyOf", array: [schema, nil]) { writer, schema in
        if let schema { schema.write(to: &writer) } else { writer.object { $0.member("type", "null") } }
      }
    case .array(let element):
      writer.member("type", "array")
      writer.key("items")
      element.write(to: &writer)
    case .object(let properties, let isClosed): Self.write(properties, isClosed: isClosed, to: &writer)
    }
  }

  private static func writeRange(_ range: ClosedRange<Int64>, to writer: inout JSONWriter) {
    writer.key("minimum")
    writer.integer(range.lowerBound)
    writer.key("maximum")
    writer.integer(range.upperBound)
  }

  private static func write(_ properties: [Property], isClosed: Bool, to writer: inout JSONWriter) {
    writer.member("type", "object")
    writer.member("properties") { writer in
      for property in properties {
        writer.key(text: property.name)
        property.schema.write(to: &writer, help: property.help)
      }
    }
    let required = properties.filter(\.isRequired)
    if !required.isEmpty { writer.member("required", array: required) { $0.string($1.name) } }
    if isClosed { writer.member("additionalProperties", false) }
  }
}
