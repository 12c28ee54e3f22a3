// The program `memoir-bench`: what its arguments ask for.
import Platform

/// The program.
public enum BenchProgram {
  /// Runs it, and ends the process where something was wrong.
  public static func run() async {
    let words = CurrentProcess.arguments.map { String(decoding: $0, as: UTF8.self) }
    do {
      switch words.first {
      case "contestant":
        guard words.count == 2 || words.count == 3 else { throw BenchError("contestant DIR [EVENTS.jsonl]") }
        try await ContestantCommand(folder: words[1], file: words.count > 2 ? words[2] : nil).run()
      default: throw BenchError("unknown: \(words)")
      }
    } catch {
      try? Descriptor.standardError.write("memoir-bench: \(error)\n")
      CurrentProcess.exit(1)
    }
  }
}
