// A command line that cannot be understood: which argument, why, and what may have been meant.

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
    var details: [(String, String?)] = []
    details.append(("command", command))
    details.append(("did_you_mean", suggestion))
    details.append(("field", field))
    details.append(("reason", reason))
    details.append(("value", value))
    let members = details.compactMap { name, value in value.map { "\"\(name)\":" + SafeJSON.string($0) } }
    return ErrorReport(
      exitCode: .wrongUsage,
      message: message,
      hints: [
        suggestion.map { "Did you mean \(SafeText.line($0))?" },
        "See 'memoir \(command.map { $0 + " " } ?? "")--help'.",
      ].compactMap(\.self),
      json: #"{"error":{"code":"invalid_argument","details":{"#
        + members.joined(separator: ",") + #"},"message":"# + SafeJSON.string(message) + "}}")
  }
}

/// An error that knows how to be shown.
protocol ReportableError: Error {
  var report: ErrorReport { get }
}

/// An error as the program shows it, to people and to programs.
struct ErrorReport: Hashable, Sendable {
  let exitCode: ExitCode
  /// One line.
  let message: String
  /// Lines below it: what to try.
  var hints: [String] = []
  /// The whole object `{"error":{…}}`, on one line.
  let json: String
}

/// Strings in JSON, for the errors that arise before anything else is there.
enum SafeJSON {
  /// `text` as a JSON string. Control, bidirectional and invisible characters are escaped, too, so that the line can
  /// be shown on a terminal.
  static func string(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": json += #"\""#
      case "\\": json += #"\\"#
      case "\n": json += #"\n"#
      case "\r": json += #"\r"#
      case "\t": json += #"\t"#
      case " "..."~": json.unicodeScalars.append(scalar)
      default: append(scalar, to: &json)
      }
    }
    return json + "\""
  }

  /// A text of JSON with such characters escaped; line breaks between values stay.
  static func escaped(_ text: String) -> String {
    var safe = ""
    for scalar in text.unicodeScalars {
      if scalar == "\n" || " "..."~" ~= scalar {
        safe.unicodeScalars.append(scalar)
      } else {
        append(scalar, to: &safe)
      }
    }
    return safe
  }

  private static func append(_ scalar: Unicode.Scalar, to json: inout String) {
    if SafeText.line(String(scalar)) == String(scalar) { return json.unicodeScalars.append(scalar) }
    for unit in String(scalar).utf16 {
      let digits = String(unit, radix: 16)
      json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }
}
