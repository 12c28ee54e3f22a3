// `memoir stats`: how much there is, and what it weighs.
import JSON
import Memoir

enum StatsCommand: Command {
  static let effectiveness = Argument.flag(
    "effectiveness", help: "Instead: how well the memory served; tokens, hits, time taken, corrections, repeats.")
  static let since = Argument.option(
    "since", .time, needs: ["--effectiveness"], help: "Effectiveness: of what was recorded then or later.")
  static let until = Argument.option(
    "until", .time, needs: ["--effectiveness"], help: "Effectiveness: of what was recorded then or before.")
  static let user = Argument.option(
    "user", .user, needs: ["--effectiveness"], help: "Effectiveness: of this user alone.")

  static let row = CommandRow(
    name: "stats",
    summary: "Count events and users, weigh log and snapshots",
    section: .overview,
    discussion: """
      Of all namespaces, unless one is given: then its events and users, beside what there is of the whole store.
      """,
    arguments: [effectiveness, since, until, user],
    examples: [
      CommandExample("memoir stats --json", "The figures for a program."),
      CommandExample(
        "memoir stats --effectiveness --since 2026-11-01T00:00:00Z", "How well the memory has served this month."),
    ],
    exitCodes: .ofReading())

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    if arguments[effectiveness] { return try runEffectiveness(arguments, in: context) }
    return try arguments.withStore(in: context) { store in
      let statistics = try store.log.storeStatistics(for: store.projector)
      var figures = Figures(events: statistics.position.number, users: statistics.streams)
      let namespace = arguments[GlobalOptions.namespace]
      if let namespace {
        figures = Figures(events: 0, users: 0)
        try store.forEachUser(in: namespace) { user in
          figures.users += 1
          figures.events += user.version.number
        }
      }
      if arguments.wantsJSON {
        try context.output.write(json: json(figures, namespace, statistics))
      } else {
        try show(figures, namespace, statistics, on: context.output)
      }
      return .done
    }
  }

  private static func runEffectiveness(
    _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let report = try store.effectiveness(
        of: arguments[user].map(arguments.stream), in: arguments[GlobalOptions.namespace],
        since: arguments[since] ?? .earliest, until: arguments[until])
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { report.write(to: &$0) })
      } else {
        try show(report, on: context.output)
      }
      return .done
    }
  }

  private static func show(_ report: EffectivenessReport, on output: Console) throws {
    var values = KeyValues()
    values.add("contexts", StyledText(Quantity.count(report.contexts)))
    values.add("tokens", "\(Quantity.count(report.tokens)) of \(Quantity.count(report.budgets)) allowed")
    values.add(
      "handed out",
      "\(Quantity.count(report.facts, "fact")), \(Quantity.count(report.sessions, "session")), \(Quantity.count(report.messages, "message"))"
    )
    if let rate = report.hitRate {
      values.add("with an answer", StyledText("\(Int((rate * 100).rounded())) % of the questions"))
    }
    if let median = report.latency(of: 0.5), let slow = report.latency(of: 0.99) {
      func time(_ microseconds: UInt64) -> String { Quantity.duration(.microseconds(Int64(clamping: microseconds))) }
      values.add("time", "\(time(median)); 99 % within \(time(slow))")
    }
    values.add("facts learned", StyledText(Quantity.count(report.learned)))
    values.add("corrected", StyledText(Quantity.count(report.corrections)))
    values.add("said again", StyledText(Quantity.count(report.repeats)))
    try output.keyValues(values)
  }

  private struct Figures {
    var events: UInt64
    var users: Int
  }

  private static func json(
    _ figures: Figures, _ namespace: Namespace?, _ statistics: StoreStatistics
  ) -> [UInt8] {
    JSONWriter.objectLine { writer in
      if let encryption = statistics.encryption {
        writer.key("encryption")
        encryption.write(to: &writer)
      }
      writer.key("erased_users")
      writer.integer(statistics.erasedStreams)
      writer.key("events")
      writer.integer(figures.events)
      writer.key("file_bytes")
      writer.integer(statistics.fileBytes)
      writer.key("format")
      writer.integer(statistics.format)
      writer.key("free_bytes")
      writer.integer(statistics.freeBytes)
      writer.key("index_position")
      writer.integer(statistics.checkpoint.number)
      writer.key("last_position")
      writer.integer(statistics.position.number)
      if let namespace {
        writer.key("namespace")
        writer.string(namespace.description)
      }
      writer.key("readers")
      writer.integer(statistics.readers)
      writer.key("scrubbed")
      writer.bool(statistics.isScrubbed)
      writer.key("snapshots_due")
      writer.integer(statistics.dueSnapshots)
      writer.key("store_id")
      writer.string(statistics.storeID.description)
      writer.key("tables")
      writer.beginObject()
      for table in statistics.tables.sorted(by: { $0.name < $1.name }) {
        writer.key(text: table.name)
        writer.beginObject()
        writer.key("bytes")
        writer.integer(table.sizeInBytes)
        writer.key("entries")
        writer.integer(table.entries)
        writer.endObject()
      }
      writer.endObject()
      writer.key("users")
      writer.integer(figures.users)
    }
  }

  private static func show(
    _ figures: Figures, _ namespace: Namespace?, _ statistics: StoreStatistics, on output: Console
  ) throws {
    var values = KeyValues()
    if let namespace { values.add("namespace", StyledText(namespace.description, .accent)) }
    values.add("events", StyledText(Quantity.count(figures.events), .bold))
    values.add("users", StyledText(Quantity.count(figures.users), .bold))
    if statistics.erasedStreams > 0 {
      // Of whom it was nobody knows, and so not where.
      let place = namespace == nil ? "" : ", in all namespaces"
      values.add("erased users", StyledText(Quantity.count(statistics.erasedStreams) + place))
    }
    if !statistics.isScrubbed { values.add("erased texts", "in free pages still, as long as a reader sees them") }
    values.add(
      "data file",
      "\(Quantity.bytes(statistics.fileBytes)), \(Quantity.bytes(statistics.freeBytes), .dim) \("of it free", .dim)"
    )
    values.add("encryption", StyledText(statistics.encryption?.summary ?? "none"))
    values.add("not in a run yet", StyledText(Quantity.count(statistics.tailEvents, "event")))
    values.add("snapshots due", StyledText(Quantity.count(statistics.dueSnapshots)))
    values.add("readers at work", StyledText(Quantity.count(statistics.readers)))
    values.add("store", "\(statistics.storeID), format \(statistics.format)")
    try output.keyValues(values)
    try output.print()
    var table = TextTable([.fixed("table"), .number("entries"), .number("size")])
    for size in statistics.tables {
      table.add([
        StyledText(size.name), StyledText(Quantity.count(size.entries)),
        StyledText(Quantity.bytes(size.sizeInBytes)),
      ])
    }
    try output.table(table)
  }
}
