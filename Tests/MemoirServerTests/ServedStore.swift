// A store behind HTTP, for one test.
import HTTPServer
import JSON
import Memoir
import MemoirServer
import Platform
import Synchronization
import TestSupport

/// A store in a temporary folder, served at a free port until the test ends.
final class ServedStore: Sendable {
  let clock = TestClock()
  let store: MemoirStore
  let server: MemoirServer
  private let folder = TemporaryFolder()
  private let lines: Lines

  /// The lines of the server's log.
  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  init(_ change: (inout MemoirServerOptions) -> Void = { _ in }) throws {
    let lines = Lines()
    self.lines = lines
    var options = EventLog.Options()
    options.mapSize = 1 << 33
    options.clock = { [clock] in clock.now }
    store = try MemoirStore(folder: folder.path + "/store", options: options)
    var served = MemoirServerOptions(.loopback(port: 0))
    served.log = { line in lines.all.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    change(&served)
    server = try MemoirServer(store, served)
  }

  deinit {
    server.end(within: .seconds(5))
    try? store.close()
  }

  /// What the server logged.
  var log: [String] { lines.all.withLock { $0 } }

  func connect() throws -> LoopbackConnection { try LoopbackConnection(port: server.address.port) }

  /// Asks on a connection of its own.
  func ask(
    _ method: String, _ target: String, headers: [(String, String)] = [], body: String? = nil, headOnly: Bool = false
  ) async throws -> LoopbackReply {
    try await connect().ask(method, target, headers: headers, body: body, headOnly: headOnly)
  }

  func get(_ target: String) async throws -> LoopbackReply { try await ask("GET", target) }
  func post(_ target: String, _ body: String) async throws -> LoopbackReply {
    try await ask("POST", target, body: body)
  }

  /// Sends bytes as they are, and reads the answer.
  func send(_ text: String) async throws -> (reply: LoopbackReply, connection: LoopbackConnection) {
    let connection = try connect()
    await connection.send(Array(text.utf8))
    return (await connection.receive(), connection)
  }
}

extension ServedStore {
  /// A state as the library prints it.
  func printed(_ state: StateAt) -> String {
    var writer = JSONWriter()
    try? store.write(state, to: &writer)
    return String(decoding: writer.finish(), as: UTF8.self)
  }
}

extension LoopbackReply {
  /// The elements of an array of the body, each as a body of its own.
  func elements(_ name: String) -> [LoopbackReply] {
    let found = try? JSONParser().parse(body.span) { node -> [LoopbackReply] in
      guard let array = node.member(named: name) else { return [] }
      var result: [LoopbackReply] = []
      var elements = array.elements
      while let element = elements.next() {
        var writer = JSONWriter()
        writer.value(element)
        result.append(LoopbackReply(body: writer.finish()))
      }
      return result
    }
    return found ?? []
  }

  /// A member of the body, found by names: `json("error", "code")`. A string as it is, anything else as JSON.
  func json(_ path: String...) -> String? {
    try? JSONParser().parse(body.span) { node -> String? in
      func value(_ node: JSONNode, _ rest: ArraySlice<String>) -> String? {
        guard let name = rest.first else {
          if let text = node.string { return text }
          var writer = JSONWriter()
          writer.value(node)
          return String(decoding: writer.finish(), as: UTF8.self)
        }
        guard let member = node.member(named: name) else { return nil }
        return value(member, rest.dropFirst())
      }
      return value(node, path[...])
    }
  }
}
