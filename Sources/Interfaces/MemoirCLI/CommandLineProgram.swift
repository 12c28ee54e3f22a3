// From the process to the program and back: its streams, its words, its exit.
import Memoir
import Platform

/// The program `memoir` as a process.
package enum CommandLineProgram {
  /// Runs the command line of this process, and ends it.
  package static func run() async -> Never {
    CurrentProcess.restrictNewFiles()
    CurrentProcess.ignoreBrokenPipes()
    let environment: @Sendable (String) -> String? = { CurrentProcess.environment($0) }
    let output = DescriptorSink(.standardOutput)
    let errors = DescriptorSink(.standardError, isBuffered: false)
    let context = CommandContext(
      output: output.console(environment: environment), errors: errors.console(environment: environment),
      environment: environment, now: { Timestamp(clamping: WallClock.microseconds) })
    let program = Program(commands: CommandTable.commands)
    let code: ExitCode
    do {
      code = await program.run(try words(), in: context)
    } catch {
      code = program.show(error, asJSON: CurrentProcess.arguments.contains(Array("--json".utf8)), in: context)
    }
    CurrentProcess.exit(code.rawValue)
  }

  /// The words of the command line.
  ///
  /// - Throws: ``UsageError`` that names the first one that is no UTF-8: repaired, it would name something else.
  private static func words() throws(UsageError) -> [String] {
    var words: [String] = []
    for (index, bytes) in CurrentProcess.arguments.enumerated() {
      guard let word = String(validating: bytes, as: UTF8.self) else {
        throw UsageError(
          field: "argument \(index + 1)",
          reason: "\(SafeText.quoted(String(decoding: bytes, as: UTF8.self))) is not valid UTF-8")
      }
      words.append(word)
    }
    return words
  }
}
