// `memoir remember`: a memory in, held against those there are.
import JSON
import Memoir
import Platform

enum RememberCommand: Command {
  static let text = Argument.positionals(
    .text("TEXT"), help: "What is to be known, as a sentence; '-' alone reads standard input.")
  static let category = Argument.option(
    "category", .category, short: "c", help: "What it is about; else 'general'.")
  static let memoryType = Argument.option(
    "memory-type", .memoryType, excludes: ["--update"], help: "What kind of memory it is; else 'semantic'.")
  static let importance = Argument.option(
    "importance", .fraction, help: "How much it matters, from 0 to 1; else 0.5.")
  static let confidence = Argument.option(
    "confidence", .fraction, help: "How sure it is, from 0 to 1; else 0.8.")
  static let tags = Argument.options("tag", .text("TAG"), short: "t", help: "A word to find it by.")
  static let lifetime = Argument.option(
    "ttl", .number("SECONDS", in: 1...Limits.longestLifetime), help: "How long it holds; else for ever.")
  static let session = Argument.option("session", .session, help: "The session it comes from.")
  static let factID = Argument.option(
    "fact-id", .factID, excludes: ["--update"],
    help: "The id it is to have; remembering it again under this id changes nothing.")
  static let metadata = Argument.option("metadata", .object, help: "The application's own: a JSON object.")
  static let update = Argument.option(
    "update", .factID, help: "Change this memory instead: what is given replaces what was known.")

  static let row = CommandRow(
    name: "remember",
    summary: "Remember something about a user",
    section: .memory,
    discussion: """
      Stored as a new fact, unless a live fact of the same category says the same in the same words (whatever
      their case, punctuation and leading article): then that one is confirmed, its doubt halved. A fact that
      the new one contradicts is superseded by it: the same attribute with another value ('Lives in Porto'
      after 'Lives in Lisbon'), the same sentence denied, a switch ('Switched from PostgreSQL to MySQL').
      Where in doubt, both are kept. History keeps all of them, and 'conflicts' lists what was superseded.

      With --update, the memory of that id is changed; one that was forgotten, superseded or has expired is
      not found.
      """,
    arguments: [
      CommandRow.user, text, category, memoryType, importance, confidence, tags, lifetime, session, factID,
      metadata, MemoryArguments.agent, update,
    ],
    examples: [
      CommandExample(
        "memoir remember user-bob Lives in Porto --category home",
        "Remember it; create the store if there is none."),
      CommandExample(
        "memoir remember user-bob --update home-1 --importance 0.9", "Change how much a memory matters."),
    ],
    exitCodes: [
      ExitMeaning(.failed, "a failure of the disk or the store"),
      ExitMeaning(.wrongUsage, "wrong usage; a text that cannot be accepted"),
      ExitMeaning(.notFound, "with --update: no such user or memory"),
      ExitMeaning(.conflict, "the id belongs to another fact; others kept coming in between"),
      ExitMeaning(.corrupt, "the store is damaged"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let agent = arguments[MemoryArguments.agent]
    let content = try content(arguments)
    // Checked before: where it cannot be accepted, no store shall be made.
    let isUpdate = arguments[update] != nil
    let draft: MemoryDraft?
    do { draft = try isUpdate ? nil : self.draft(content, arguments) } catch { throw arguments.spelled(error) }
    return try await arguments.withStore(for: isUpdate ? .writing : .creating, usesModels: true, in: context) { store in
      let updated: Updated<MemoryOutcome>
      if let draft {
        updated = try await store.remember(draft, for: arguments.stream, agent: agent)
      } else if let id = arguments[update] {
        updated = try await store.revise(
          id, of: arguments.stream, revision(content, arguments), session: arguments[session], agent: agent)
      } else {
        preconditionFailure("without --update there is a draft")
      }
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { updated.write(to: &$0) })
      } else {
        try show(updated, in: store, of: arguments.stream, on: context.output)
      }
      return .done
    }
  }

  private static func content(_ arguments: ParsedArguments) throws -> String? {
    let words = arguments[text]
    guard words == ["-"] else { return words.isEmpty ? nil : words.joined(separator: " ") }
    var bytes: [UInt8] = []
    // No more than it takes to see that it is too much; one byte may be the line's end.
    while bytes.count <= Limits.textSize + 1 {
      let chunk = try Descriptor.standardInput.read(upTo: 1 << 16)
      if chunk.isEmpty { break }
      bytes += chunk
    }
    if bytes.count > Limits.textSize + 1 {
      throw MemoirError(.tooLarge, "TEXT: is longer than \(Limits.textSize) bytes")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw MemoirError.invalid(field: "TEXT", "is not valid UTF-8")
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  private static func draft(_ content: String?, _ arguments: ParsedArguments) throws -> MemoryDraft {
    guard let content else { throw UsageError(command: row.name, field: text.spec.spelled, reason: "is missing") }
    return try MemoryDraft(
      content, category: arguments[category] ?? FactCategory.general,
      memoryType: arguments[memoryType] ?? .semantic, importance: arguments[importance] ?? 0.5,
      confidence: arguments[confidence] ?? 0.8, tags: arguments[tags], metadata: arguments[metadata],
      lifetime: arguments[lifetime].map { .seconds($0) }, session: arguments[session],
      factID: arguments[factID])
  }

  private static func revision(_ content: String?, _ arguments: ParsedArguments) -> MemoryRevision {
    MemoryRevision(
      content: content, category: arguments[category], importance: arguments[importance],
      confidence: arguments[confidence], tags: arguments[tags].isEmpty ? nil : arguments[tags],
      metadata: arguments[metadata], lifetime: arguments[lifetime].map { .seconds($0) })
  }

  private static func show(
    _ updated: Updated<MemoryOutcome>, in store: MemoirStore, of user: StreamName, on output: Console
  ) throws {
    let outcome = updated.result
    let verb =
      switch outcome.kind {
      case .stored: "Remembered"
      case .confirmed: "Confirmed"
      case .unchanged: "Known already"
      case .revised: "Revised"
      }
    let now = try store.state(of: user, at: .version(updated.version))
    if let fact = now.state.facts[outcome.factID] {
      try output.item(
        fact.fact, remark: "(\(fact.category), \(fact.confidence.percent), \(fact.factID))", bullet: "\(verb): ")
    }
    if outcome.superseded.isEmpty { return }
    let version = StreamVersion(updated.version.number - UInt64(updated.eventIDs.count))
    let before = try store.state(of: user, at: .version(version))
    for id in outcome.superseded {
      try output.item(
        before.state.facts[id]?.fact ?? id.description, remark: "(\(id))", bullet: "  in the place of: ")
    }
  }
}
