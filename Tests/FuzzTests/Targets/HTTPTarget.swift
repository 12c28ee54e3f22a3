// Requests as text: their heads checked as at the edge, then the whole way through the server but for the socket.
//
// An input is a line with method and target, headers, an empty line, and the body. What libmicrohttpd makes of a head is
// tried over sockets, by `MutatedRequestTests`.
import HTTPServer
import JSON
import Memoir
import Synchronization
import TestSupport

@testable import HTTPServer
@testable import MemoirServer

final class HTTPTarget: FuzzTarget {
  static let name = "http"
  private static let lifetime = 2_000

  private struct Served {
    let store: FuzzStore
    let service: Service

    init() throws {
      store = try FuzzStore()
      service = Service(
        store.store, MemoirServerOptions(.loopback(port: 0)), routes: MemoirServer.routes, log: RequestLog { _ in })
    }
  }

  private var served: Served
  private var count = 0

  init() throws { served = try Served() }

  func check(_ bytes: [UInt8]) throws -> Bool {
    // Waits for five seconds where that version does not come; nothing else does.
    if bytes.firstRange(of: Array("min_version".utf8)) != nil { return false }
    guard let (head, fault, body) = Self.request(bytes) else { return false }
    count += 1
    if count % Self.lifetime == 0 { served = try Served() }
    let response = answer(head, fault, body)
    // The first key shuts out whoever has none.
    if response.status == 401 { served = try Served() }
    // Of those of the server's own, only this one says nothing of a fault.
    try hold((200..<500).contains(response.status) || response.status == 503, "\(response.status)")
    guard case .bytes(let answer) = response.body else {
      if case .live(let body) = response.body { body.end() }
      return true
    }
    if response.type == "application/json", !response.isCompressed {
      try hold(answer.isEmpty || (try? JSONText(parsing: answer.span)) != nil, "the answer is no JSON")
    }
    for (name, value) in response.headers {
      try hold(!value.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "the header \(name) has a control character")
    }
    return response.status < 400
  }

  private func answer(_ head: RequestHead, _ fault: HTTPFault?, _ body: [UInt8]) -> HTTPResponse {
    let service = served.service
    if let fault { return service.refuse(head, fault) }
    switch service.handle(IncomingRequest(head, body: body)) {
    case .now(let response): return response
    case .soon(let work), .later(let work): return waiting(for: work)
    }
  }

  /// The parts of a request; `nil` for what no HTTP library would take for one.
  private static func request(_ bytes: [UInt8]) -> (RequestHead, HTTPFault?, [UInt8])? {
    let end = Array("\r\n\r\n".utf8)
    let (headBytes, body) =
      bytes.firstRange(of: end).map { (bytes[..<$0.lowerBound], Array(bytes[$0.upperBound...])) } ?? (bytes[...], [])
    let lines = headBytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
    let words = lines[0].split(separator: UInt8(ascii: " "), maxSplits: 2).map { String(validating: $0, as: UTF8.self) }
    guard words.count >= 2, let method = words[0], let target = words[1], target.utf8.first == UInt8(ascii: "/") else {
      return nil
    }
    let path = target.prefix { $0 != "?" }
    let query = target.dropFirst(path.count + 1).split(separator: "&").map { part -> (name: String, value: String?) in
      let part = part.replacing("+", with: " ")
      let name = part.prefix { $0 != "=" }
      return (String(name), name.count < part.count ? String(part.dropFirst(name.count + 1)) : nil)
    }
    var headers = HTTPHeaders()
    for line in lines.dropFirst() {
      guard let text = String(validating: line, as: UTF8.self) else { return nil }
      let name = text.prefix { $0 != ":" }
      headers.add(String(name), String(text.dropFirst(name.count + 1).drop { $0 == " " }))
    }
    let head = RequestHead(
      method: method, path: String(path), query: query, headers: headers, peer: "127.0.0.1")
    return (head, headers.fault.map { .malformed(reason: $0) }, body)
  }

