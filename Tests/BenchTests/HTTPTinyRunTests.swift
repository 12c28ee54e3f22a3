// What the server is measured with, at a tiny size: it runs, and gives every figure.
import Testing

@testable import MemoirBench

@Suite struct `A tiny run over HTTP` {
  @Test func `gives every figure`() async throws {
    let lines = try await HTTPBench(.quick) { _ in }.run()
    let text = lines.joined(separator: "\n")
    for name in [
      "appends of one event, 8 connections", "bare libmicrohttpd", "recall of 100 memories",
      "5 live streams: each had all 20 events in order", "start on 6000 events to ready",
    ] {
      #expect(text.contains(name), "\(name) in \(text)")
    }
    #expect(!text.contains("nan") && !text.contains("inf"))
  }

  @Test func `takes its sizes from the command line, and nothing else`() throws {
    let plan = try HTTPPlan(["--connections", "3", "--live", "7"])
    #expect(plan.connections == 3 && plan.liveStreams == 7)
    for words in [["--connections"], ["--connections", "0"], ["--live", "x"], ["--unknown", "1"]] {
      #expect(throws: BenchError.self) { try HTTPPlan(words) }
    }
  }
}
