// The benchmarks at tiny sizes: they run, they give every figure, and they notice a wrong answer.
import Foundation
import Testing

@testable import MemoirBench

@Suite struct `A tiny run` {
  @Test func `answers every question for every contestant that has part in it`() async throws {
    var plan = Plan.quick
    plan.dialogues = Self.demo
    let bench = try Bench(plan) { _ in }
    try await bench.run()
    let results = bench.results
    for row in Row.all {
      let value = try #require(results.median(row.id, .memoir), "\(row.id)")
      // A process that ends at once may do so before anybody looked at its memory.
      #expect(value.isFinite && (value > 0 || row.unit == "MiB"), "\(row.id) is \(value)")
      for goal in row.goals { #expect(results.isReached(goal, of: row) != nil, "\(row.id)") }
    }
    #expect(Set(results.series.keys) == ["latency", "growth"])

    let lines = TableText(results: results).description.split(separator: "\n")
    #expect(lines.count == Row.all.count + 2)
    #expect(Set(lines.map(\.count)).count == 1, "the columns are not aligned")
    let json = try JSONSerialization.jsonObject(with: ResultsJSON(results: results, plan: plan).data())
    let rows = (json as? [String: Any])?["rows"] as? [[String: Any]]
    #expect(rows?.count == Row.all.count)
    let charts = Charts(results: results).files
    #expect(charts.map(\.name) == ["questions.svg", "latency.svg", "growth.svg"])
    for chart in charts {
      let parser = XMLCheck()
      #expect(parser.isWellFormed(chart.text), "\(chart.name)")
    }
  }

  private static let demo = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Fixtures/Demo/events.jsonl").standardized.path
}

/// Whether every element of a picture is closed.
private struct XMLCheck {
  func isWellFormed(_ text: String) -> Bool {
    var open: [Substring] = []
    for tag in text.matches(of: /<(\/?)(\w+)[^>]*?(\/?)>/) {
      if !tag.1.isEmpty {
        if open.popLast() != tag.2 { return false }
      } else if tag.3.isEmpty {
        open.append(tag.2)
      }
    }
    return open.isEmpty
  }
}

@Suite struct `The workload` {
  // As the program that other contestants share makes it.
  @Test func `is the same everywhere`() throws {
    let workload = try Workload(events: 10_000, users: 10_000)
    #expect(workload.total.digest == 0xef58_5b1a_feb6_5a87)
  }
}

@Suite struct `A contestant with a wrong answer` {
  @Test(arguments: ContestantKind.allCases) func `ends the run`(kind: ContestantKind) throws {
    var plan = Plan.quick
    plan.events = 1_000
    let bench = try Bench(plan) { _ in }
    let contestants = try bench.makeContestants(bench.workload, kinds: [kind])
    defer { try? bench.discard(contestants) }
    // All but the last.
    _ = try contestants[0].load(0..<plan.events - 1)
    let reading = ReadingBench(contestants[0], bench.workload)
    #expect(throws: BenchError.self) { try reading.scan() }
    #expect(throws: BenchError.self) { try reading.scanByStream() }
  }
}

@Suite struct `The contestant of other runners` {
  @Test func `prints a number for each of its jobs`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let workload = try Workload(events: 1_000, users: 64)
    let file = folder.appending(path: "events.jsonl").path
    try workload.write(to: file)
    let program = try Child.sibling("memoir-bench")
    let child = try Child.run(
      "/usr/bin/env",
      ["EVENTS=1000", "USERS=64", "APPEND_MS=80", program, "contestant", folder.path, file])
    let lines = child.output.split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(lines.allSatisfy { $0.count == 2 && Double($0[1]) != nil })
    let jobs = Set(lines.map { String($0[0]) })
    let wanted = [
      "bulk", "bulk_median_commit", "write_amp", "disk_bytes_per_event", "scan", "scan_by_stream", "stream", "point",
      "append1", "append8_per_fdatasync", "append64_p50_us", "append64_p99_us", "append64_p999_us", "append64_max_us",
      "group8", "group64", "stream_end", "stream_cold",
    ]
    #expect(jobs.isSuperset(of: wanted))
  }

  @Test func `refuses another workload`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "events.jsonl").path
    try Workload(events: 100, users: 64).write(to: file)
    #expect(throws: BenchError.self) { try Workload(events: 100, users: 65).check(isIn: file) }
  }
}

@Suite struct `The arguments` {
  @Test func `say what is measured`() throws {
    let arguments = try Arguments([
      "--only", "scan,as-of", "--events", "500", "--rounds", "7", "--json", "a.json", "--charts", "b",
    ])
    #expect(arguments.plan.questions == [.scan, .asOf])
    #expect(arguments.plan.events == 500 && arguments.plan.rounds == 7)
    #expect(arguments.json == "a.json" && arguments.charts == "b")
  }

  @Test(arguments: [["--only", "speed"], ["--events", "many"], ["--events"], ["--evens", "3"]])
  func `that make no sense are refused`(words: [String]) {
    #expect(throws: BenchError.self) { _ = try Arguments(words) }
  }
}
