// A tool's parameters: one description, from which its schema is printed and by which its arguments are read.
import JSON
import Memoir

/// Why a value cannot be taken.
struct ParameterProblem: Error {
  /// Where within the value: `[2].role`; empty for the value itself.
  var path = ""
  /// Ends a sentence that begins with the name.
  let reason: String
}

/// What kind of value a parameter takes.
struct ParameterKind<Value: Sendable>: Sendable {
  let schema: Schema
  let read: @Sendable (JSONNode) throws(ParameterProblem) -> Value
}

/// A parameter whose value is of some type.
protocol ToolParameter: Sendable {
  /// Its name, kind and purpose.
  var property: Schema.Property { get }

  /// Reads what was given; `nil` where nothing was.
  func read(_ node: JSONNode?) throws(ParameterProblem) -> any Sendable
}

/// A parameter, and the key to its value in ``ToolArguments``.
struct Parameter<Value: Sendable>: ToolParameter {
  let property: Schema.Property
  private let value: @Sendable (JSONNode?) throws(ParameterProblem) -> Value

  func read(_ node: JSONNode?) throws(ParameterProblem) -> any Sendable { Given(value: try value(node)) }

  /// One that must be given.
  static func required(_ name: String, _ kind: ParameterKind<Value>, _ help: String) -> Parameter<Value> {
    Parameter<Value>(property: .required(name, kind.schema, help)) { node throws(ParameterProblem) in
      guard let node else { throw ParameterProblem(reason: "is missing") }
      return try kind.read(node)
    }
  }

  /// One with a value of its own where it is not given.
  static func optional(
    _ name: String, _ kind: ParameterKind<Value>, default standard: Value, _ help: String
  ) -> Parameter<Value> {
    Parameter<Value>(property: .optional(name, kind.schema, help)) { node throws(ParameterProblem) in
      if let node { try kind.read(node) } else { standard }
    }
  }

  /// One that may be left out.
  static func optional<Wrapped>(
    _ name: String, _ kind: ParameterKind<Wrapped>, _ help: String
  ) -> Parameter<Value> where Value == Wrapped? {
    Parameter<Value>(property: .optional(name, kind.schema, help)) { node throws(ParameterProblem) in
      if let node { try kind.read(node) } else { nil }
    }
  }
}

/// A value as ``ToolArguments`` keeps it: an optional one must not become another optional on the way.
private struct Given<Value: Sendable>: Sendable {
  let value: Value
}

/// The arguments of a call, each of them read and checked.
struct ToolArguments: Sendable {
  private let values: [String: any Sendable]

  /// Reads an object of arguments. `null` counts as not given.
  ///
  /// - Throws: `invalid_argument` that names the argument: unknown, missing, or of another kind.
  init(_ arguments: JSONText, for parameters: [any ToolParameter]) throws(MemoirError) {
    self = try JSONParser().parse(arguments.utf8.span, refusal: { MemoirError($0) }) { node throws(MemoirError) in
      do throws(ParameterProblem) {
        return try ToolArguments(node, for: parameters)
      } catch {
        throw .invalid(field: error.path, error.reason)
      }
    }
  }

  /// Reads an object of arguments.
  ///
  /// - Throws: ``ParameterProblem`` whose path begins with the name of the argument.
  init(_ node: JSONNode, for parameters: [any ToolParameter]) throws(ParameterProblem) {
    var members = node.members
    while let member = members.next() {
      let name = member.key.string ?? ""
      if parameters.contains(where: { $0.property.name == name }) { continue }
      let known = parameters.map(\.property.name).joined(separator: ", ")
      throw ParameterProblem(path: name, reason: "is not known here; there are \(known.isEmpty ? "none" : known)")
    }
    var values: [String: any Sendable] = [:]
    for parameter in parameters {
      let name = parameter.property.name
      do throws(ParameterProblem) {
        if let value = node.member(named: name), !value.isNull {
          values[name] = try parameter.read(value)
        } else {
          values[name] = try parameter.read(nil)
        }
      } catch {
        throw ParameterProblem(path: name + error.path, reason: error.reason)
      }
    }
    self.values = values
  }

  /// The value of a parameter that the tool lists.
  subscript<Value>(parameter: Parameter<Value>) -> Value {
    guard let given = values[parameter.property.name] as? Given<Value> else {
      preconditionFailure("the tool does not list \(parameter.property.name)")
    }
    return given.value
  }
}
