// `memoir-bench http`: what HTTP costs, beside the same work in the process and beside a bare libmicrohttpd.
import Foundation
import HTTPServer
import Memoir
import MemoirServer
import PeerBench
import Platform
import Synchronization

/// What `memoir-bench http` is to do.
struct HTTPPlan {
  var connections = 64
  var rounds = 5
  /// Seconds of each measurement of a round.
  var seconds = 2.0
  var liveStreams = 200
  var liveEvents = 5_000
  /// Questions asked of recall.
  var asked = 500
  var memories = 2_000
  /// Events of the store that is served anew.
  var events = 1_000_000
  var tailEvents = 65_536
  var folder: String?

  static let help = """
    Usage: memoir-bench http [OPTION]…

    Measures the server over loopback, its loader beside it in the same process.

      --connections N      kept-alive connections (64)
      --rounds N           how often rates are measured, in turn with what they are compared with (5)
      --seconds N          of each measurement (2)
      --live N             live streams (200)
      --live-events N      events appended beside them (5000)
      --asked N            questions (500)
      --events N           of the store whose server is started anew (1000000)
      --folder DIR         where stores are made: on the disk that is meant (beside the program)
      --quick              tiny sizes: only to see that it works

    """

  init() {}

  /// Small enough for a test.
  static var quick: HTTPPlan {
    var plan = HTTPPlan()
    plan.connections = 8
    plan.rounds = 1
    plan.seconds = 0.1
    plan.liveStreams = 5
    plan.liveEvents = 20
    plan.asked = 5
    plan.memories = 100
    plan.events = 6_000
    plan.tailEvents = 3_000
    return plan
  }

  init(_ words: [String]) throws {
    if words.contains("--quick") { self = .quick }
    var rest = words[...]
    while let option = rest.popFirst() {
      if option == "--quick" { continue }
      guard let value = rest.popFirst() else {
        throw BenchError("\(option) is unknown or needs a value; see memoir-bench http --help")
      }
      if option == "--folder" {
        folder = value
        continue
      }
      guard let number = Int(value), 1...1_000_000 ~= number else {
        throw BenchError("\(option) needs a number from 1, not \(value)")
      }
      switch option {
      case "--connections": connections = number
      case "--rounds": rounds = number
      case "--seconds": seconds = Double(number)
      case "--live": liveStreams = number
      case "--live-events": liveEvents = number
      case "--asked": asked = number
      case "--events": events = number
      default: throw BenchError("\(option) is unknown; see memoir-bench http --help")
      }
    }
  }
}

/// A store, served to a loader in the same process.
final class HTTPBench {
  let plan: HTTPPlan
  let tell: (String) -> Void
  let folder: String
  private let store: MemoirStore
  private let server: MemoirServer

