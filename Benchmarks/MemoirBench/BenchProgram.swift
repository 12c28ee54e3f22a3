// The program `memoir-bench`: what its arguments ask for.
import Foundation
import Platform

/// The program.
public enum BenchProgram {
  private static let help = """
    Usage: memoir-bench [OPTION]…
           memoir-bench contestant DIR [EVENTS.jsonl]
           memoir-bench distillation MARKS.jsonl EVENTS.jsonl [--verbose]
           memoir-bench encryption [OPTION]…
           memoir-bench recall [OPTION]…
           memoir-bench http [OPTION]…

    Measures Memoir beside plain LMDB (L) and SQLite (S) on one workload, in turn, and prints medians and ratios.

      --only QUESTION,…    only these; see below
      --events N           events of the workload (1000000)
      --users N            users of the workload (10000)
      --rounds N           how often everything is asked (3)
      --history N          events of the long history for as-of reads (1000000)
      --dialogues FILE     real conversations, as JSON Lines
      --folder DIR         where stores are made: on the disk that is meant (beside the program)
      --json FILE          writes all values of all rounds
      --charts DIR         writes SVG charts
      --readme FILE        puts table and machine between the marks of a page
      --quick              tiny sizes: only to see that it works
      --help

    `contestant` makes a store in DIR, does the jobs of a comparison of stores and prints `job<TAB>value` lines.
    It honours EVENTS, USERS, APPEND_MS and NORDAHEAD of the environment.
    `distillation` compares what the rules make of sessions with what was marked in them by hand.
    `encryption` measures what it costs to have a store encrypted; see memoir-bench encryption --help.
    `recall` measures how well questions are answered, and how fast; see memoir-bench recall --help.
    `http` measures the server over loopback; see memoir-bench http --help.

    Questions:

    """

  /// Runs it, and ends the process where something was wrong.
  public static func run() async {
    let words = CurrentProcess.arguments.map { String(decoding: $0, as: UTF8.self) }
    do {
      switch words.first {
      case "contestant" where words.count == 2 || words.count == 3:
        try await ContestantCommand(folder: words[1], file: words.count > 2 ? words[2] : nil).run()
      case "distillation" where words.count == 3 || words.count == 4 && words[3] == "--verbose":
        try await DistillationCommand(marks: words[1], dialogues: words[2], isVerbose: words.count == 4).run()
      case "encryption" where words.dropFirst() == ["--help"]:
        try Descriptor.standardOutput.write(EncryptionCommand.help)
      case "encryption":
        let command = EncryptionCommand(bench: try Bench(try Arguments(Array(words.dropFirst())).plan, tell: say))
        try Descriptor.standardOutput.write(command.text(try command.run()))
      case "recall" where words.dropFirst() == ["--help"]: try Descriptor.standardOutput.write(RecallPlan.help)
      case "recall":
        let bench = RecallBench(plan: try RecallPlan(Array(words.dropFirst())), tell: say)
        try Descriptor.standardOutput.write(try await bench.run().joined(separator: "\n") + "\n")
      case "http" where words.dropFirst() == ["--help"]: try Descriptor.standardOutput.write(HTTPPlan.help)
      case "http":
        let bench = try HTTPBench(try HTTPPlan(Array(words.dropFirst())), tell: say)
        try Descriptor.standardOutput.write(try await bench.run().joined(separator: "\n") + "\n")
      case "task": try await BenchTask.run(Array(words.dropFirst()))
      case "--help", "-h":
        try Descriptor.standardOutput.write(help + Question.allCases.map { "  \($0.rawValue): \($0.text)\n" }.joined())
      default: try await measure(try Arguments(words))
      }
    } catch {
      try? Descriptor.standardError.write("memoir-bench: \(error)\n")
      CurrentProcess.exit(1)
    }
  }

  private static func say(_ text: String) { try? Descriptor.standardError.write("… \(text)\n") }

  static func measure(_ arguments: Arguments) async throws {
    let bench = try Bench(arguments.plan, tell: say)
    try await bench.run()
    let results = bench.results
    let text = TableText(results: results).description + "\n" + results.notes.map { "- \($0)\n" }.joined()
    try Descriptor.standardOutput.write(text)
    if let file = arguments.json {
      try ResultsJSON(results: results, plan: arguments.plan).data().write(to: URL(filePath: file))
    }
    if let file = arguments.readme { try Page(file: file).setFigures(text, plan: arguments.plan) }
    if let folder = arguments.charts {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for chart in Charts(results: results).files {
        try Data(chart.text.utf8).write(to: URL(filePath: folder).appending(path: chart.name))
      }
    }
  }
}

/// The options of a run.
struct Arguments {
  var plan = Plan()
  var json: String?
  var charts: String?
  var readme: String?

  init(_ words: [String]) throws {
    // First, since it sets what the others change.
    if words.contains("--quick") { plan = .quick }
    var rest = words[...]
    while let option = rest.popFirst() {
      if option == "--quick" { continue }
      guard let value = rest.popFirst() else { throw BenchError("\(option) is unknown or needs a value; see --help") }
      func number() throws -> Int {
        guard let number = Int(value), number > 0 else { throw BenchError("\(option) needs a number, not \(value)") }
        return number
      }
      switch option {
      case "--only":
        plan.questions = try value.split(separator: ",").map { name in
          guard let question = Question(rawValue: String(name)) else {
            throw BenchError("\(name) is no question; see --help")
          }
          return question
        }
      case "--events": plan.events = try number()
      case "--users": plan.users = try number()
      case "--rounds": plan.rounds = try number()
      case "--history": plan.historyEvents = try number()
      case "--dialogues": plan.dialogues = value
      case "--folder": plan.folder = value
      case "--json": json = value
      case "--charts": charts = value
      case "--readme": readme = value
      default: throw BenchError("\(option) is unknown; see --help")
      }
    }
  }
}
