// `memoir-bench distillation`: how well the rules find what a person marked by hand in fifty real conversations.
import Foundation
import Memoir
import Platform

/// Distils marked sessions by rules, and counts what was found.
///
/// A memory is right where the message it comes from is marked, and a mark is found where a memory comes from one of its
/// messages: a decision, say, stands in the offer as well as in the word that accepted it. Kinds are compared besides.
struct DistillationCommand {
  let marks: String
  /// The conversations, as JSON Lines.
  let dialogues: String
  /// Whether to print every memory with the mark it meets.
  var isVerbose = false

  struct Mark {
    var kinds: Set<String>
    var messages: Set<String>
  }

  /// What was counted.
  struct Score: Equatable {
    var sessions = 0, missing = 0, marks = 0, memories = 0
    /// Memories that come from a marked message, and those of them of the marked kind.
    var right = 0, rightKind = 0
    /// Marks from which a memory comes, and those of them of the marked kind.
    var found = 0, foundKind = 0

    static func share(_ part: Int, of all: Int) -> Double { all == 0 ? 0 : Double(part) / Double(all) }
    var precision: Double { Self.share(right, of: memories) }
    var recall: Double { Self.share(found, of: marks) }
  }

  func run() async throws {
    guard try Files.status(dialogues) != nil else {
      return try Descriptor.standardOutput.write("There are no conversations in \(dialogues): nothing to measure.\n")
    }
    let score = try await measure()
    func percent(_ part: Int, _ all: Int) -> String {
      String(format: "%.1f %% (%d of %d)", 100 * Score.share(part, of: all), part, all)
    }
    try Descriptor.standardOutput.write(
      """
      sessions                 \(score.sessions)\(score.missing > 0 ? ", and \(score.missing) that the file lacks" : "")
      memories a session       \(String(format: "%.1f", Score.share(score.memories, of: score.sessions)))
      precision                \(percent(score.right, score.memories))
      precision, kind included \(percent(score.rightKind, score.memories))
      recall                   \(percent(score.found, score.marks))
      recall, kind included    \(percent(score.foundKind, score.marks))

      """)
  }

  func measure() async throws -> Score {
    var score = Score()
    let marked = try readMarks()
    let transcripts = try readTranscripts(of: Set(marked.map(\.session)))
    for (session, marks) in marked {
      guard let messages = transcripts[session], !messages.isEmpty else {
        score.missing += 1
        continue
      }
      let transcript = SessionTranscript(
        user: StreamName(try UserID(session.user)), session: try SessionID(session.name), messages: messages)
      let made = RuleDistiller().distilled(transcript)
      score.sessions += 1
      score.marks += marks.count
      score.memories += made.memories.count
      if isVerbose { try Descriptor.standardOutput.write("\(session.name): \(made.summary)\n") }
      for memory in made.memories {
        let met = marks.filter { $0.messages.contains(memory.sourceMessageID?.description ?? "") }
        if !met.isEmpty { score.right += 1 }
        if met.contains(where: { $0.kinds.contains(memory.category) }) { score.rightKind += 1 }
        if isVerbose {
          let sign = met.isEmpty ? "✗" : met.contains { $0.kinds.contains(memory.category) } ? "✓" : "~"
          try Descriptor.standardOutput.write("  \(sign) \(memory.category): \(memory.content)\n")
        }
      }
      for mark in marks {
        let met = made.memories.filter { mark.messages.contains($0.sourceMessageID?.description ?? "") }
        if !met.isEmpty { score.found += 1 }
        if met.contains(where: { mark.kinds.contains($0.category) }) { score.foundKind += 1 }
        if isVerbose, met.isEmpty {
          let missed = messages.first { mark.messages.contains($0.eventID.description) }?.content ?? ""
          try Descriptor.standardOutput.write("  – \(mark.kinds.sorted().joined(separator: "/")): \(missed)\n")
        }
      }
    }
    return score
  }

  private struct Session: Hashable {
    var user: String
    var name: String
  }

  private func readMarks() throws -> [(session: Session, marks: [Mark])] {
    var marked: [(Session, [Mark])] = []
    var lines = LineReader(try Descriptor(opening: marks, for: .reading))
    while let line = try lines.next() {
      let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      guard let user = object?["user"] as? String, let name = object?["session"] as? String,
        let list = object?["marks"] as? [[String: [String]]]
      else { throw BenchError("\(marks) has a line that is no mark") }
      marked.append(
        (
          Session(user: user, name: name),
          list.map { Mark(kinds: Set($0["kinds"] ?? []), messages: Set($0["messages"] ?? [])) }
        ))
    }
    return marked
  }

  private func readTranscripts(of wanted: Set<Session>) throws -> [Session: [SessionTranscript.Message]] {
    var found: [Session: [SessionTranscript.Message]] = [:]
    var lines = LineReader(try Descriptor(opening: dialogues, for: .reading))
    while let line = try lines.next() {
      let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      guard let user = object?["user"] as? String, let name = object?["session"] as? String,
        wanted.contains(Session(user: user, name: name)), object?["type"] as? String == "MessageAdded",
        let id = object?["id"] as? String, let data = object?["data"] as? [String: Any],
        let word = data["role"] as? String, let content = data["content"] as? String,
        let role = MessageRole.allCases.first(where: { $0.description == word })
      else { continue }
      let session = Session(user: user, name: name)
      found[session, default: []].append(
        SessionTranscript.Message(
          eventID: try EventID(id), version: StreamVersion(UInt64(found[session]?.count ?? 0) + 1), role: role,
          content: content, occurredAt: .earliest))
    }
    return found
  }
}
