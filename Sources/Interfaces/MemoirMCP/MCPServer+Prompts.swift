// The prompt with which a person begins a conversation, and completing the names it asks for.
import JSON
import Memoir

extension MCPServer {
  private static let promptName = "begin_session"

  /// The member `prompts`.
  func writePrompts(to writer: inout JSONWriter, in version: ProtocolVersion) {
    let arguments = [
      ("user", "Whose memory: the id of the person.", true),
      ("first_message", "What the person says first; what matters for it is chosen.", false),
    ].filter { user == nil || $0.0 != "user" }
    writer.member("prompts", array: [Self.promptName]) { writer, name in
      writer.object { writer in
        writer.member("name", name)
        if version.hasStructuredContent { writer.member("title", "Begin a session") }
        writer.member("description", "Begins a conversation with what is known of the person and matters for it.")
        writer.member("arguments", array: arguments) { writer, argument in
          writer.object { writer in
            writer.member("name", argument.0)
            writer.member("description", argument.1)
            writer.member("required", argument.2)
          }
        }
      }
    }
  }

  /// The prompt: one message with the context, and the first message where there is one. Nothing is appended.
  func prompt(_ params: Params) throws(RPCError) -> MCPSession.Answer {
    let name = try params.text("name")
    guard name == Self.promptName else { throw .invalidParams("name: there is no prompt \(name.quoted)") }
    let arguments = try params.optionalObject("arguments")
    let known = user == nil ? ["user", "first_message"] : ["first_message"]
    for name in arguments?.names ?? [] where !known.contains(name) {
      throw .invalidParams(
        "arguments.\(name): is no argument of this prompt; it takes \(known.joined(separator: ", "))")
    }
    let user: StreamName
    if let fixed = self.user {
      user = StreamName(fixed, in: namespace)
    } else {
      guard let name = try arguments?.optionalText("user") else { throw .invalidParams("arguments.user: is missing") }
      do throws(InvalidValue) {
        user = StreamName(try UserID(name, field: "arguments.user"), in: namespace)
      } catch {
        throw .invalidParams(error.description)
      }
    }
    let first = try arguments?.optionalText("first_message") ?? ""
    return MCPSession.Answer { [self] () throws(RPCError) in
      do {
        return try await MCPAccess.current.granting([.recall], name, about: user) {
          let package = try await store.contextWithReceipt(.opening(with: first), for: user).context
          let question = first.isEmpty ? "" : "\n\nThe person says:\n\n\(first)"
          let text = "This is what is remembered of the person you talk to.\n\n\(package.shown)\(question)"
          return .object { writer in
            writer.member("description", "What is known of \(user.user), and matters now.")
            writer.member("messages", array: [text]) { writer, text in
              writer.object { writer in
                writer.member("role", "user")
                writer.member("content") { writer in
                  writer.member("type", "text")
                  writer.member("text", text)
                }
              }
            }
          }
        }
      } catch {
        throw RPCError(MemoirError(error))
      }
    }
  }

  // MARK: Completing

  /// The most values of a completion, by the protocol.
  private static let mostCompletions = 100

  /// Completes the user of a prompt or of a resource's address; anything else has no completions.
  func complete(_ params: Params) throws(RPCError) -> MCPSession.Answer {
    let reference = try params.object("ref")
    switch try reference.text("type") {
    case "ref/prompt":
      let name = try reference.text("name")
      guard name == Self.promptName else { throw .invalidParams("ref.name: there is no prompt \(name.quoted)") }
    case "ref/resource":
      let uri = try reference.text("uri")
      guard PersonResource.Kind.allCases.contains(where: { PersonResource.template($0) == uri }) else {
        throw .invalidParams("ref.uri: there is no template \(uri.quoted)")
      }
    default: throw .invalidParams("ref.type: must be ref/prompt or ref/resource")
    }
    let argument = try params.object("argument")
    let (name, beginning) = (try argument.text("name"), try argument.text("value"))
    return MCPSession.Answer { [self] () throws(RPCError) in
      var names: [String] = []
      do {
        if name == "user", user == nil, MCPAccess.current.listsUsers(namespace) {
          names = try users(beginningWith: beginning)
        }
      } catch {
        throw RPCError(MemoirError(error))
      }
      return .object { writer in
        writer.member("completion") { writer in
          writer.member("values", array: names.prefix(Self.mostCompletions)) { $0.string($1) }
          writer.member("hasMore", names.count > Self.mostCompletions)
        }
      }
    }
  }

  /// The users whose names begin so, by name: one more than a completion shows, where there are as many.
  private func users(beginningWith beginning: String) throws -> [String] {
    var names: [String] = []
    var last: StreamName?
    if !beginning.isEmpty {
      guard let first = try? UserID(beginning) else { return [] }
      last = StreamName(first, in: namespace)
      if try store.log.version(of: StreamName(first, in: namespace)) > 0 { names.append(beginning) }
    }
    while names.count <= Self.mostCompletions {
      let page = try store.log.streams(in: namespace, after: last, limit: Self.mostCompletions)
      for summary in page {
        let name = summary.name.user.description
        guard name.utf8.starts(with: beginning.utf8) else { return names }
        names.append(name)
      }
      guard let end = page.last else { break }
      last = end.name
    }
    return names
  }
}
