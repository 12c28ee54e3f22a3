// How fast a person with a long memory is answered.
import Foundation
import Glibc
import Memoir
import Platform

/// Asks one person of many, warm, cold, right after an append and as of earlier points.
final class RecallSpeed {
  private let plan: RecallPlan
  private let folder: String
  private let tell: (String) -> Void
  private let person: StreamName
  private var store: MemoirStore
  private var history: RecallHistory
  private var lines: [String] = []
  /// Of all answers, so that a faster wrong one shows.
  private var digest = AnswerDigest()

  init(_ plan: RecallPlan, folder: String, tell: @escaping (String) -> Void) throws {
    self.plan = plan
    self.folder = folder
    self.tell = tell
    person = StreamName(try UserID("person"))
    history = RecallHistory(seed: 7, memories: plan.memories, messages: plan.messages)
    tell("making a person with \(plan.memories) memories and \(plan.messages) messages")
    store = try Self.open(folder + "/speed.store")
    for number in 0..<20 {
      var other = RecallHistory(seed: UInt64(100 + number), memories: 100, messages: 500)
      try store.append(&other, to: StreamName(try UserID("other-\(number)")))
    }
    try store.append(&history, to: person)
  }

  /// Its clock stands where the history ends: so the answers are always the same.
  private static func open(_ path: String) throws -> MemoirStore {
    var options = EventLog.Options()
    options.clock = { Timestamp(clamping: RecallHistory.end) }
    return try MemoirStore(folder: path, options: options)
  }

  func measure() async throws -> [String] {
    let events = try store.log.version(of: person)
    lines += [
      "speed: \(plan.memories) memories and \(plan.messages) messages of one person, \(events) events", "",
      "| asked                                          | p50, ms | p99, ms | CPU, ms | goal       |",
      "| ---------------------------------------------- | ------: | ------: | ------: | ---------- |",
    ]
    try await measureColdStarts()
    try await measure("memories, warm", goal: "≤ 5, ≤ 15", times: plan.asked) { try await ask([]) }
    try await measure("memories and messages, warm", goal: "≤ 5, ≤ 15", times: plan.asked) {
      try await ask([.message])
    }
    // A context is no answer: it does not go into the digest.
    try await measure("context of 4,000 tokens, warm", goal: "≤ 20 (p99)", times: plan.asked) {
      _ = try await store.context(ContextRequest(history.question()), for: person)
    }
    try await measureEarlierPoints(events)
    try await measureAfterAppends()
    try store.close()
    lines += ["", "digest of the answers: \(digest)", ""]
    lines += try await AppendsBesideRecall(plan, folder: folder, tell: tell).measure()
    return lines
  }

  // MARK: Asking

  private func ask(_ more: Set<MemoryKind>, at point: AsOfText = .now) async throws {
    var query = RecallQuery(history.question())
    query.kinds.formUnion(more)
    digest.add(try await store.recall(query, of: person, at: point))
  }

  private func measure(_ name: String, goal: String = "", times count: Int, _ body: () async throws -> Void)
    async throws
  {
    tell(name)
    var times = Times()
    for _ in 0..<count { try await times.add(body) }
    add(name, times, goal)
  }

  /// How long something takes, and how much of the processors' time, which other programs on the machine change less.
  private struct Times {
    var milliseconds: [Double] = []
    var processorMilliseconds: [Double] = []

    mutating func add(_ body: () async throws -> Void) async throws {
      let watch = Stopwatch()
      let before = clock()
      try await body()
      processorMilliseconds.append(Double(clock() - before) / 1e3)
      milliseconds.append(watch.seconds * 1e3)
    }
  }

  private func add(_ name: String, _ times: Times, _ goal: String) {
    func cell(_ value: Double) -> String {
      let text = value > 0 ? TableText.number(value) : ""
      return String(repeating: " ", count: max(0, 7 - text.count)) + text
    }
    func padded(_ text: String, _ width: Int) -> String {
      text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
    let cells = [
      times.milliseconds.median, times.milliseconds.quantile(0.99), times.processorMilliseconds.median,
    ].map(cell)
    lines.append("| \(padded(name, 46)) | \(cells.joined(separator: " | ")) | \(padded(goal, 10)) |")
  }

  /// The first answer, from opening the store on: before there is a snapshot, and once there are.
  private func measureColdStarts() async throws {
    for (name, rounds) in [("without snapshots", 3), ("with snapshots", 5)] {
      var times = Times()
      for _ in 0..<rounds {
        // What the answer before left behind.
        if name == "without snapshots" { try store.log.clearSnapshots() }
        try store.close()
        try await times.add {
          store = try Self.open(folder + "/speed.store")
          try await ask([.message])
        }
      }
      add("first answer after opening, \(name)", times, "≤ 300")
      if name == "without snapshots" { try store.log.clearSnapshots() }
      try store.close()
      let program = try Child.sibling("memoir")
      let words = history.question().split(separator: " ").map(String.init)
      let path = folder + "/speed.store"
      times = Times()
      for _ in 0..<rounds {
        try await times.add {
          try Child.run(program, ["--store", path, "recall", person.user.description] + words)
        }
      }
      // The processor's time is the other process's.
      times.processorMilliseconds = []
      add("first answer of a process, \(name)", times, "≤ 300")
      store = try Self.open(path)
      // What the answers passed is due now.
      try store.prepareSnapshots(of: person)
      try await ask([.message])
      try store.log.storeDueSnapshots()
    }
  }

  private func measureEarlierPoints(_ events: StreamVersion) async throws {
    var random = SplitMix64(seed: 11)
    let times = max(1, plan.asked / 10)
    try await measure("memories and messages as of a version", times: times) {
      let version = StreamVersion(UInt64(1 + random.below(Int(events.number))))
      try await ask([.message], at: .version(version))
    }
    try await measure("memories and messages as of an occurred time", times: times) {
      let version = StreamVersion(UInt64(1 + random.below(Int(events.number))))
      guard let event = try store.log.event(at: version, of: person) else { throw BenchError("no version \(version)") }
      try await ask([.message], at: .occurred(event.occurredAt))
    }
  }

  private func measureAfterAppends() async throws {
    var random = SplitMix64(seed: 12)
    tell("right after an append")
    var times = Times()
    for _ in 0..<max(1, plan.asked / 10) {
      let message = MemoirEvent.messageAdded(try MessageAdded(role: .user, content: history.question()))
      let event = try EventData(
        message, id: EventID(bytes: random.uuid()), occurredAt: Timestamp(clamping: RecallHistory.end))
      try await store.append([event], to: person)
      try await times.add { try await ask([.message]) }
    }
    add("memories and messages right after an append", times, "")
  }
}

/// FNV-1a over answers (Fowler, Noll, Vo).
struct AnswerDigest: CustomStringConvertible {
  private var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ answer: RecallAnswer) {
    for line in answer.lines {
      for byte in line.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
  }

  var description: String { String(value, radix: 16) }
}

extension MemoirStore {
  /// Appends all events of a history.
  func append(_ history: inout RecallHistory, to user: StreamName) throws {
    try history.forEachBatch { batch in try log.appendAndWait([StreamAppend(batch, to: user)]) }
  }
}
