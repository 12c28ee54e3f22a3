// `memoir recall`: the memories that answer a question best, and why.
import JSON
import Memoir

enum RecallCommand: Command {
  static let query = Argument.positionals(.text("QUERY"), help: "The question, in the user's words.")
  static let topK = Argument.option(
    "top-k", .ordinal, short: "k", default: 5, help: "How many memories: 1…10,000.")
  static let kinds = Argument.options(
    "kind", .memoryKind, help: "Only memories of this kind; without it all but messages.")
  static let minImportance = Argument.option(
    "min-importance", .fraction, help: "Only memories that matter at least so much, 0…1, as it has faded by then.")
  static let tags = Argument.options("tag", .text("T"), help: "Only memories with this tag, or another one given.")
  static let memoryTypes = Argument.options(
    "memory-type", .memoryType, help: "Only memories of this type, or another one given.")
  static let session = Argument.option("session", .session, help: "Only memories of this session.")
  static let since = Argument.option("since", .time, help: "Only what occurred then or later.")
  static let until = Argument.option("until", .time, help: "Only what occurred then or before.")

  static let row = CommandRow(
    name: "recall",
    summary: "Recall the memories that answer a question",
    section: .memory,
    discussion: """
      Ranks facts, summaries of sessions, episodes and, where asked, messages, and shows the best, each with the
      parts of its score. It is a ranking, no threshold: it answers with as many as there are that say anything.
      Facts that have faded are not asked; how many there are, the last line says.

      At an earlier point it answers as it would have then, with what was known and counted by then alone.
      """,
    arguments: [
      CommandRow.user, query, topK, kinds, minImportance, tags, memoryTypes, session, since, until,
      AsOfArguments.group,
    ],
    examples: [
      CommandExample("memoir recall user-bob which database do we use", "The five memories that answer it best."),
      CommandExample(
        "memoir recall user-bob 'flight to Lisbon' --kind message -k 10", "What was said about it."),
    ],
    exitCodes: .ofReading(usage: "wrong usage; a question that can't be asked"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    var query = RecallQuery(arguments[query].joined(separator: " "))
    query.topK = Int(clamping: arguments[topK])
    if !arguments[kinds].isEmpty { query.kinds = Set(arguments[kinds]) }
    query.minImportance = arguments[minImportance]?.value
    query.tags = arguments[tags]
    query.memoryTypes = Set(arguments[memoryTypes])
    query.session = arguments[session]
    query.since = arguments[since]
    query.until = arguments[until]
    let question = query
    return try await arguments.withStore(usesModels: true, in: context) { store in
      let answer = try await store.recall(question, of: arguments.stream, at: arguments.asOf)
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { answer.write(to: &$0) })
      } else {
        try show(answer, on: context.output)
        try MemoryText.sayMeaning(answer.meaning, in: context)
        if !answer.isKnown { try MemoryText.sayNobody(answer.user, in: context) }
      }
      return .done
    }
  }

  private static func show(_ answer: RecallAnswer, on output: Console) throws {
    if answer.memories.isEmpty {
      try output.print(StyledText("Nothing is remembered that could be asked for.", .dim))
    }
    for (index, memory) in answer.memories.enumerated() {
      if index > 0 { try output.print() }
      try output.paragraph(memory.content, hanging: "\(index + 1). ")
      var remarks: [String] = [memory.role.map { "\(memory.kind), \($0)" } ?? memory.kind.description]
      if let fact = memory.fact { remarks[0] += ", \(fact.category)" }
      remarks.append(memory.occurredAt.minute)
      if let session = memory.session { remarks.append(session.description) }
      remarks.append("v\(memory.event.version)")
      try output.print(StyledText("   " + remarks.joined(separator: "  "), .dim))
      try output.print(ScoreBars.line(of: memory))
    }
    if answer.faded > 0 {
      let faded = Quantity.count(answer.faded, "memory has", plural: "memories have")
      try output.print(StyledText("\(faded) faded; 'memoir memories \(answer.user.user)' lists them.", .dim))
    }
  }
}

/// A score and its parts as small bars.
enum ScoreBars {
  /// `   0.61  words ████▏ 0.42  recency ▌ 0.05`
  static func line(of memory: RecalledMemory) -> StyledText {
    var line = StyledText("   ")
    line.append(decimal(memory.score), .accent)
    for part in memory.parts.named.sorted(by: { $0.value > $1.value }) {
      line.append("  \(part.name) ", .dim)
      line.append(Bar.line(Double(part.value)))
      line.append(" " + decimal(part.value), .dim)
    }
    return line
  }

  static func decimal(_ value: Float) -> String {
    let hundredths = Int((value * 100).rounded())
    return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
  }
}
