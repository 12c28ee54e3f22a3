// A command line that cannot be understood: which argument, why, and what may have been meant.
import JSON
import Memoir

/// Wrong usage. Exit code 2, `invalid_argument` in JSON.
struct UsageError: Error, Hashable {
  /// The command, where one was understood.
  var command: String?
  /// The option or argument, as it was spelled.
  var field: String?
  var reason: String
  /// What was given.
  var value: String?
  /// What may have been meant.
  var suggestion: String?

  /// On one line, and safe to show.
  var message: String {
    field.map { SafeText.line($0) + ": " + reason } ?? reason
  }
}

extension UsageError: ReportableError {
  var report: ErrorReport {
    let details = [
      ("command", command), ("did_you_mean", suggestion), ("field", field), ("reason", reason),
      ("value", value),
    ]
    var writer = JSONWriter()
    writer.beginObject()
    for case (let name, let text?) in details {
      writer.key(text: name)
      writer.string(text)
    }
    writer.endObject()
    return ErrorReport(
      MemoirError(.invalidArgument, message, details: JSONText(canonical: writer.finish())),
      hints: [
        suggestion.map { "Did you mean \(SafeText.line($0))?" },
        "See 'memoir \(command.map { $0 + " " } ?? "")--help'.",
      ].compactMap(\.self))
  }
}

/// An error that knows how to be shown.
protocol ReportableError: Error {
  var report: ErrorReport { get }
}

/// An error as the program shows it, to people and to programs.
struct ErrorReport {
  let error: MemoirError
  /// Lines below the message: what to try.
  let hints: [String]
  let exitCode: ExitCode

  /// - Parameter exitCode: Where it is not the one of the error's code.
  init(_ error: MemoirError, hints: [String] = [], exitCode: ExitCode? = nil) {
    self.error = error
    self.hints = hints
    self.exitCode = exitCode ?? ExitCode(rawValue: error.code.exitCode) ?? .failed
  }

  /// On one line, and safe to show.
  var message: String { SafeText.line(error.message) }

  /// The whole object `{"error":{…}}`, and the end of its line.
  var json: [UInt8] { ErrorJSON.text(error) + [UInt8(ascii: "\n")] }
}
