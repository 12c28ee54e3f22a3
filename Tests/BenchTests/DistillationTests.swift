// The measure of distillation: what it counts as right and as found, and what it does without conversations.
import Foundation
import Testing

@testable import MemoirBench

@Suite struct `Measuring distillation` {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)")

  private func write(_ name: String, _ lines: [String]) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: name)
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
    return file.path
  }

  private func message(_ number: Int, _ content: String) -> String {
    let id = "00000000-0000-4000-8000-00000000000\(number)"
    return
      #"{"id":"\#(id)","user":"bob","session":"s","type":"MessageAdded","data":{"role":"user","content":"\#(content)"}}"#
  }

  @Test func `counts memories from marked messages, and marks that were found`() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let events = try write(
      "events.jsonl", [message(1, "I live in Porto."), message(2, "I prefer tea."), message(3, "Hm.")])
    let first = #"{"kinds":["fact"],"messages":["00000000-0000-4000-8000-000000000001"]}"#
    let second = #"{"kinds":["task"],"messages":["00000000-0000-4000-8000-000000000002"]}"#
    let third = #"{"kinds":["task"],"messages":["00000000-0000-4000-8000-000000000003"]}"#
    let marks = try write(
      "marks.jsonl",
      [
        #"{"user":"bob","session":"s","marks":[\#(first),\#(second),\#(third)]}"#,
        #"{"user":"bob","session":"elsewhere","marks":[]}"#,
      ])
    let score = try await DistillationCommand(marks: marks, dialogues: events).measure()
    #expect(
      score
        == DistillationCommand.Score(
          sessions: 1, missing: 1, marks: 3, memories: 2, right: 2, rightKind: 1, found: 2, foundKind: 1))
    #expect(score.precision == 1 && abs(score.recall - 2 / 3) < 0.001)
  }

  @Test func `is content to have no conversations, and refuses marks that are none`() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try await DistillationCommand(marks: "nowhere", dialogues: folder.path + "/nowhere").run()
    let events = try write("events.jsonl", [message(1, "Hi")])
    let marks = try write("marks.jsonl", [#"{"user":"bob"}"#])
    await #expect(throws: BenchError.self) {
      try await DistillationCommand(marks: marks, dialogues: events).measure()
    }
  }
}