  static let words =
    EventTarget.words + MemoirServer.routes.map(\.path)
    + Set(MemoirServer.routes.flatMap { $0.parameters.map(\.name) }).sorted().map { "\($0)=" } + [
      "GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD ", "\r\n\r\n", "Content-Length: 1\r\n",
      "If-None-Match: *\r\n",
      "Accept-Encoding: gzip\r\n", "Last-Event-ID: 1\r\n", "\"agent_id\"", "\"memory_ids\"", "\"events\"",
      "\"appends\"", "\"expected_version\"", "\"query\"", "\"top_k\"", "\"filter\"", "\"tags\"", "\"importance\"",
    ]

  static func seeds() throws -> [[UInt8]] {
    let event = #"{"type":"MessageAdded","session":"s","data":{"role":"user","content":"I moved to Lisbon."}}"#
    let requests: [(String, String?)] = [
      ("GET /v1/users/bob/state?at_version=1", nil), ("GET /v1/users/bob/state?include=messages", nil),
      ("GET /v1/users/bob/state?recorded_at=2026-01-01T00:00:00Z", nil),
      ("GET /v1/users/bob/diff?from=start&to=now", nil),
      ("GET /v1/users/bob/events?from_version=1&to_version=9&direction=backward&limit=3&type=MessageAdded", nil),
      ("GET /v1/events?after_position=0&limit=10", nil), ("GET /v1/users", nil), ("GET /openapi.json", nil),
      ("GET /v1/users/bob/recall?query=where%20do%20I%20live&top_k=3&kind=fact&kind=message", nil),
      ("GET /v1/users/bob/context?query=home&budget=200", nil), ("GET /v1/users/bob/explain?item=fact:home", nil),
      ("GET /v1/users/bob/report", nil), ("GET /v1/users/bob/export", nil), ("DELETE /v1/users/eve", nil),
      ("GET /v1/events/live?after_position=0", nil), ("GET /metrics", nil), ("GET /", nil),
      ("PUT /v1/subscriptions/feed?after_position=0", nil), ("GET /v1/subscriptions/feed/events?limit=5", nil),
      ("POST /v1/subscriptions/feed/ack", #"{"position":1}"#),
      ("POST /v1/users/bob/events", #"{"expected_version":"any","events":[\#(event)]}"#),
      ("POST /v1/events", #"{"appends":[{"user":"eve","expected_version":"any","events":[\#(event)]}]}"#),
      ("PUT /v1/retention", #"{"messages_days":30}"#), ("POST /v1/retention/run", #"{}"#),
      ("POST /v1/memory/store", #"{"agent_id":"bob","content":"Likes tea","importance":0.7,"tags":["a"]}"#),
      ("POST /v1/memory/recall", #"{"agent_id":"bob","query":"tea","top_k":3,"min_importance":0.1}"#),
      ("POST /v1/memory/search", #"{"agent_id":"bob","query":"tea","tags":["a"]}"#),
      ("PUT /v1/memory/update/home?agent_id=bob", #"{"content":"Lives in Porto"}"#),
      ("POST /v1/memory/forget", #"{"agent_id":"bob","memory_ids":["home"]}"#),
      ("POST /v1/memories/store/batch", #"{"agent_id":"bob","memories":[{"content":"a"},{"content":"b"}]}"#),
      ("POST /v1/memories/recall/batch", #"{"agent_id":"bob","filter":{"tags":["a"]},"limit":5}"#),
      ("POST /v1/memory/consolidate", #"{"agent_id":"bob","memory_ids":["drink","game"]}"#),
      ("POST /v1/knowledge/deduplicate", #"{"agent_id":"bob","threshold":0.9}"#),
      ("POST /v1/sessions/start", #"{"agent_id":"bob","metadata":{"a":1}}"#),
      ("POST /v1/sessions/s-1/end", #"{"summary":"About Lisbon."}"#), ("GET /v1/sessions?agent_id=bob", nil),
      ("GET /v1/agents/bob/wake-up?top_n=3", nil), ("GET /v1/audit?limit=5", nil), ("GET /v1/export?agent_id=bob", nil),
      ("POST /mcp", #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#),
    ]
    return requests.map { line, body in
      Array("\(line) HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip;q=0.5\r\n\r\n\(body ?? "")".utf8)
    }
  }
}

extension HTTPResponse {
  fileprivate var type: String? { headers.last { $0.name == "Content-Type" }?.value }
  fileprivate var isCompressed: Bool { headers.contains { $0.name == "Content-Encoding" } }
}
