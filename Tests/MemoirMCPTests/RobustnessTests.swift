// Whatever bytes come in: a reply that is JSON, or none; never a trap, and never an error of our own.
import Foundation
import Memoir
import MemoirMCP
import TestSupport
import Testing

@Suite struct `Any bytes of a client` {
  private static let lines = [
    #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"remember","arguments":{"user":"bob","content":"Lives in Porto","importance":0.5,"tags":["a"],"ttl":60}}}"#,
    #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"recall","arguments":{"user":"bob","query":"where","top_k":3,"as_of":"v1","since":"2026-01-01T00:00:00Z"}}}"#,
    #"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"changes","arguments":{"user":"bob","from":"v0","to":"p9"}}}"#,
    #"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"start_session","arguments":{"user":"bob","budget":10,"idle_timeout":5,"first_message":"Hi"}}}"#,
    #"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"end_session","arguments":{"user":"bob","session":"s","messages":[{"role":"user","content":"x"}]}}}"#,
    #"{"jsonrpc":"2.0","id":6,"method":"resources/read","params":{"uri":"memoir://users/b%6Fb/state"}}"#,
    #"{"jsonrpc":"2.0","id":7,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"begin_session"},"argument":{"name":"user","value":"b"}}}"#,
    #"{"jsonrpc":"2.0","id":8,"method":"initialize","params":{"protocolVersion":"2025-03-26","clientInfo":{"name":"x"}}}"#,
    #"[{"jsonrpc":"2.0","id":9,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}]"#,
  ]

  @Test(arguments: 1...4) func `are answered or passed over`(seed: UInt64) async throws {
    var random = SeededRandom(seed: seed)
    let desk = try await MCPDesk(version: "2025-03-26")
    for round in 0..<600 {
      var bytes = Array(Self.lines[round % Self.lines.count].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(UInt8.random(in: 0x20...0x7e, using: &random), at: place)
        case 3: bytes.insert(contentsOf: bytes[place...].prefix(8), at: place)
        default: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)
        }
      }
      guard let reply = await desk.session.receive(bytes).value else { continue }
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(throws: Never.self, "\(text)") { try JSONSerialization.jsonObject(with: Data(reply)) }
      let said = String(decoding: reply, as: UTF8.self)
      #expect(!said.contains("-32603") && !said.contains("internal: "), "seed \(seed): \(text)\n\(said)")
    }
    #expect(try await desk.result("ping").isEmpty)
  }
}
