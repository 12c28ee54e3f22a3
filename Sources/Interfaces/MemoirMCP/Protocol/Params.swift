// The parameters of a method, read with errors that name what is wrong.
import JSON

/// An object of parameters.
struct Params: Sendable {
  private let object: JSONText
  /// What stands before a name in errors.
  private let path: String

  init(_ params: JSONText) throws(RPCError) { try self.init(params, path: "") }

  private init(_ object: JSONText, path: String) throws(RPCError) {
    guard object.kind == .object else {
      throw .invalidParams("\(path.isEmpty ? "params" : String(path.dropLast())): must be an object")
    }
    self.object = object
    self.path = path
  }

  /// A member of any kind; `nil` where it is missing or `null`.
  func optionalJSON(_ name: String) -> JSONText? {
    try? JSONParser().parse(object.utf8.span) { node -> JSONText? in
      guard let value = node.member(named: name), !value.isNull else { return nil }
      return JSONText(value)
    }
  }

  func json(_ name: String) throws(RPCError) -> JSONText {
    guard let value = optionalJSON(name) else { throw .invalidParams("\(path)\(name): is missing") }
    return value
  }

  func optionalText(_ name: String) throws(RPCError) -> String? {
    guard let value = optionalJSON(name) else { return nil }
    let text = try? JSONParser().parse(value.utf8.span) { $0.string }
    guard let text else { throw .invalidParams("\(path)\(name): must be a string") }
    return text
  }

  func text(_ name: String) throws(RPCError) -> String {
    guard let text = try optionalText(name) else { throw .invalidParams("\(path)\(name): is missing") }
    return text
  }

  func optionalObject(_ name: String) throws(RPCError) -> Params? {
    guard let value = optionalJSON(name) else { return nil }
    return try Params(value, path: path + name + ".")
  }

  func object(_ name: String) throws(RPCError) -> Params { try Params(json(name), path: path + name + ".") }

  /// The names of all members.
  var names: [String] {
    (try? JSONParser().parse(object.utf8.span) { node in
      var names: [String] = []
      var members = node.members
      while let member = members.next() { names.append(member.key.string ?? "") }
      return names
    }) ?? []
  }

  /// All lists are given whole, so no client has a cursor from us.
  func refuseCursor() throws(RPCError) {
    if optionalJSON("cursor") != nil { throw .invalidParams("cursor: is none that was given here") }
  }
}
