// The arguments that say what a memory is, shared by the commands about memories.
import JSON
import Memoir

extension ArgumentKind where Value == Fraction {
  /// A number from 0 to 1.
  static var fraction: Self {
    .domain("X") { text throws(InvalidValue) in try Fraction(text: text) }
  }
}

extension ArgumentKind where Value == FactID {
  static var factID: Self {
    .domain("FACT-ID") { text throws(InvalidValue) in try FactID(text) }
  }
}

extension ArgumentKind where Value == JSONText {
  /// A JSON object.
  static var object: Self {
    Self("JSON") { text throws(ArgumentProblem) in
      do throws(JSONError) {
        let json = try JSONText(parsing: text)
        if json.kind == .object { return json }
      } catch {
        throw ArgumentProblem("is no JSON: \(error)")
      }
      throw ArgumentProblem("must be a JSON object")
    }
  }
}

extension ArgumentKind where Value == String {
  /// A word for a memory, known or the application's own.
  static var category: Self {
    Self("C", candidates: .common(FactCategory.known)) { text throws(ArgumentProblem) in text }
  }

  /// The name of an agent, as an event's metadata keeps it.
  static var agent: Self {
    Self("NAME") { text throws(ArgumentProblem) in
      if text.utf8.count <= Limits.labelSize { return text }
      throw ArgumentProblem("is \(text.utf8.count) bytes long; at most \(Limits.labelSize) are allowed")
    }
  }
}

/// The arguments of memories.
enum MemoryArguments {
  static let agent = Argument.option(
    "agent", .agent, help: "Who says so; kept in the event's metadata.")
  static let factID = Argument.positional(.factID, help: "The memory's id, as 'memories' shows it.")
}
