// `memoir sessions`: the sessions of a user, and what can be done with one.
import JSON
import Memoir

enum SessionsCommand: Command {
  static let after = Argument.option(
    "after", .ordinal, excludes: changes, help: "Only what began, was said or learned after the user's event N.")
  static let limit = Argument.option("limit", .amount, short: "n", excludes: changes, help: "At most N of them.")
  static let open = Argument.flag(
    "open", excludes: actions, help: "List only sessions that are open.")
  static let newest = Argument.flag(
    "newest", excludes: actions, help: "List the newest first; --after N is then before N.")

  static let start = Argument.flag("start", help: "Start a session; print its id and what to begin it with.")
  static let touch = Argument.option("touch", .session, help: "Say that an open session is alive.")
  static let end = Argument.option("end", .session, help: "End a session and distil it.")
  static let messages = Argument.option("messages", .session, help: "Show what was said in a session.")
  static let memories = Argument.option("memories", .session, help: "Show what was learned in a session.")
  static let action = ExclusiveGroup(
    name: "ACTION", help: "lists sessions, or does one of", entries: [start, touch, end, messages, memories])
  private static let changes = ["--start", "--touch", "--end"]
  private static let actions = ["--start", "--touch", "--end", "--messages", "--memories"]

  static let session = Argument.option(
    "session", .session, needs: ["--start"], help: "The id of the session to start; without it, a new UUID.")
  static let idleTimeout = Argument.option(
    "idle-timeout", .number("SECONDS", in: 0...UInt64.max), needs: ["--start"],
    help: "Close the session after so long without an event; 0 is never. Else after 4 hours.")
  static let metadata = Argument.option(
    "metadata", .object, needs: ["--start"], help: "An object of your own, kept with the session.")
  static let message = Argument.option(
    "message", .text("TEXT"), needs: ["--start"], help: "The person's first message, appended with the start.")
  static let budget = Argument.option(
    "budget", .amount, needs: ["--start"],
    help: "The most tokens of the context that the session begins with: 4,000 unless told.")
  static let summary = Argument.option(
    "summary", .text("TEXT"), needs: ["--end"], help: "What the session was about, instead of a distilled summary.")
  static let agent = Argument.option(
    "agent", .text("A"), excludes: ["--messages", "--memories"],
    help: "Who starts, touches or ends it; kept in the events' metadata.")

  static let row = CommandRow(
    name: "sessions",
    summary: "List sessions; start, touch, end, read one",
    section: .overview,
    discussion: """
      Without an action all sessions are listed, open and ended, with times, numbers of messages and summaries, in
      the order in which the log heard of them. With --limit, 'next' in the JSON is the --after of the next page.

      A user may have several sessions open at once. Ending one distils it: its summary, up to six memories and its
      end are one atomic append. Ending it again changes nothing. An id that any session of the user has or had can't
      be started again.
      """,
    arguments: [
      CommandRow.user, action, session, idleTimeout, metadata, message, budget, summary, agent, open, newest, after,
      limit,
    ],
    examples: [
      CommandExample("memoir sessions user-bob", "When the user was here, and what for."),
      CommandExample(
        "memoir sessions user-bob --start --session s-7 --message Hello", "A session begins with a message."),
      CommandExample("memoir sessions user-bob --end s-7", "It ends, and what is worth keeping is kept."),
    ],
    exitCodes: [
      ExitMeaning(.failed, "a failure of the disk or the store"), ExitMeaning(.wrongUsage, "wrong usage"),
      ExitMeaning(.notFound, "no store, no such user, or no such session"),
      ExitMeaning(.conflict, "the id of the session to start is taken"),
      ExitMeaning(.corrupt, "the store is damaged"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let user = arguments.stream
    if arguments[start] {
      let first = try arguments[message].map { try MessageAdded(role: .user, content: $0) }
      var opening = ContextRequest.opening(with: first?.content ?? "")
      if let budget = arguments[budget] { opening.budget = Int(clamping: budget) }
      let request = opening
      try await arguments.withStore(for: .writing, usesModels: true, in: context) { store in
        let started = try await store.startSession(
          arguments[session], of: user, metadata: arguments[metadata], idleTimeoutSeconds: arguments[idleTimeout],
          firstMessage: first, agent: arguments[agent], context: request)
        try show(started, arguments, in: context)
      }
    } else if let id = arguments[touch] {
      try await arguments.withStore(for: .writing, usesModels: true, in: context) { store in
        let session = try await store.touchSession(id, of: user, agent: arguments[agent])
        if arguments.wantsJSON {
          try context.output.write(json: JSONWriter.line { session.write(to: &$0) })
        } else {
          try context.output.print("\(session.id.description, .accent) is alive.")
        }
      }
    } else if let id = arguments[end] {
      try await arguments.withStore(for: .writing, usesModels: true, in: context) { store in
        let ended = try await store.endSession(
          id, of: user, summary: arguments[summary], agent: arguments[agent])
        try show(ended, arguments, on: context.output)
      }
    } else {
      try arguments.withStore(in: context) { store in try look(store, arguments, in: context) }
    }
    return .done
  }

  // MARK: Looking

  private static func look(_ store: MemoirStore, _ arguments: ParsedArguments, in context: CommandContext) throws {
    let user = arguments.stream
    let limit = Int(clamping: arguments[limit] ?? .max)
    let after = arguments[after].map { StreamVersion($0) }
    if let id = arguments[messages] {
      let page = try store.messages(of: id, of: user, after: after ?? 0, limit: limit)
      if arguments.wantsJSON {
        return try context.output.write(json: JSONWriter.line { try page.write(to: &$0) })
      }
      for message in page.messages {
        guard case .messageAdded(let said) = try MemoirEvent(message) else { continue }
        try context.output.print(
          "\(message.occurredAt.minute, .dim)  \(said.role.description, .accent)  \(said.content)")
      }
      try showNext(page.next, on: context.output)
    } else if let id = arguments[memories] {
      let page = try store.memories(of: id, of: user, after: after ?? 0, limit: limit)
      if arguments.wantsJSON {
        return try context.output.write(json: JSONWriter.line { page.write(to: &$0) })
      }
      if page.facts.isEmpty {
        return try context.errors.print(
          "No memory of this session holds today; 'memoir conflicts' lists what was superseded.")
      }
      var table = TextTable([.fixed("category", .accent), .number("importance"), .flexible("memory", atLeast: 30)])
      for fact in page.facts {
        table.add([
          StyledText(fact.category), StyledText(fact.importance?.description ?? ""), StyledText(fact.fact),
        ])
      }
      try context.output.table(table)
      try showNext(page.next, on: context.output)
    } else {
      let page = try store.sessions(
        of: user, after: after, limit: limit, filter: arguments[open] ? .open : .all,
        newestFirst: arguments[newest])
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { page.write(to: &$0) })
      } else {
        try show(page, on: context.output)
      }
    }
  }

