// `memoir events`: the log, or one user's part of it.
import JSON
import Memoir
import Platform

enum EventsCommand: Command {
  static let user = Argument.optionalPositional(.user, help: "Only this user's events; else those of all.")
  static let from = Argument.option("from", .ordinal, needs: ["USER"], help: "From the user's version N on.")
  static let to = Argument.option(
    "to", .ordinal, needs: ["USER"], help: "Up to the user's version N, inclusive.")
  static let afterPosition = Argument.option(
    "after-position", .ordinal, help: "Only events after the store's position N.")
  static let types = Argument.options(
    "type", .text("T", candidates: .common(knownTypes)), help: "Only events of this type, e.g. FactLearned.")
  static let session = Argument.option("session", .session, help: "Only events of this session.")
  static let reverse = Argument.flag("reverse", excludes: ["--follow"], help: "The latest first.")
  static let limit = Argument.option("limit", .amount, short: "n", help: "At most N events.")
  static let follow = Argument.flag(
    "follow", short: "f", help: "Go on with events as they are appended, until stopped.")
  static let subscription = Argument.option(
    "subscription", .text("NAME"), needs: ["--follow"], help: "Follow from the checkpoint kept under this name.")
  static let ack = Argument.flag(
    "ack", needs: ["--subscription"], help: "Move the checkpoint on as events are printed.")

  static let row = CommandRow(
    name: "events",
    summary: "Print events, of one user or of all",
    section: .events,
    discussion: """
      Prints events as JSON Lines, in the form that 'append' takes, in the order of the log. A user nobody has
      heard of has no events. An event whose text was taken out says so: 'append' takes it only as 'memoir export' prints
      it, with what proves that it was there.

      With --follow it waits for more. With --subscription besides, it begins where that subscription's checkpoint
      stands, and with --ack the checkpoint follows: each event is seen at least once, also after a crash.
      """,
    arguments: [
      user, from, to, afterPosition, types, session, reverse, limit, follow, subscription, ack,
    ],
    examples: [
      CommandExample(
        "memoir events user-bob --type FactLearned --reverse -n 5", "The five facts learned last."),
      CommandExample(
        "memoir events --follow --subscription mailer --ack",
        "What is new since the last time, and then what comes."),
    ],
    exitCodes: .ofReading())

  /// The types of the contract, for completion; any other name is an application's own.
  static let knownTypes = EventSchema.memoir.types.map(\.name)

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let name = arguments[subscription]
    return try arguments.withStore(for: name == nil ? .reading : .writing, in: context) { store in
      let log = store.log
      var start = arguments[afterPosition].map { LogPosition($0) }
      if let name { start = try log.makeSubscription(named: name, after: start ?? 0).checkpoint }
      var source = try source(arguments, after: start, in: log)
      var left = Int(clamping: arguments[limit] ?? .max)
      var acknowledged = start ?? 0
      if arguments[follow] { try Interruption.watch() }
      while left > 0 {
        let page = try source.next(limit: min(left, 1000))
        left -= page.events.count
        try print(page.events, to: context.output)
        if let name, arguments[ack], page.position > acknowledged {
          // Only what the reader has in hand is acknowledged.
          try context.output.flush()
          try log.acknowledge(page.position, of: name)
          acknowledged = page.position
        }
        if left == 0 { break }
        if !page.isAtEnd { continue }
        guard arguments[follow], !page.isComplete else { break }
        try context.output.flush()
        if try !waitForMore(after: page.position, in: log, for: context.output) { break }
      }
      return .done
    }
  }

  private static func source(
    _ arguments: ParsedArguments, after start: LogPosition?, in log: EventLog
  ) throws -> any EventSource {
    for type in arguments[types] { try check(type) }
    let filter = EventFilter(types: Set(arguments[types]), session: arguments[session])
    guard let user = arguments[user] else {
      return LogSource(
        log: log, filter: filter, namespace: arguments[GlobalOptions.namespace],
        direction: arguments[reverse] ? .backward : .forward, start: start ?? 0)
    }
    let stream = arguments.stream(of: user)
    var first = StreamVersion(arguments[from] ?? 1)
    if let start, start > 0 {
      let head = try log.lastPosition()
      let version = try log.version(of: stream, at: .position(min(start, head)))
      first = max(first, version?.next ?? 1)
    }
    return StreamSource(
      log: log, stream: stream, filter: filter, direction: arguments[reverse] ? .backward : .forward,
      first: first, last: arguments[to].map { StreamVersion($0) })
  }

  /// Refuses what can be no type, rather than finding nothing: a core type in another case, or no name at all.
  private static func check(_ type: String) throws(UsageError) {
    if knownTypes.contains(type) { return }
    do throws(InvalidValue) {
      try CustomEvent.check(type: type)
    } catch {
      throw UsageError(
        command: row.name, field: "--type", reason: "there is no type \(SafeText.quoted(type))", value: type,
        suggestion: knownTypes.first { $0.lowercased() == type.lowercased() })
    }
  }

  private static func print(_ events: [RecordedEvent], to output: Console) throws {
    if events.isEmpty { return }
    var writer = JSONWriter()
    for event in events {
      try EventJSON.write(event, to: &writer)
      writer.endLine()
    }
    try output.write(json: writer.finish())
  }

  /// - Returns: Whether there may be more; `false` when the process is asked to end.
  private static func waitForMore(
    after position: LogPosition, in log: EventLog, for output: Console
  ) throws -> Bool {
    while Interruption.signal == nil {
      try output.checkReader()
      let deadline = MonotonicClock.nanoseconds + 200_000_000
      if try log.waitForEvents(after: position, until: deadline) { return true }
    }
    return false
  }
}

