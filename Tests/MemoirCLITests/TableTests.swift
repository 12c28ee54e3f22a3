// What must hold for every row of the table, and for what is made of it.

import Memoir
import Testing

@testable import MemoirCLI

@Suite struct `The table of commands` {
  static let rows = CommandTable.all.rows

  @Test func `names the commands of the contract`() {
    #expect(
      Set(CommandTable.all.shownRows.map(\.name)) == [
        "append", "events", "state", "diff", "explain", "replay", "users", "sessions", "stats", "verify",
        "snapshots", "backup", "restore", "export", "demo", "completion", "help", "recall", "context", "receipt",
        "remember", "forget", "memories", "conflicts", "sweep", "distill", "embed", "report", "accesses", "grants",
        "key", "serve", "mcp", "attest", "erase", "compact", "retention", "encryption",
      ])
  }

  @Test(arguments: rows) func `no command has two arguments of one name`(row: CommandRow) {
    let spelled = (row.specs + row.globalOptions).map(\.spelled)
    #expect(Set(spelled).count == spelled.count)
    let shorts = (row.specs + row.globalOptions).compactMap(\.short)
    #expect(Set(shorts).count == shorts.count)
  }

  @Test(arguments: rows) func `arguments need and exclude only what the row has`(row: CommandRow) {
    let spelled = Set(row.specs.map(\.spelled))
    for spec in row.specs { #expect(spelled.isSuperset(of: spec.needs + spec.excludes)) }
  }

  @Test(arguments: rows) func `nothing must be given behind what may be left out`(row: CommandRow) {
    let positionals = row.positionals
    for (before, after) in zip(positionals, positionals.dropFirst()) {
      #expect(!before.isRepeatable)
      #expect(before.isRequired || !after.isRequired)
    }
  }

  @Test func `an option takes a value everywhere or nowhere`() {
    // The completion scripts tell values from arguments without knowing the command.
    let specs = Self.rows.flatMap(\.options) + GlobalOptions.specs
    let valued = Set(specs.filter { $0.form == .option }.map(\.spelled))
    let flags = Set(specs.filter { $0.form == .flag }.map(\.spelled))
    #expect(valued.isDisjoint(with: flags))
  }

  @Test(arguments: rows) func `every example is a command line that works`(row: CommandRow) throws {
    if !row.isHidden { #expect(!row.examples.isEmpty) }
    for example in row.examples {
      // Up to a redirection; a process substitution holds a command line of its own.
      let line = example.line.split(separator: "source <(").last?.split(separator: ")").first ?? ""
      let words = line.split(separator: " ").map(String.init).prefix { $0 != ">" && $0 != "<" }
      #expect(words.first == "memoir")
      #expect(throws: Never.self, "\(example.line)") {
        try ArgumentParser(table: .all).parse(Array(words.dropFirst()))
      }
    }
  }
}

@Suite struct `The help` {
  static let rows = CommandTable.all.rows