  init(_ plan: HTTPPlan, tell: @escaping (String) -> Void) throws {
    self.plan = plan
    self.tell = tell
    CurrentProcess.raiseDescriptorLimit()
    let parent = try plan.folder ?? Files.folder(of: Child.ownPath)
    folder = URL(filePath: parent).appending(path: "bench-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    store = try MemoirStore(folder: folder + "/store")
    server = try MemoirServer(store, MemoirServerOptions(.loopback(port: 0)))
  }

  deinit {
    server.end(within: .seconds(5))
    try? store.close()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private var port: UInt16 { server.address.port }

  /// Measures everything, and returns what came out as lines for people.
  func run() async throws -> [String] {
    var lines: [String] = []
    lines += try await appends()
    lines += try await states()
    lines += try await recall()
    lines += try await live()
    lines += try starts()
    return lines
  }

  private static func get(_ target: String) -> [UInt8] {
    Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
  }

  private func post(_ target: String, _ body: String) -> [UInt8] {
    Array("POST \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
  }

  private static let event =
    #"{"type":"MessageAdded","session":"s","data":{"role":"user","content":"I moved to Lisbon last week, for good."}}"#

  private func number(_ value: Double) -> String { TableText.number(value) }

  // MARK: Appends

  private func appends() async throws -> [String] {
    tell("appends of one event by \(plan.connections)")
    var inProcess: [Double] = [], overHTTP: [Double] = [], ratios: [Double] = []
    var latencies = Latencies()
    let body = #"{"events":[\#(Self.event)]}"#
    let requests = (0..<plan.connections).map { post("/v1/users/http-\($0)/events", body) }
    for _ in 0..<plan.rounds {
      let own = try await appendInProcess()
      let result = try await load(plan.connections).run(seconds: plan.seconds, status: 201) { requests[$0] }
      inProcess.append(own)
      overHTTP.append(result.rate)
      ratios.append(result.rate / own)
      latencies.add(result.microseconds)
    }
    return [
      "appends of one event, \(plan.connections) connections: \(number(overHTTP.median))/s over HTTP, "
        + "\(number(inProcess.median))/s in process: ratio \(number(ratios.median)) (goal ≥ 0.6); "
        + "p50 \(number(latencies[0.5] / 1e3)) ms, p99 \(number(latencies[0.99] / 1e3)) ms"
    ]
  }

  private func load(_ connections: Int) -> LoopbackLoad { LoopbackLoad(port: port, connections: connections) }

  private func appendInProcess() async throws -> Double {
    let watch = Stopwatch()
    let (store, seconds, count) = (store, plan.seconds, plan.connections)
    let appended = try await withThrowingTaskGroup(of: Int.self) { group in
      for task in 0..<count {
        group.addTask {
          let user = StreamName(try UserID("own-\(task)"))
          let session = try SessionID("s")
          var appended = 0
          while watch.seconds < seconds {
            try await store.append(
              [.messageAdded(try MessageAdded(role: .user, content: "I moved to Lisbon last week, for good."))],
              to: user, session: session)
            appended += 1
          }
          return appended
        }
      }
      return try await group.reduce(0, +)
    }
    return Double(appended) / watch.seconds
  }

  // MARK: States

  private func states() async throws -> [String] {
    tell("hot states")
    let user = StreamName(try UserID("hot"))
    for number in 1...30 {
      try await store.append(
        [.messageAdded(try MessageAdded(role: .user, content: "Message \(number) of many."))], to: user,
        session: SessionID("s"))
    }
    let request = Self.get("/v1/users/hot/state")
    let size = try await load(1).run(seconds: 0.05, status: 200) { _ in request }.bodyBytes
    let bare = LoopbackLoad(port: peer_http_start(size, 2), connections: plan.connections)
    var states: [Double] = [], answers: [Double] = [], ratios: [Double] = []
    for _ in 0..<plan.rounds {
      let other = try await bare.run(seconds: plan.seconds, status: 200) { _ in request }
      guard other.bodyBytes == size else { throw BenchError("the bare answer has \(other.bodyBytes) bytes") }
      let own = try await load(plan.connections).run(seconds: plan.seconds, status: 200) { _ in request }
      states.append(own.rate)
      answers.append(other.rate)
      ratios.append(own.rate / other.rate)
    }
    return [
      "hot state of \(size) bytes, \(plan.connections) connections: \(number(states.median))/s, "
        + "bare libmicrohttpd \(number(answers.median))/s: ratio \(number(ratios.median)) (goal ≥ 0.6)"
    ]
  }

  // MARK: Recall

  private func recall() async throws -> [String] {
    tell("recall")
    let user = StreamName(try UserID("person"))
    var history = RecallHistory(seed: 7, memories: plan.memories, messages: plan.memories)
    try history.forEachBatch { events in
      try store.log.appendAndWait([StreamAppend(events, to: user)])
    }
    _ = try await store.recall(RecallQuery(history.question()), of: user)
    var own: [Double] = [], overHTTP: [Double] = []
    let port = port
    // In turn, so that both meet the same machine.
    while own.count < plan.asked {
      let questions = (0..<min(50, plan.asked - own.count)).map { _ in history.question() }
      for question in questions {
        let watch = Stopwatch()
        _ = try await store.recall(RecallQuery(question), of: user)
        own.append(watch.seconds * 1e3)
      }
      overHTTP += try await onThread {
        let connection = try LoadConnection(port: port)
        return try questions.map { question in
          let watch = Stopwatch()
          try connection.send(Self.get("/v1/users/person/recall?query=\(question.replacing(" ", with: "%20"))"))
          while true {
            try connection.receive()
            guard let answer = try connection.takeAnswer() else { continue }
            guard answer.status == 200 else { throw BenchError("recall answered with \(answer.status)") }
            return watch.seconds * 1e3
          }
        }
      }
    }
    return [
      "recall of \(plan.memories) memories: p50 \(number(overHTTP.median)) ms, p99 \(number(overHTTP.quantile(0.99))) ms "
        + "over HTTP, p50 \(number(own.median)) ms, p99 \(number(own.quantile(0.99))) ms in process: "
        + "\(String(format: "%+.2f", overHTTP.quantile(0.99) - own.quantile(0.99))) ms (goal ≤ 2)"
    ]
  }

  // MARK: Live

  private func live() async throws -> [String] {
    tell("\(plan.liveStreams) live streams beside \(plan.liveEvents) appends")
    let start = try store.log.lastPosition()
    let before = Self.residentBytes
    let (events, count, port) = (plan.liveEvents, plan.liveStreams, port)
    let user = StreamName(try UserID("live"))
    let appending = Task { [store] in
      for number in 1...events {
        try await store.append(
          [.messageAdded(try MessageAdded(role: .user, content: "Message \(number)."))], to: user,
          session: SessionID("s"))
      }
    }
    let watch = Stopwatch()
    let most = try await onThread { try Self.follow(start.number, events: events, streams: count, port: port) }
    let seconds = watch.seconds
    try await appending.value
    let perStream = Double(max(0, most - before)) / Double(count) / 1_024
    return [
      "\(count) live streams: each had all \(events) events in order, "
        + "\(number(Double(events * count) / seconds)) events/s in all; "
        + "\(number(perStream)) KiB of memory a stream, the loader's included (goal ≤ 64)"
    ]
  }

  /// Reads live streams until each has had all events, in order.
  ///
  /// - Returns: The most memory that the process had meanwhile.
  private static func follow(_ start: UInt64, events: Int, streams count: Int, port: UInt16) throws -> Int {
    let streams = try (0..<count).map { _ in try LoadConnection(port: port) }
    var poll = LoadPoll(streams)
    for stream in streams { try stream.send(get("/v1/events/live?after_position=\(start)")) }
    var last = [UInt64](repeating: start, count: count)
    let end = start + UInt64(events)
    var unfinished = count
    var most = residentBytes
    while unfinished > 0 {
      let ready = poll.wait(milliseconds: 60_000)
      guard !ready.isEmpty else { throw BenchError("\(unfinished) live streams stand still") }
      for number in ready {
        try streams[number].receive()
        try streams[number].takeLines { line in
          if line.starts(with: "HTTP/1.1 ".utf8), !line.starts(with: "HTTP/1.1 200".utf8) {
            throw BenchError("a live stream was answered: \(String(decoding: line, as: UTF8.self))")
          }
          guard line.starts(with: "id:".utf8) else { return }
          let text = String(decoding: line.dropFirst(3), as: UTF8.self).filter { $0.isNumber }
          guard let position = UInt64(text), position == last[number] + 1 else {
            throw BenchError("a live stream had \(text) after \(last[number])")
          }
          last[number] = position
          if position == end { unfinished -= 1 }
        }
      }
      most = max(most, residentBytes)
    }
    return most
  }

  private static var residentBytes: Int {
    guard let file = try? Descriptor(opening: "/proc/self/statm", for: .reading),
      let bytes = try? file.readToEnd(limit: 4_096)
    else { return 0 }
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4_096 : 0
  }
}