/// A part of what is to be printed.
private struct EventsPage {
  var events: [RecordedEvent]
  /// Everything up to here has been looked at.
  var position: LogPosition
  /// Whether there is nothing more for the moment.
  var isAtEnd: Bool
  /// Whether nothing more can come.
  var isComplete = false
}

/// Where events are read from, page by page.
private protocol EventSource {
  mutating func next(limit: Int) throws -> EventsPage
}

/// The whole log.
private struct LogSource: EventSource {
  let log: EventLog
  let filter: EventFilter
  let namespace: Namespace?
  let direction: ReadDirection
  /// Events after it, in either direction.
  let start: LogPosition
  private var place: LogPosition?

  init(
    log: EventLog, filter: EventFilter, namespace: Namespace?, direction: ReadDirection, start: LogPosition
  ) {
    self.log = log
    self.filter = filter
    self.namespace = namespace
    self.direction = direction
    self.start = start
    place = direction == .forward ? start : nil
  }

  mutating func next(limit: Int) throws -> EventsPage {
    let page = try log.readAll(
      after: place, to: direction == .backward ? start.next : nil, direction: direction, limit: limit,
      filter: filter, namespace: namespace)
    place = page.next ?? (direction == .forward ? max(page.head, start) : start)
    return EventsPage(events: page.events, position: place ?? 0, isAtEnd: page.next == nil)
  }
}

/// The events of one user.
private struct StreamSource: EventSource {
  let log: EventLog
  let stream: StreamName
  let filter: EventFilter
  let direction: ReadDirection
  var first: StreamVersion
  var last: StreamVersion?

  mutating func next(limit: Int) throws -> EventsPage {
    // Asked before: whatever of the user is at or before it will have been read at the end.
    let head = try log.lastPosition()
    if direction == .backward {
      let page = try log.readStream(
        stream, from: last, to: first, direction: .backward, limit: limit, filter: filter)
      if let next = page.next { last = next }
      return EventsPage(events: page.events, position: head, isAtEnd: page.next == nil)
    }
    if let last, first > last {
      return EventsPage(events: [], position: head, isAtEnd: true, isComplete: true)
    }
    let version = try log.version(of: stream)
    let end = min(last ?? version, version)
    let page = try log.readStream(stream, from: first, to: end, limit: limit, filter: filter)
    first = page.next ?? max(first, end.next)
    let position = page.next == nil ? head : page.events.last?.position ?? 0
    return EventsPage(
      events: page.events, position: position, isAtEnd: page.next == nil,
      isComplete: last.map { first > $0 } ?? false)
  }
}