  @Test(arguments: rows) func `of a command fits in 80 columns and names all of its arguments`(
    row: CommandRow
  ) {
    let text = Help(table: .all).text(for: row)
    for line in text.split(separator: "\n") where !line.hasPrefix("  memoir ") {
      #expect(DisplayWidth.of(line) <= 80, "\(line)")
    }
    for spec in row.specs { #expect(text.contains(spec.term)) }
    #expect(!text.contains(" \n"))
    #expect(text.hasSuffix("\n"))
  }

  @Test func `of the program lists every command but the hidden ones`() {
    let text = Help(table: .all).text(for: nil)
    for row in Self.rows { #expect(text.contains("\n  \(row.name) ") == !row.isHidden) }
    for line in text.split(separator: "\n") { #expect(DisplayWidth.of(line) <= 80, "\(line)") }
  }

  @Test func `is laid out like this`() {
    #expect(
      Help(table: .all).text(for: ReplayCommand.row) == """
        memoir replay: Fold the log again, timed, and print a digest

        Usage: memoir replay [--projector NAME] [USER]… [AS-OF] [--no-snapshots]
                             [--jobs N] [--dry-run] [--against VERSION] [--limit N]

        Rebuilds the states of all users, or of those named, and prints users, events,
        seconds, events per second and a digest of all states. The digest is the same
        with and without snapshots, on one core or many. Users with fewer events than
        --at-version are folded to their last.

        With --dry-run it says what an upgrade of this program would change: of each
        user, the latest snapshot, whichever version of the projector left it, beside
        what this program folds the same events to. It counts who differs, and shows in
        what, with the events responsible. A part of the context is compared with that
        part of the context's snapshots. Users with too few events for a snapshot are
        only counted. Nothing is written but how far it has come, so that it can go on.

        Arguments:
          USER  Only these users; else all.

        Options:
              --projector NAME   What to fold to. One of messages, facts, preferences,
                                 relationships, sessions, episodes, profile, context.
                                 Default: context.
              --no-snapshots     Fold from the first event, whatever snapshots there
                                 are.
          -j, --jobs N           Fold N users at a time; else one a core.
              --dry-run          Compare with the snapshots that stand, and change
                                 nothing.
              --against VERSION  Only snapshots of that version of the projector; else
                                 the latest.
          -n, --limit N          Show what differs of the first N users that do.
                                 Default: 10.

        AS-OF: now, or one of (each inclusive; a TIME is like 2026-03-03T14:00:00Z):
              --at-version N      After the user's event N; 0 is before the first.
              --at-position N     After the store's event N.
              --recorded-at TIME  What was known then: by when events came in, imported
                                  ones at their import.
              --occurred-at TIME  What was true then: late events count at their own
                                  time.

        Options of every command:
              --store DIR     The store; else $MEMOIR_STORE, else ./memoir.store.
              --namespace NS  The namespace; else 'default', or all without USER.
              --json          JSON instead of text for people; errors as JSON, too.
          -h, --help          Show help and do nothing else.

        Examples:
          memoir replay
              Rebuild everything.
          memoir replay --projector facts --no-snapshots user-bob
              One user's facts, from the first event.
          memoir replay --dry-run --projector facts
              Whose facts this program would fold otherwise.

        Exit codes:
          0  done
          1  a failure of the disk or the store
          2  wrong usage
          3  no store, or no such user
          5  the store is damaged

        """)
  }
}

@Suite struct `Running a command line` {
  @Test func `help is data, on standard output, and not a failure`() async {
    let terminal = CommandLineUnderTest()
    #expect(await terminal.run("help", "state") == .done)
    #expect(terminal.output.text == Help(table: .all).text(for: StateCommand.row))
    #expect(terminal.errors.text == "")

    let other = CommandLineUnderTest()
    #expect(await other.run("state", "--help") == .done)
    #expect(other.output.text == terminal.output.text)
  }

  @Test func `a command decides its exit code`() async {
    #expect(await CommandLineUnderTest().run("events", "bob") == .done)
    #expect(await CommandLineUnderTest().run("state", "bob") == .notFound)
  }

  @Test func `what is described but not built is no command`() async {
    #expect(await CommandLineUnderTest().run("stats") == .wrongUsage)
  }

  @Test func `the version is one line`() async {
    let terminal = CommandLineUnderTest()
    #expect(await terminal.run("--version") == .done)
    #expect(terminal.output.text == "memoir \(Program.version)\n")
  }

  @Test func `wrong usage is told on standard error, with a way on`() async {
    let terminal = CommandLineUnderTest()
    #expect(await terminal.run("events", "--limt", "5") == .wrongUsage)
    #expect(terminal.output.text == "")
    #expect(
      terminal.errors.text == """
        memoir: --limt: events has no such option
        Did you mean --limit?
        See 'memoir events --help'.

        """)
  }

  @Test func `with JSON the last line of standard error is the error object`() async {
    let terminal = CommandLineUnderTest()
    #expect(await terminal.run("events", "--limit", "many\n", "--json") == .wrongUsage)
    #expect(
      terminal.errors.text == #"""
        {"error":{"code":"invalid_argument","message":"--limit: 'many\\n' is not a whole number","details":{"command":"events","field":"--limit","reason":"'many\\n' is not a whole number","value":"many\n"}}}

        """#)
    #expect(await terminal.run("--json", "evnts") == .wrongUsage)
    #expect(terminal.errors.lines.dropLast().last?.contains(#""did_you_mean":"events""#) == true)
  }

  @Test func `an error that nobody named is internal, and shown without its control characters`() async {
    enum Failing: Command {
      struct Surprise: Error, CustomStringConvertible { let description = "sur\u{1B}prise" }
      static let row = UsersCommand.row
      static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
        throw Surprise()
      }
    }
    let terminal = CommandLineUnderTest(commands: [Failing.self])
    #expect(await terminal.run("users") == .failed)
    #expect(terminal.errors.text == "memoir: sur\\u{1B}prise\n")
    #expect(await terminal.run("users", "--json") == .failed)
    #expect(terminal.errors.text.contains(#"{"error":{"code":"internal","#))
  }

  @Test func `output that cannot be written is a failure`() async {
    let errors = RecordingSink()
    let context = CommandContext(
      output: Console(sink: FullSink(), isTerminal: false), errors: Console(sink: errors, isTerminal: false),
      environment: { _ in nil }, now: { .earliest })
    #expect(await Program(commands: [HelpCommand.self]).run(["help"], in: context) == .failed)
    #expect(errors.text == "memoir: cannot write the output: No space left on device\n")
  }
}
