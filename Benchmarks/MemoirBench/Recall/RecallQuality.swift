// How well questions about real conversations are answered, beside plain BM25.
import Foundation
import Memoir
import Platform

/// Asks each question of a split, among the messages of the person it is about.
final class RecallQuality {
  let questions: [RecallQuestion]
  private(set) var store: MemoirStore
  private let split: String
  private let tell: (String) -> Void

  /// Imports the conversations into a store of its own in `folder`.
  init(
    questions: String, dialogues: String, split: String, people: Int?, folder: String,
    tell: @escaping (String) -> Void
  ) throws {
    var asked = try RecallQuestion.read(questions, split: split)
    if let people {
      let first = Set(Set(asked.map(\.user.user.description)).sorted().prefix(people))
      asked = asked.filter { first.contains($0.user.user.description) }
    }
    self.questions = asked
    self.split = split
    self.tell = tell
    tell("importing \(dialogues)")
    var file = dialogues
    if dialogues.hasSuffix(".zst") {
      file = folder + "/dialogues.jsonl"
      try Child.run("/usr/bin/env", ["zstd", "--quiet", "--decompress", dialogues, "-o", file])
    }
    if people != nil {
      file = try Self.histories(of: Set(asked.map(\.user.user.description)), in: file, folder: folder)
    }
    let path = folder + "/memoir.store"
    try Child.run(try Child.sibling("memoir"), ["--store", path, "append", file])
    store = try MemoirStore(folder: path)
  }

  func close() throws { try store.close() }

  /// The lines of some people alone.
  private static func histories(of people: Set<String>, in file: String, folder: String) throws -> String {
    let marks = people.map { "\"user\":\"\($0)\"" }
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").filter { line in
      marks.contains { line.contains($0) }
    }
    let path = folder + "/some.jsonl"
    try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }

  /// The people asked about.
  private var users: [StreamName] {
    var seen: Set<StreamName> = []
    return questions.map(\.user).filter { seen.insert($0).inserted }
  }

  /// What is asked to find the messages that answer a question.
  static func query(_ question: RecallQuestion) -> RecallQuery {
    var query = RecallQuery(question.text)
    query.kinds = [.message]
    query.topK = RecallFigures.depth
    return query
  }

  func measure() async throws -> [String] {
    var peers: [StreamName: SearchPeer] = [:]
    for user in users { peers[user] = try makePeer(of: user) }
    var lines = [
      "quality: \(questions.count) questions of \(split), messages of \(users.count) people", "", Self.header,
    ]
    lines.append(
      try await line("SQLite FTS5") { question in
        peers[question.user]?.find(question.text, limit: RecallFigures.depth) ?? []
      })
    lines.append(
      try await line("Memoir, no model") { [store] question in
        try await store.recall(Self.query(question), of: question.user).memories.map(\.event.id)
      })
    if let endpoint = try ModelConfiguration(environment: { ProcessInfo.processInfo.environment[$0] }).embeddings {
      let folder = store.log.folder
      try store.close()
      var memory = MemoryOptions()
      memory.embedder = EmbeddingClient(endpoint)
      store = try MemoirStore(folder: folder, memory: memory)
      tell("embedding with \(endpoint.model)")
      let status = try await store.embedMissing()
      tell("\(status.embedded) texts have vectors")
      lines.append(
        try await line("Memoir, model") { [store] question in
          let answer = try await store.recall(Self.query(question), of: question.user)
          if let absence = answer.meaning?.absence { throw BenchError("an answer went by words alone: \(absence)") }
          return answer.memories.map(\.event.id)
        })
    }
    return lines + [""]
  }

  private static let header = """
    | asked            | recall@5 | recall@10 | recall@20 | MRR   | each, ms |
    | ---------------- | -------: | --------: | --------: | ----: | -------: |
    """

  private func line(_ name: String, _ find: (RecallQuestion) async throws -> [EventID]) async throws -> String {
    tell("asking \(name)")
    var figures = RecallFigures()
    let watch = Stopwatch()
    for question in questions { figures.add(try await find(question), evidence: question.evidence) }
    let each = watch.seconds / Double(questions.count) * 1e3
    let cells =
      zip(figures.recall, [8, 9, 9]).map { Self.cell($0, width: $1) } + [
        Self.cell(figures.meanReciprocalRank, width: 5), Self.cell(each, width: 8),
      ]
    return "| \(name.padding(toLength: 16, withPad: " ", startingAt: 0)) | \(cells.joined(separator: " | ")) |"
  }

  private static func cell(_ value: Double, width: Int) -> String {
    let text = TableText.decimal(value, places: 3)
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// The same texts for the other contestant: what each message says, in order.
  private func makePeer(of user: StreamName) throws -> SearchPeer {
    let peer = try SearchPeer()
    try store.events(of: user) { events in
      for event in events {
        if case .messageAdded(let message) = try MemoirEvent(event) { peer.add(message.content, id: event.id) }
      }
    }
    return peer
  }
}

extension TableText {
  /// With so many digits after the point.
  static func decimal(_ value: Double, places: Int) -> String {
    value.formatted(.number.precision(.fractionLength(places)).grouping(.never).locale(Locale(identifier: "en_US")))
  }
}
