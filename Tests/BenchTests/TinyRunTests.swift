// The benchmarks at tiny sizes: they run, they give every figure, and they notice a wrong answer.
import Foundation
import Memoir
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

@Suite struct `A tiny run of recall` {
  private static let demo = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Fixtures/Demo/events.jsonl").standardized.path

  /// A file with a question about the demo's conversations, gone with the object.
  private final class Questions {
    let path = FileManager.default.temporaryDirectory.appending(path: "questions-\(UUID().uuidString).jsonl").path

    init(about evidence: String, of user: String) throws {
      let line = ["split": "dev", "user": user, "question": "Which database?", "evidence": [evidence]] as [String: Any]
      try JSONSerialization.data(withJSONObject: line).write(to: URL(filePath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  /// The first message of the demo, as it stands in the file.
  private func message() throws -> (id: String, user: String) {
    for line in try String(contentsOfFile: Self.demo, encoding: .utf8).split(separator: "\n") {
      let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard event?["type"] as? String == "MessageAdded" else { continue }
      return (try #require(event?["id"] as? String), try #require(event?["user"] as? String))
    }
    throw BenchError("the demo has no message")
  }

  @Test func `says how well and how fast`() async throws {
    let message = try message()
    let questions = try Questions(about: message.id, of: message.user)
    var plan = RecallPlan.quick
    plan.questions = questions.path
    plan.dialogues = Self.demo
    let lines = try await RecallBench(plan: plan) { _ in }.run()
    let text = lines.joined(separator: "\n")
    for name in ["SQLite FTS5", "Memoir, no model", "0 leaks; 2 equal", "memories, warm", "digest of the answers:"] {
      #expect(text.contains(name), "\(name)")
    }
    let table = lines.filter { $0.hasPrefix("| ") && $0.contains("warm") }
    #expect(table.count == 3 && table.allSatisfy { $0.contains(/\| +[0-9.]+ \|/) })
  }

  @Test func `leaves out what it has no data for, and gives the same answers again`() async throws {
    let runs = try await [RecallBench(plan: .quick) { _ in }.run(), RecallBench(plan: .quick) { _ in }.run()]
    #expect(runs[0].first?.hasPrefix("quality: left out") == true)
    let digests = runs.map { $0.first { $0.hasPrefix("digest") } }
    #expect(digests[0] != nil && digests[0] == digests[1])
  }

  @Test func `counts evidence as it is defined`() throws {
    let ids = (1...30).map { EventID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | UInt64($0)) }
    var figures = RecallFigures()
    figures.add(Array(ids[..<20]), evidence: [ids[1], ids[7], ids[25], ids[15]])
    #expect(figures.recall == [0.25, 0.5, 0.75] && figures.meanReciprocalRank == 0.5)
    figures.add([], evidence: [ids[0]])
    #expect(figures.recall == [0.125, 0.25, 0.375] && figures.meanReciprocalRank == 0.25)
  }

  @Test(arguments: [
    ["--only", "all"], ["--asked", "0"], ["--memories", "10"], ["--questions", "a"], ["--split"], ["--speed", "1"],
  ]) func `refuses arguments that make no sense`(words: [String]) {
    #expect(throws: BenchError.self) { _ = try RecallPlan(words) }
  }
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
