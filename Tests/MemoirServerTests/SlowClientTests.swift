// A real server beside many clients that hardly send anything.
import Glibc
import Memoir
import Platform
import TestSupport
import Testing

/// Real processes: one after the other, or each would wait for the others' machine.
@Suite(.serialized) struct `A real server` {
  /// Ten times as many where `MEMOIR_LONG` is set.
  private static let slowCount = CurrentProcess.environment("MEMOIR_LONG") == nil ? 100 : 1_000

  /// Milliseconds under which 99 of 100 requests were answered.
  private func slowest(_ server: ServeProcess, of count: Int = 400) async throws -> Double {
    let connection = try server.connect()
    var times: [Double] = []
    for _ in 0..<count {
      let start = MonotonicClock.nanoseconds
      #expect(await connection.ask("GET", "/readyz").status == 200)
      times.append(Double(MonotonicClock.nanoseconds - start) / 1e6)
    }
    return times.sorted()[count * 99 / 100]
  }

  /// Connects many times, and lets each connection drip while `body` runs.
  private func beside(_ server: ServeProcess, _ body: () async throws -> Double) async throws -> Double {
    var slow: [LoopbackConnection] = []
    for _ in 0..<Self.slowCount { slow.append(try server.connect()) }
    // A head that comes byte by byte, and a body that does.
    let heads = ["GET /readyz HTTP/1.1\r\nX-A: ", "POST /v1/users/bob/events HTTP/1.1\r\nContent-Length: 9999\r\n\r\n"]
    for (number, connection) in slow.enumerated() { await connection.send(Array(heads[number % 2].utf8)) }
    let dripping = Task { [slow] in
      while !Task.isCancelled {
        for connection in slow where !Task.isCancelled { await connection.send([0x20]) }
        try? await Task.sleep(for: .milliseconds(100))
      }
    }
    let result = try await body()
    dripping.cancel()
    await dripping.value
    return result
  }

  @Test func `hardly notices slow clients, and keeps nothing of them`() async throws {
    CurrentProcess.raiseDescriptorLimit()
    let folder = TemporaryFolder()
    let server = try ServeProcess(folder.path + "/store")
    _ = try await slowest(server, of: 50)
    let before = server.descriptorCount
    var memory: [Int] = []
    for _ in 1...3 {
      let alone = try await slowest(server)
      let beside = try await beside(server) { try await slowest(server) }
      // The second part is what a busy machine does to anybody.
      #expect(beside <= 2 * alone + 50, "\(beside) ms instead of \(alone) ms")
      let deadline = ContinuousClock.now + .seconds(30)
      while server.descriptorCount > before + 1, ContinuousClock.now < deadline {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(server.descriptorCount <= before + 1)
      memory.append(server.residentBytes)
    }
    // What the first round took is used again.
    #expect(memory[2] <= memory[0] + 8 << 20, "\(memory)")
    #expect(try server.end().end == .exit(0))
  }
}
