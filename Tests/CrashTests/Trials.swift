// Trials by the hundred and the thousand: a hundredth of them every day, all of them in a long run, which goes on where it
// was broken off.
//
//   MEMOIR_LONG            all of them; how far each kind has come stands in .build/trials/KIND
//   MEMOIR_TRIAL_MINUTES   in a long run, no kind goes on for longer than this
//   MEMOIR_TRIAL           KIND:NUMBER:SEED, as a failure says it: only this one of its kind
import Foundation
import Platform
import TestSupport
import Testing

/// A kind of trial.
struct Trials {
  /// What it is called in the table.
  let kind: String
  /// How many make a long run.
  let goal: Int

  /// How far a long run has come.
  private struct Progress: Codable {
    var seed: UInt64
    var goal: Int
    var done = 0
    var lost = 0
    var doubled = 0
    /// Everything else that is not as it must be.
    var wrong = 0

    mutating func note(_ problems: [String]) {
      if problems.contains(where: { $0.contains("lost:") }) {
        lost += 1
      } else if problems.contains(where: { $0.contains("doubled") || $0.contains("goes on with") }) {
        doubled += 1
      } else if !problems.isEmpty {
        wrong += 1
      }
    }
  }

  private static let isLong = CurrentProcess.environment("MEMOIR_LONG") != nil
  private static let minutes = CurrentProcess.environment("MEMOIR_TRIAL_MINUTES").flatMap(Int.init) ?? 1_000_000

  private static let folder: URL = {
    var root = URL(filePath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.appending(path: ".build/trials")
  }()

  /// How many there are in this run.
  var count: Int { Self.isLong ? goal : max(1, goal / 100) }

  /// Runs as many as there are to be.
  ///
  /// - Parameters:
  ///   - each: How many trials one call makes.
  ///   - trial: Is given its number and a seed of its own; returns what was wrong.
  func run(each: Int = 1, _ trial: (_ number: Int, _ seed: UInt64) throws -> [String]) throws {
    if let one = CurrentProcess.environment("MEMOIR_TRIAL")?.split(separator: ":").map(String.init), one.first == kind {
      guard one.count == 3, let number = Int(one[1]), let seed = UInt64(one[2]) else {
        throw RunningProcess.Problem(description: "MEMOIR_TRIAL is not KIND:NUMBER:SEED")
      }
      #expect(try trial(number, seed) == [], "\(kind), number \(number), seed \(seed)")
      return
    }
    guard Self.isLong else {
      // The same every day.
      for number in stride(from: 0, to: count, by: each) { try perform(number, 1 &+ UInt64(number), trial) }
      return
    }
    var progress = try stored() ?? Progress(seed: MonotonicClock.nanoseconds, goal: goal)
    let deadline = ContinuousClock.now + .seconds(60 * Self.minutes)
    while progress.done < goal, ContinuousClock.now < deadline {
      let problems = try perform(progress.done, progress.seed &+ UInt64(progress.done), trial)
      progress.done += each
      progress.note(problems)
      try store(progress)
    }
  }

  @discardableResult
  private func perform(
    _ number: Int, _ seed: UInt64, _ trial: (_ number: Int, _ seed: UInt64) throws -> [String]
  ) throws -> [String] {
    let problems: [String]
    do { problems = try trial(number, seed) } catch { problems = ["\(error)"] }
    #expect(problems == [], "again by MEMOIR_TRIAL='\(kind):\(number):\(seed)'")
    return problems
  }

  private var file: URL { Self.folder.appending(path: kind.replacing(" ", with: "-") + ".json") }

  /// What an earlier run has left unfinished.
  private func stored() throws -> Progress? {
    guard let data = try? Data(contentsOf: file) else { return nil }
    let progress = try JSONDecoder().decode(Progress.self, from: data)
    return progress.done < progress.goal && progress.goal == goal ? progress : nil
  }

  private func store(_ progress: Progress) throws {
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try encoder.encode(progress).write(to: file, options: .atomic)
  }
}
