// A client of a server in this process: speaks to it as a host does, in JSON.
import EventStore
import Foundation
import JSON
import Memoir
import MemoirMCP
import Synchronization
import TestSupport
import Testing

/// A message as Foundation reads it.
typealias Object = [String: Any]

/// A store in a temporary folder, and one client's session with it.
final class MCPDesk {
  let clock = TestClock()
  let store: MemoirStore
  let server: MCPServer
  let session: MCPSession
  private let folder = TemporaryFolder()
  private var lastID = 0

  /// - Parameter version: What the client asks for; `nil`: it does not begin with `initialize`.
  init(
    user: String? = nil, namespace: Namespace = .default, version: String? = "2025-11-25",
    memory: MemoryOptions = MemoryOptions()
  ) async throws {
    var options = EventLog.Options()
    options.clock = { [clock] in clock.now }
    options.mapSize = 1 << 32
    store = try MemoirStore(folder: folder.path + "/store", options: options, memory: memory)
    server = MCPServer(store, user: try user.map { try UserID($0) }, in: namespace, programVersion: "1")
    session = server.session()
    if let version { try await initialize(version) }
  }

  deinit { try? store.close() }

  @discardableResult
  func initialize(_ version: String, name: String = "desk") async throws -> Object {
    let result = try await result(
      "initialize",
      ["protocolVersion": version, "capabilities": Object(), "clientInfo": ["name": name, "version": "1"]])
    #expect(try await reply(to: #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#) == nil)
    return result
  }

  func advance(seconds: Double) { clock.advance(byMicroseconds: Int64(seconds * 1_000_000)) }

  /// The reply to a line; `nil` where there is none.
  func reply(to line: String) async throws -> Any? {
    guard let bytes = await session.receive(Array(line.utf8)).value else { return nil }
    #expect(!bytes.contains(UInt8(ascii: "\n")))
    return try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
  }

  /// The only reply to a line, an object.
  func object(_ line: String) async throws -> Object { try #require(try await reply(to: line) as? Object) }

  /// A request as a line.
  func line(_ method: String, _ params: Object = [:], id: Any? = nil) throws -> String {
    lastID += 1
    let message: Object = ["jsonrpc": "2.0", "id": id ?? lastID, "method": method, "params": params]
    return String(decoding: try JSONSerialization.data(withJSONObject: message), as: UTF8.self)
  }

  /// What comes of a request that must not fail.
  func result(_ method: String, _ params: Object = [:]) async throws -> Object {
    let reply = try await object(line(method, params))
    #expect(reply["jsonrpc"] as? String == "2.0")
    return try #require(reply["result"] as? Object, "\(reply)")
  }

  /// The code of the error of a request that must fail.
  func errorCode(_ method: String, _ params: Object = [:]) async throws -> Int {
    let reply = try await object(line(method, params))
    let error = try #require(reply["error"] as? Object, "\(reply)")
    #expect(try !#require(error["message"] as? String).isEmpty)
    return try #require(error["code"] as? Int)
  }

  /// What a tool gives: the text, and the structured result where there is one.
  struct Called {
    var text: String
    var structured: Object?
    var isError: Bool

    subscript<Value>(key: String) -> Value? { structured?[key] as? Value }
  }

  func call(_ tool: String, _ arguments: Object = [:]) async throws -> Called {
    let result = try await result("tools/call", ["name": tool, "arguments": arguments])
    let content = try #require(result["content"] as? [Object])
    #expect(content.count == 1 && content[0]["type"] as? String == "text")
    return Called(
      text: try #require(content[0]["text"] as? String), structured: result["structuredContent"] as? Object,
      isError: try #require(result["isError"] as? Bool))
  }

  /// What a tool gives that must not refuse.
  @discardableResult
  func use(_ tool: String, _ arguments: Object = [:]) async throws -> Called {
    advance(seconds: 1)
    let called = try await call(tool, arguments)
    #expect(!called.isError, "\(called.text)")
    return called
  }

  /// What a tool says that must refuse.
  func refusal(_ tool: String, _ arguments: Object = [:]) async throws -> String {
    let called = try await call(tool, arguments)
    #expect(called.isError && called.structured == nil, "\(called.text)")
    return called.text
  }

  /// The tools by name.
  func tools() async throws -> [String: Object] {
    let tools = try #require(try await result("tools/list")["tools"] as? [Object])
    return try Dictionary(uniqueKeysWithValues: tools.map { (try #require($0["name"] as? String), $0) })
  }
}

/// An embedder that answers when the test lets it.
final class GatedEmbedder: Embedder {
  private struct Gate {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
    var questions = 0
  }

  let model = "gated"
  private let gate = Mutex(Gate())

  /// How often it was asked.
  var questions: Int { gate.withLock(\.questions) }

  func open() {
    let waiting = gate.withLock { gate in
      gate.isOpen = true
      defer { gate.waiting = [] }
      return gate.waiting
    }
    for one in waiting { one.resume() }
  }

  func embed(_ texts: [String]) async throws(EmbedderError) -> [[Float]] {
    await withCheckedContinuation { continuation in
      let isOpen = gate.withLock { gate in
        gate.questions += 1
        if !gate.isOpen { gate.waiting.append(continuation) }
        return gate.isOpen
      }
      if isOpen { continuation.resume() }
    }
    return texts.map { _ in [1, 0] }
  }
}
