// One client's session: its messages in, the replies out.
import JSON
import Memoir
private import Synchronization

/// What one client says, and what it is answered.
///
/// The transport hands in each message as it arrives, one after the other, and sends what comes of it in whatever order
/// it is ready. Calls run beside one another; a call that appends begins once those before it have ended, and so does
/// one that reads, so that a client finds what it has just had remembered. Calls that read do not wait for each other.
package final class MCPSession: Sendable {
  /// The most bytes of a message.
  package static let messageSize = 16 << 20

  private let server: MCPServer
  private let state = Mutex(State())

  private struct State {
    /// Agreed upon by `initialize`.
    var version: ProtocolVersion?
    /// As the client calls itself.
    var agent = "mcp"
    /// What is being answered, by the number of the request.
    var running: [UInt64: Running] = [:]
    var lastNumber: UInt64 = 0
    /// Ends when all that was to be appended is.
    var appends: Task<Void, Never>?
  }

  private struct Running {
    let id: RequestID
    let task: Task<[UInt8]?, Never>
  }

  init(_ server: MCPServer) { self.server = server }

  /// The version agreed upon; `nil` before that.
  package var version: ProtocolVersion? { state.withLock(\.version) }

  /// Takes a message: one, or an array of them.
  ///
  /// Returns at once. To be called for each message in the order of arrival, not by several threads at a time.
  /// - Returns: What will be the reply's bytes, without an end of line; `nil` where none is due: to a notification, and
  ///   to a request that was cancelled.
  package func receive(_ message: [UInt8]) -> Task<[UInt8]?, Never> {
    let incoming: Incoming
    do throws(RPCError) {
      incoming = try Incoming(message)
      if case .batch = incoming, let version, !version.hasBatches {
        throw .invalidRequest("several messages at once belong to version \(ProtocolVersion.march2025.rawValue)")
      }
    } catch {
      let reply = Reply.error(error, to: nil)
      return Task { reply }
    }
    switch incoming {
    case .one(let message): return answer(message)
    case .batch(let messages):
      let answers = messages.map { answer($0, isInBatch: true) }
      return Task {
        var replies: [[UInt8]] = []
        for answer in answers {
          if let reply = await answer.value { replies.append(reply) }
        }
        return replies.isEmpty ? nil : Reply.batch(replies)
      }
    }
  }

  /// The reply to a message that was longer than ``messageSize``, and is not there to be read.
  package static func replyToTooLong() -> [UInt8] {
    Reply.error(.invalidRequest("the message has more than \(messageSize) bytes"), to: nil)
  }

  private func answer(_ message: Message, isInBatch: Bool = false) -> Task<[UInt8]?, Never> {
    switch message {
    case .response: return Task { nil }
    case .invalid(let id, let error):
      let reply = Reply.error(error, to: id)
      return Task { reply }
    case .notification(let method, let params):
      if method == "notifications/cancelled" { cancel(params) }
      return Task { nil }
    case .request(let id, let method, let params):
      let answer: Answer
      do throws(RPCError) {
        if isInBatch, method == "initialize" { throw .invalidRequest("initialize comes by itself") }
        answer = try begin(method, Params(params))
      } catch {
        let reply = Reply.error(error, to: id)
        return Task { reply }
      }
      return run(answer, id)
    }
  }

  // MARK: Running

  /// What will be a result, and whether something is appended by it.
  struct Answer: Sendable {
    var appends = false
    let result: @Sendable () async throws(RPCError) -> JSONText

    static func now(_ result: JSONText) -> Answer { Answer { () throws(RPCError) in result } }
  }

  private func run(_ answer: Answer, _ id: RequestID) -> Task<[UInt8]?, Never> {
    state.withLock { state in
      state.lastNumber += 1
      let (number, earlier) = (state.lastNumber, state.appends)
      let task = Task { [self] in
        await earlier?.value
        let reply = await reply(answer, id)
        self.state.withLock { $0.running[number] = nil }
        return reply
      }
      state.running[number] = Running(id: id, task: task)
      if answer.appends { state.appends = Task { _ = await task.value } }
      return task
    }
  }

  private func reply(_ answer: Answer, _ id: RequestID) async -> [UInt8]? {
    // Cancelled while it waited: it is as if it had never been asked.
    if Task.isCancelled { return nil }
    let reply: [UInt8]
    do throws(RPCError) {
      reply = Reply.result(try await answer.result(), to: id)
    } catch {
      reply = Reply.error(error, to: id)
    }
    return Task.isCancelled ? nil : reply
  }

  /// Ends what is no longer wanted. What is being appended is appended all the same.
  private func cancel(_ params: JSONText) {
    guard let id = try? Params(params).json("requestId") else { return }
    let tasks = state.withLock { state in state.running.values.filter { $0.id == id }.map(\.task) }
    for task in tasks { task.cancel() }
  }

  // MARK: Methods

  private func begin(_ method: String, _ params: Params) throws(RPCError) -> Answer {
    switch method {
    case "initialize": return .now(try initialize(params))
    case "ping": return .now(.emptyObject)
    // Clients of the version after those spoken here ask this first, and begin with `initialize` once it is refused.
    case "server/discover": throw .methodNotFound(method)
    default: break
    }
    let (version, agent) = state.withLock { ($0.version, $0.agent) }
    guard let version else { throw .invalidRequest("\(method.quoted) before initialize") }
    switch method {
    case "tools/list":
      try params.refuseCursor()
      return .now(.object { server.writeTools(to: &$0, in: version) })
    case "tools/call": return try server.call(params, by: agent, in: version)
    case "resources/list":
      try params.refuseCursor()
      return .now(.object { server.writeResources(to: &$0, in: version) })
    case "resources/templates/list":
      try params.refuseCursor()
      return .now(.object { server.writeResourceTemplates(to: &$0, in: version) })
    case "resources/read": return try server.readResource(params)
    case "prompts/list":
      try params.refuseCursor()
      return .now(.object { server.writePrompts(to: &$0, in: version) })
    case "prompts/get": return try server.prompt(params)
    case "completion/complete": return try server.complete(params)
    case "logging/setLevel":
      // Nothing is logged over the protocol; clients set a level without being asked.
      let level = try params.text("level")
      let levels = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
      guard levels.contains(level) else {
        throw .invalidParams("level: must be one of " + levels.joined(separator: ", "))
      }
      return .now(.emptyObject)
    default: throw .methodNotFound(method)
    }
  }

  /// Agrees on a version: the client's, or the latest where it names one that nobody here speaks.
  ///
  /// A client may begin anew: proxies do that serve several clients, one after another, by one session.
  private func initialize(_ params: Params) throws(RPCError) -> JSONText {
    let version = ProtocolVersion(rawValue: try params.text("protocolVersion")) ?? .latest
    let name = try params.optionalObject("clientInfo")?.optionalText("name")?.onOneLine
      .beginning(ofBytes: Limits.labelSize)
    state.withLock { state in
      state.version = version
      state.agent = name.flatMap { $0.isEmpty ? nil : $0 } ?? "mcp"
    }
    return .object { writer in
      writer.member("protocolVersion", version.rawValue)
      writer.member("capabilities") { writer in
        writer.member("tools") { _ in }
        writer.member("resources") { _ in }
        writer.member("prompts") { _ in }
        if version.hasAnnotations { writer.member("completions") { _ in } }
      }
      writer.member("serverInfo") { writer in
        writer.member("name", "memoir")
        if version.hasStructuredContent { writer.member("title", "Memoir") }
        writer.member("version", server.programVersion)
      }
      writer.member("instructions", server.instructions)
    }
  }
}
