// `memoir-bench recall`: how well questions are answered, and how fast.
import Foundation
import Platform

/// What `memoir-bench recall` is to do.
struct RecallPlan {
  var questions: String?
  var dialogues: String?
  var split = "dev"
  /// How many of the people asked about; `nil`: all.
  var people: Int?
  /// Of how many questions the answer is compared with that of a store that holds the earlier events alone.
  var sample = 50
  var memories = 10_000
  var messages = 100_000
  /// How often each kind of question is asked.
  var asked = 1_000
  /// Batches of 1,000 events that are appended with and without recall.
  var batches = 40
  var asksQuality = true
  var asksSpeed = true
  var folder: String?

  static let help = """
    Usage: memoir-bench recall [OPTION]…

    Measures how well questions are answered, and how fast. What is not given is left out.

      --questions FILE     questions with the events that answer them, as JSON Lines
      --dialogues FILE     the conversations they are about, as JSON Lines, also compressed (.zst)
      --split NAME         which of the questions: dev (the default) or test
      --people N           only the first N people that are asked about: an embedding model takes its time
      --sample N           how many as-of answers are compared with a store of the earlier events alone (50)
      --only quality|speed
      --memories N         memories of the person that speed is measured with (10000)
      --messages N         messages of that person (100000)
      --asked N            how often each is asked (1000)
      --folder DIR         where stores are made: on the disk that is meant (beside the program)
      --quick              tiny sizes: only to see that it works

    Where MEMOIR_EMBEDDINGS_URL and MEMOIR_EMBEDDINGS_MODEL name an embedding model, the same questions are asked with it
    too, once every message has its vector. Benchmarks/embedding_server.py serves a small one.

    """

  init() {}

  init(_ words: [String]) throws {
    if words.contains("--quick") { self = .quick }
    var rest = words[...]
    while let option = rest.popFirst() {
      if option == "--quick" { continue }
      guard let value = rest.popFirst() else {
        throw BenchError("\(option) is unknown or needs a value; see memoir-bench recall --help")
      }
      func number(_ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(value), range.contains(number) else {
          throw BenchError("\(option) needs a number in \(range), not \(value)")
        }
        return number
      }
      switch option {
      case "--questions": questions = value
      case "--dialogues": dialogues = value
      case "--split": split = value
      case "--people": people = try number(1...1_000_000)
      case "--sample": sample = try number(0...100_000)
      case "--only":
        guard ["quality", "speed"].contains(value) else { throw BenchError("--only takes quality or speed") }
        asksQuality = value == "quality"
        asksSpeed = value == "speed"
      // A tenth of the memories are summaries and episodes.
      case "--memories": memories = try number(100...1_000_000)
      case "--messages": messages = try number(100...10_000_000)
      case "--asked": asked = try number(1...1_000_000)
      case "--folder": folder = value
      default: throw BenchError("\(option) is unknown; see memoir-bench recall --help")
      }
    }
    guard (questions == nil) == (dialogues == nil) else {
      throw BenchError("--questions and --dialogues belong together")
    }
  }

  /// Small enough for a test.
  static var quick: RecallPlan {
    var plan = RecallPlan()
    plan.sample = 3
    plan.memories = 200
    plan.messages = 1_000
    plan.asked = 10
    plan.batches = 2
    return plan
  }
}

/// A run of `memoir-bench recall`.
struct RecallBench {
  let plan: RecallPlan
  /// Told what is going on.
  let tell: (String) -> Void

  /// Asks everything, and returns what came out as lines for people.
  ///
  /// - Throws: ``BenchError`` where an answer shows what nobody could have known.
  func run() async throws -> [String] {
    let parent = try plan.folder ?? Files.folder(of: Child.ownPath)
    let folder = URL(filePath: parent).appending(path: "bench-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var lines: [String] = []
    if plan.asksQuality {
      if let questions = plan.questions, let dialogues = plan.dialogues {
        let quality = try RecallQuality(
          questions: questions, dialogues: dialogues, split: plan.split, people: plan.people, folder: folder,
          tell: tell)
        lines += try await quality.measure()
        lines += try await RecallLeaks(quality, sample: plan.sample, folder: folder, tell: tell).measure()
        try quality.close()
      } else {
        lines.append("quality: left out; --questions and --dialogues say of what")
      }
    }
    if plan.asksSpeed { lines += try await RecallSpeed(plan, folder: folder, tell: tell).measure() }
    return lines
  }
}
