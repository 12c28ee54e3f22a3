// What the tests of the command line share: a world with two ears, and a table to try parsing on.

import Memoir
import Synchronization
import Testing

@testable import MemoirCLI

/// Keeps what is written.
final class RecordingSink: TextSink {
  private let written = Mutex("")

  var text: String { written.withLock { $0 } }
  var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

  func write(_ text: String) throws(OutputError) { written.withLock { $0 += text } }
  func clear() { written.withLock { $0 = "" } }
}

/// A disk with no room.
struct FullSink: TextSink {
  func write(_ text: String) throws(OutputError) { throw OutputError(reason: "No space left on device") }
}

/// Runs command lines without a process.
struct CommandLineUnderTest {
  let output = RecordingSink()
  let errors = RecordingSink()
  var commands: [any Command.Type] = [HelpCommand.self, CompletionCommand.self, Events.self, State.self]

  func run(_ words: String...) async -> ExitCode {
    let context = CommandContext(
      output: Console(sink: output, isTerminal: false), errors: Console(sink: errors, isTerminal: false),
      environment: { _ in nil }, now: { .earliest })
    return await Program(commands: commands).run(words, in: context)
  }

  private enum Events: Command {
    static let row = EventsCommand.row
    static func run(_ arguments: ParsedArguments, in context: CommandContext) -> ExitCode { .done }
  }

  private enum State: Command {
    static let row = StateCommand.row
    static func run(_ arguments: ParsedArguments, in context: CommandContext) -> ExitCode { .notFound }
  }
}

/// A table of every form of argument.
enum Sample {
  static let input = Argument.positional(.input, help: "What to read.")
  static let more = Argument.positionals(.text("MORE"), help: "And more.")
  static let count = Argument.option("count", .number(in: -10...1000), short: "c", help: "How many.")
  static let size = Argument.option("size", .number(), default: 5, help: "How big.")
  static let tags = Argument.options("tag", .text("T"), short: "t", help: "A tag.")
  static let quiet = Argument.flag("quiet", short: "q", help: "Say nothing.")
  static let loud = Argument.flag("loud", short: "l", excludes: ["--quiet"], help: "Say all.")
  static let colour = Argument.option(
    "colour", .choice("NAME", of: ["red", "green"]), needs: ["--loud"], help: "Which.")

  static let row = CommandRow(
    name: "sample", summary: "Try", section: .help,
    arguments: [input, more, count, size, tags, quiet, loud, colour, AsOfArguments.group])

  static let plain = CommandRow(name: "plain", summary: "Take nothing", section: .help)

  static func parse(_ words: String...) throws -> ParsedArguments {
    let invocation = try ArgumentParser(table: CommandTable(rows: [row, plain])).parse(words)
    guard case .run(let arguments) = invocation else { throw UsageError(reason: "is no run: \(invocation)") }
    return arguments
  }

  /// Why `words` cannot be understood.
  static func refusal(of words: String...) -> UsageError? {
    do {
      _ = try ArgumentParser(table: CommandTable(rows: [row, plain])).parse(words)
      return nil
    } catch {
      return error
    }
  }
}

/// A command by its name, instead of all its help, where tests are listed.
extension CommandRow: CustomTestStringConvertible {
  /// The name alone.
  public var testDescription: String { name }
}
