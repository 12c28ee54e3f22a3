// `memoir retention`: for how long what people said is kept.
import JSON
import Memoir

/// What is done about retention.
enum RetentionAction: String, CaseIterable, Sendable {
  case set, list, remove, run
}

enum RetentionCommand: Command {
  static let action = Argument.positional(
    ArgumentKind<RetentionAction>.choice("ACTION"), help: "What is done about it.")
  private static func days(_ kind: RetainedKind, _ help: String) -> Argument<Int?> {
    Argument.option(kind.rawValue, .number("DAYS", in: RetentionPolicy.daysRange), help: help)
  }
  static let messages = days(.messages, "Set: for how many days messages are kept; without it, for good.")
  static let facts = days(.facts, "Set: for how many days facts are kept; without it, for good.")
  static let summaries = days(.summaries, "Set: for how many days sessions' summaries are kept; without it, for good.")
  static let dryRun = Argument.flag("dry-run", help: "Run: only say what would go.")

  static let row = CommandRow(
    name: "retention",
    summary: "Keep what people said for a time",
    section: .care,
    discussion: """
      A policy says of a namespace for how many days what was recorded is kept. 'retention run' takes the text out of what
      is older, as an erasure does: its place, id and times stay, and the chains go on proving them. 'memoir serve'
      does it once a day. What was taken out does not come back when a policy is changed or removed.

      'set' puts a policy in the place of the one before, as a whole: what it does not name is kept for good, also where
      the one before did name it. An event that is damaged stays as it is, and the run ends with 5 after the rest.

      'set' and 'remove' are about the namespace given, or 'default'; 'list' and 'run' about all that have a policy.
      """,
    arguments: [action, messages, facts, summaries, dryRun],
    examples: [
      CommandExample("memoir retention set --messages 90", "Messages go after 90 days."),
      CommandExample("memoir retention run --dry-run", "What would go now, and whose it is."),
      CommandExample("memoir retention run", "Let it go."),
    ],
    exitCodes: .ofReading(corrupt: "something is damaged; the rest is done"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let action = arguments[action]
    try checkCompany(arguments, action)
    let given = arguments[GlobalOptions.namespace]
    let namespace = given ?? .default
    switch action {
    case .set:
      var days: [RetainedKind: Int] = [:]
      days[.messages] = arguments[messages]
      days[.facts] = arguments[facts]
      days[.summaries] = arguments[summaries]
      if days.isEmpty {
        throw MemoirError.invalid(field: messages.spec.spelled, "is missing: say how long what is kept")
      }
      let policy = try RetentionPolicy(of: namespace, days: days)
      try await arguments.withStore(for: .writing, in: context) { store in
        try await store.setRetention(policy)
        try tell(policy, of: namespace, arguments, on: context.output)
      }
    case .remove:
      try await arguments.withStore(for: .writing, in: context) { store in
        try await store.removeRetention(of: namespace)
        try tell(nil, of: namespace, arguments, on: context.output)
      }
    case .list:
      try arguments.withStore(in: context) { store in
        let policies = try store.retentionPolicies().filter { policy in
          given.map { policy.namespace == $0 } ?? true
        }
        if arguments.wantsJSON {
          for policy in policies { try context.output.write(json: JSONWriter.line { policy.write(to: &$0) }) }
        } else {
          try show(policies, on: context.output)
        }
      }
    case .run:
      let isDry = arguments[dryRun]
      let report: RetentionReport = try await arguments.withStore(for: isDry ? .reading : .writing, in: context) {
        store in
        if isDry { return try store.previewRetention(in: given) }
        return try await store.runRetention(in: given)
      }
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { report.write(to: &$0) })
      } else {
        try show(report, on: context.output)
      }
      return report.isWhole ? .done : .corrupt
    }
    return .done
  }

  private static func checkCompany(_ arguments: ParsedArguments, _ action: RetentionAction) throws {
    let wanted: [String] =
      switch action {
      case .set: [messages, facts, summaries].map(\.spec.spelled)
      case .list, .remove: []
      case .run: [dryRun.spec.spelled]
      }
    for option in row.options where arguments.has(option.spelled) && !wanted.contains(option.spelled) {
      throw MemoirError.invalid(field: option.spelled, "means nothing for 'retention \(action)'")
    }
  }

  // MARK: What is shown

  private static func tell(
    _ policy: RetentionPolicy?, of namespace: Namespace, _ arguments: ParsedArguments, on output: Console
  ) throws {
    if arguments.wantsJSON {
      try output.write(json: JSONWriter.line { RetentionPolicy.write(policy, of: namespace, to: &$0) })
    } else {
      try output.print("In \(namespace, .accent) \(words(of: policy)).")
    }
  }

  private static func words(of policy: RetentionPolicy?) -> String {
    guard let policy else { return "everything is kept for good" }
    let kept = RetainedKind.allCases.compactMap { kind in
      policy.days[kind].map { "\(kind.rawValue) for \(Quantity.count($0, "day"))" }
    }
    return "are kept: " + kept.joined(separator: ", ") + "; the rest for good"
  }

  private static func damage(of report: RetentionReport) -> String {
    var parts: [String] = []
    if let first = report.damaged.first {
      let count = Quantity.count(report.damaged.count, "event")
      parts.append("\(count), the first at position \(Quantity.count(first.number))")
    }
    if report.damagedReceipts > 0 { parts.append(Quantity.count(report.damagedReceipts, "receipt")) }
    return "Damaged, and left as they are: \(parts.joined(separator: "; ")). 'memoir verify' says what is wrong."
  }

  private static func show(_ policies: [RetentionPolicy], on output: Console) throws {
    if policies.isEmpty { return try output.print(StyledText("Everything is kept for good.", .dim)) }
    var table = TextTable([
      .flexible("namespace", .accent), .fixed("messages"), .fixed("facts"), .fixed("summaries"),
    ])
    for policy in policies {
      table.add(
        [StyledText(policy.namespace.description)]
          + RetainedKind.allCases.map { kind in
            policy.days[kind].map { StyledText(Quantity.count($0, "day")) } ?? StyledText("for good", .dim)
          })
    }
    try output.table(table)
  }

  private static func show(_ report: RetentionReport, on output: Console) throws {
    if report.policies.isEmpty { return try output.print(StyledText("There is no policy: everything is kept.", .dim)) }
    if report.users.isEmpty, report.receipts.isEmpty {
      try output.print("Nothing is older than it may be.")
    } else {
      var table = TextTable([
        .flexible("namespace"), .flexible("user", .accent), .number("messages"), .number("facts"), .number("summaries"),
      ])
      for user in report.users {
        table.add(
          [StyledText(user.name.namespace.description), StyledText(user.name.user.description)]
            + RetainedKind.allCases.map { StyledText(Quantity.count(user.counts[$0] ?? 0)) })
      }
      if !report.users.isEmpty { try output.table(table) }
      let receipts = report.receipts.values.reduce(0, +)
      if receipts > 0 { try output.print("and \(Quantity.count(receipts, "receipt")) of contexts that quote them.") }
    }
    if !report.isWhole { try output.paragraph(damage(of: report)) }
    switch report.isScrubbed {
    case nil: try output.print(StyledText("A dry run: nothing was taken out.", .dim))
    case true: break
    case false:
      try output.print(
        "Some of it is still in the file, for a reader that began before. The next run clears it.")
    }
  }
}
