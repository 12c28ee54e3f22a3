// The table of commands, from which parsing, help and completion are made.

/// A command as the table describes it.
struct CommandRow: Sendable {
  let name: String
  /// One line, as the list of commands shows it.
  let summary: String
  let section: CommandSection
  /// Paragraphs with an empty line between them; their line breaks are the source's alone.
  var discussion = ""
  /// In the order of usage and help.
  var arguments: [any ArgumentEntry] = []
  var examples: [CommandExample] = []
  /// The exit codes beside 0, each with what it means for this command.
  var exitCodes: [ExitMeaning] = []
  /// Left out of the list of commands and of completion.
  var isHidden = false

  var specs: [ArgumentSpec] { arguments.flatMap(\.specs) }
  var positionals: [ArgumentSpec] { specs.filter { $0.form == .positional } }
  var options: [ArgumentSpec] { specs.filter { $0.form != .positional } }
  /// The options of every command, save those whose place one of its own takes.
  var globalOptions: [ArgumentSpec] {
    GlobalOptions.specs.filter { global in !options.contains { $0.spelled == global.spelled } }
  }
  var groups: [ExclusiveGroup] { arguments.compactMap { $0 as? ExclusiveGroup } }
}

/// What an exit code means for one command.
struct ExitMeaning: Sendable {
  let code: ExitCode
  let meaning: String

  init(_ code: ExitCode, _ meaning: String) {
    self.code = code
    self.meaning = meaning
  }
}

/// A command line that works, and what it shows.
struct CommandExample: Sendable {
  let line: String
  let meaning: String

  init(_ line: String, _ meaning: String) {
    self.line = line
    self.meaning = meaning
  }
}

/// The parts of the list of commands, in its order.
enum CommandSection: String, CaseIterable, Sendable {
  case events = "Events"
  case memory = "Memory"
  case lookingBack = "State and history"
  case overview = "Overview"
  case serving = "Serving"
  case access = "Privacy and access"
  case care = "Care of the store"
  case help = "Getting help"
}

/// What the process says to the one that started it.
enum ExitCode: Int32, Sendable, CaseIterable {
  case done = 0
  case failed = 1
  case wrongUsage = 2
  case notFound = 3
  case conflict = 4
  case corrupt = 5
  /// As a shell shows a program that ended with the one that read its output.
  case readerGone = 141

  /// In the help of the program.
  var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "failed"
    case .wrongUsage: "wrong usage, or input that cannot be accepted"
    case .notFound: "not found: a store, a user, an item"
    case .conflict: "conflict: the stream is elsewhere, or an id is taken"
    case .corrupt: "corrupt: the store is not what was written"
    case .readerGone: "whoever read the output went away before the end"
    }
  }
}

/// All commands, and the options that each of them takes.
struct CommandTable: Sendable {
  let rows: [CommandRow]

  func row(named name: String) -> CommandRow? { rows.first { $0.name == name } }
  var shownRows: [CommandRow] { rows.filter { !$0.isHidden } }
}

/// The options that stand before or after any command.
enum GlobalOptions {
  static let store = Argument.option(
    "store", .directory, help: "The store; else $MEMOIR_STORE, else ./memoir.store.")
  static let namespace = Argument.option(
    "namespace", .namespace, help: "The namespace; else 'default', or all without USER.")
  static let json = Argument.flag("json", help: "JSON instead of text for people; errors as JSON, too.")
  static let help = Argument.flag("help", short: "h", help: "Show help and do nothing else.")
  static let version = Argument.flag("version", help: "Show the version and do nothing else.")

  static let specs = [store.spec, namespace.spec, json.spec, help.spec, version.spec]
}
