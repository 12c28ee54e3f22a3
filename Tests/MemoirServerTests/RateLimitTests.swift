// Callers held to a rate.
import Memoir
import Synchronization
import TestSupport
import Testing

@testable import MemoirServer

@Suite struct `A rate limit` {
  /// Nanoseconds that a test lets pass.
  private final class Time: Sendable {
    private let now = Mutex<UInt64>(1_000_000_000)
    var nanoseconds: UInt64 { now.withLock { $0 } }
    func pass(seconds: Double) { now.withLock { $0 += UInt64(seconds * 1e9) } }
  }

  @Test func `lets ten seconds' worth through at once, and then what its rate says`() {
    let time = Time()
    let limit = RateLimit(rate: 2) { time.nanoseconds }
    for left in (0..<20).reversed() {
      let allowance = limit.take(for: "key")
      #expect(allowance.retryAfter == nil && allowance.remaining == left && allowance.limit == 20)
    }
    #expect(limit.take(for: "key").retryAfter == 1)
    time.pass(seconds: 0.5)
    #expect(limit.take(for: "key").retryAfter == nil)
    #expect(limit.take(for: "key").retryAfter == 1)
    time.pass(seconds: 3_600)
    #expect(limit.take(for: "key").remaining == 19)
  }

  @Test func `of one caller is no other's`() {
    let time = Time()
    let limit = RateLimit(rate: 1) { time.nanoseconds }
    for _ in 1...11 { _ = limit.take(for: "busy") }
    #expect(limit.take(for: "busy").retryAfter != nil)
    #expect(limit.take(for: "calm").retryAfter == nil)
  }

  @Test func `remembers no more callers than it must`() {
    let time = Time()
    let limit = RateLimit(rate: 1) { time.nanoseconds }
    for number in 0..<70_000 {
      #expect(limit.take(for: "peer \(number)").retryAfter == nil)
      time.pass(seconds: 0.001)
    }
  }

  @Test func `is told in headers of exactly these names`() async throws {
    let served = try ServedStore { $0.rateLimit = 1 }
    let connection = try served.connect()
    await connection.send(Array("GET /v1/users/bob/state HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    let text = String(decoding: await connection.receiveSome(), as: UTF8.self)
    #expect(text.contains("\r\nX-RateLimit-Limit: 10\r\n"))
    #expect(text.contains("\r\nX-RateLimit-Remaining: 9\r\n"))
    #expect(text.contains("\r\nX-RateLimit-Reset: 1") || text.contains("\r\nX-RateLimit-Reset: 2"))
  }

  @Test func `refuses with 429 and when to come again`() async throws {
    let served = try ServedStore { $0.rateLimit = 1 }
    let connection = try served.connect()
    var refused: LoopbackReply?
    // One comes back each second, so it may take a few more than ten.
    for _ in 1...200 where refused == nil {
      let reply = await connection.ask("GET", "/v1/users/bob/state")
      if reply.status == 429 { refused = reply }
    }
    let reply = try #require(refused)
    #expect(reply.json("error", "code") == "rate_limited")
    #expect(reply.headers["retry-after"] == "1")
    #expect(reply.headers["x-ratelimit-remaining"] == "0")
    // Whether the server is well may be asked all the same.
    #expect(await connection.ask("GET", "/healthz").status == 200)
  }

  @Test func `is none where none was set`() async throws {
    let served = try ServedStore()
    let connection = try served.connect()
    for _ in 1...100 {
      let reply = await connection.ask("GET", "/v1/users/bob/state")
      #expect(reply.status == 404 && reply.headers["x-ratelimit-limit"] == nil)
    }
  }
}