  private static func showNext(_ version: StreamVersion?, on output: Console) throws {
    if let version { try output.print(StyledText("There are more: --after \(version)", .dim)) }
  }

  private static func show(_ page: SessionPage, on output: Console) throws {
    var table = TextTable([
      .flexible("session", .accent), .fixed("began"), .fixed("ended"), .number("messages"),
      .flexible("summary", atLeast: 20),
    ])
    for session in page.sessions {
      let end = session.end.map { end in
        StyledText(session.startedAt.day == end.endedAt.day ? end.endedAt.minuteOfDay : end.endedAt.day)
      }
      table.add([
        StyledText(session.id.description),
        StyledText(session.startedAt.minute),
        end ?? StyledText("open", .good), StyledText(Quantity.count(session.messageCount)),
        StyledText(session.end?.summary ?? session.end?.reason ?? ""),
      ])
    }
    try output.table(table)
    if let next = page.next {
      try output.print(StyledText("There are more: --after \(next)", .dim))
    } else if page.sessions.count < page.total || page.sessions.count > 10 {
      let all = Quantity.count(page.total, "session")
      try output.print(StyledText("\(all), \(Quantity.count(page.open)) open", .dim))
    }
  }

  // MARK: What was done

  private static func show(
    _ started: StartedSession, _ arguments: ParsedArguments, in context: CommandContext
  ) throws {
    guard arguments.wantsJSON else {
      try context.output.print(StyledText(started.session.id.description, .accent))
      if let package = started.context {
        if !package.text.isEmpty { try context.output.write("\n" + package.text) }
        if let receipt = started.receipt { try ContextCommand.say(package, of: receipt.budget, receipt, in: context) }
      }
      return
    }
    try context.output.write(json: JSONWriter.line { started.write(to: &$0) })
  }

  private static func show(_ ended: EndedSession, _ arguments: ParsedArguments, on output: Console) throws {
    if arguments.wantsJSON {
      return try output.write(json: JSONWriter.line { ended.write(to: &$0) })
    }
    let name = ended.session.id.description
    if ended.hadEnded {
      try output.print("\(name, .accent) had ended already; nothing was changed.")
    } else {
      let count = ended.eventIDs.count - 1
      let by = ended.distiller.map { " by \($0)" } ?? ""
      try output.print("\(name, .accent) has ended; \(Quantity.count(count, "event")) of what is worth keeping\(by).")
      if let failure = ended.failure {
        try output.print(StyledText("The distiller failed (\(failure.rawValue)); the rules took its place.", .dim))
      }
    }
    if let summary = ended.session.end?.summary, !summary.isEmpty { try output.print(StyledText(summary)) }
  }
}
