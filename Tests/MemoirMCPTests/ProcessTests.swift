// `memoir mcp` as a host runs it: a process, with pipes.
import Foundation
import Glibc
import Memoir
import TestSupport
import Testing

/// A host: the program, and what it says to it.
private final class Host {
  let process: RunningProcess
  private let folder: TemporaryFolder

  init(_ arguments: [String] = ["--user", "bob"], on folder: TemporaryFolder, environment: [String: String] = [:])
    throws
  {
    self.folder = folder
    process = try RunningProcess(
      RunningProcess.productsFolder + "/memoir", ["--store", folder.path + "/store", "mcp"] + arguments,
      environment: environment)
  }

  func send(_ method: String, _ params: Object = [:], id: Int) throws {
    let message: Object = ["jsonrpc": "2.0", "id": id, "method": method, "params": params]
    try process.send(String(decoding: try JSONSerialization.data(withJSONObject: message), as: UTF8.self))
  }

  func begin() throws {
    try send("initialize", ["protocolVersion": "2025-11-25", "clientInfo": ["name": "host"]], id: 0)
    #expect(try reply()["id"] as? Int == 0)
    try process.send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
  }

  func remember(_ id: Int, _ name: String = "f") throws {
    let arguments = ["content": "Fact \(name)\(id) stands alone", "fact_id": "\(name)\(id)"]
    try send("tools/call", ["name": "remember", "arguments": arguments], id: id)
  }

  func reply() throws -> Object { try Self.object(process.line()) }

  static func object(_ line: String) throws -> Object {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? Object, "\(line)")
  }

  /// The store, once the host is gone.
  func store() throws -> MemoirStore {
    var options = EventLog.Options()
    options.creates = false
    options.mapSize = 1 << 32
    return try MemoirStore(folder: folder.path + "/store", options: options)
  }
}

@Suite struct `The program that speaks MCP` {
  @Test func `makes a store, answers, and ends with its input`() throws {
    let host = try Host(on: TemporaryFolder())
    try host.begin()
    try host.remember(1)
    #expect((try host.reply()["result"] as? Object)?["isError"] as? Bool == false)
    // What is asked last is answered, too, though nobody waits for it before the end.
    try host.remember(2)
    host.process.closeInput()
    #expect(try Host.object(try #require(host.process.lines().first))["id"] as? Int == 2)
    #expect(try host.process.wait() == .exit(0))
    let store = try host.store()
    #expect(try store.state(of: .bob).facts.count == 2)
    #expect(try store.log.event(at: 1, of: .bob)?.agent == "host")
    try store.close()
  }

  @Test func `finishes what was begun when it is asked to end`() throws {
    let host = try Host(on: TemporaryFolder())
    try host.begin()
    for number in 1...40 { try host.remember(number) }
    let first = try host.reply()
    host.process.signal(SIGTERM)
    let answered = [first] + (try host.process.lines().map(Host.object))
    #expect(try host.process.wait() == .exit(0))
    #expect(answered.allSatisfy { $0["result"] != nil })
    // What was answered is there, and nothing else.
    let store = try host.store()
    #expect(try store.state(of: .bob).facts.count == answered.count)
    try store.close()
  }

  @Test func `ends at once when it is asked while it has nothing to do`() throws {
    let host = try Host(on: TemporaryFolder())
    try host.begin()
    host.process.signal(SIGTERM)
    #expect(try host.process.lines().isEmpty && host.process.wait() == .exit(0))
  }

  @Test func `refuses a line that is too long, and reads on`() throws {
    let host = try Host(on: TemporaryFolder())
    try host.begin()
    try host.process.send(String(repeating: "x", count: (16 << 20) + 1))
    try host.send("ping", id: 7)
    let replies = [try host.reply(), try host.reply()]
    #expect(replies.contains { $0["id"] is NSNull && ($0["error"] as? Object)?["code"] as? Int == -32600 })
    #expect(replies.contains { $0["id"] as? Int == 7 && $0["result"] != nil })
  }

  @Test func `writes one message a line, however many are asked at once`() throws {
    let host = try Host(on: TemporaryFolder())
    try host.begin()
    // More than wait at a time, and nobody reads meanwhile; the requests fit into the pipe, the answers do not.
    for number in 1...300 { try host.send("tools/list", id: number) }
    var ids: Set<Int> = []
    for _ in 1...300 { ids.insert(try #require(try host.reply()["id"] as? Int)) }
    #expect(ids == Set(1...300))
  }

  @Test func `shares a store with another, and neither loses anything`() throws {
    let folder = TemporaryFolder()
    let hosts = [try Host(on: folder), try Host(on: folder)]
    for host in hosts { try host.begin() }
    for number in 1...30 {
      for (host, name) in zip(hosts, ["a", "b"]) { try host.remember(number, name) }
    }
    for host in hosts {
      for _ in 1...30 { #expect((try host.reply()["result"] as? Object)?["isError"] as? Bool == false) }
    }
    for host in hosts {
      host.process.closeInput()
      #expect(try host.process.wait() == .exit(0))
    }
    let store = try hosts[0].store()
    #expect(try store.state(of: .bob).facts.count == 60 && store.log.version(of: .bob) == 60)
    try store.close()
  }

  @Test func `says what is wrong with its configuration on standard error alone`() throws {
    for (arguments, environment) in [
      (["--user", ""], [:]), (["--user"], [:]), (["more"], [:]), ([], ["MEMOIR_EMBEDDINGS_URL": "nonsense"]),
    ] {
      let host = try Host(arguments, on: TemporaryFolder(), environment: environment)
      #expect(try host.process.lines().isEmpty && host.process.wait() == .exit(2), "\(arguments) \(environment)")
    }
  }
}
