// Listing the tools, and calling one.
import JSON
import Memoir

extension MCPServer {
  /// The member `tools`.
  func writeTools(to writer: inout JSONWriter, in version: ProtocolVersion) {
    writer.member("tools", array: Tool.all) { $1.write(to: &$0, asksForUser: user == nil, in: version) }
  }

  /// Calls a tool. What it refuses is a result, for the model to read.
  ///
  /// - Throws: `invalid_params` for a tool that does not exist, and for what is no call at all.
  func call(_ params: Params, by agent: String, in version: ProtocolVersion) throws(RPCError) -> MCPSession.Answer {
    let name = try params.text("name")
    guard let tool = Tool.all.first(where: { $0.name == name }) else {
      throw .invalidParams(
        "name: there is no tool \(name.quoted); there are \(Self.toolNames.joined(separator: ", "))")
    }
    let given = params.optionalJSON("arguments") ?? .emptyObject
    guard given.kind == .object else { throw .invalidParams("arguments: must be an object") }
    return MCPSession.Answer(appends: !tool.effect.isReading) { [self] () throws(RPCError) in
      do {
        let arguments = try ToolArguments(given, for: tool.parameters(asksForUser: user == nil))
        let user = StreamName(user ?? arguments[Tool.user], in: namespace)
        return try await MCPAccess.current.granting(tool.scopes, tool.name, about: user) {
          let result = try await tool.call(ToolCall(store: store, user: user, arguments: arguments, agent: agent))
          return .written { result.write(to: &$0, in: version) }
        }
      } catch {
        return .written { ToolRefusal(MemoirError(error)).write(to: &$0) }
      }
    }
  }
}
