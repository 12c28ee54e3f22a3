// Reads a command line by the table: options in GNU style, anywhere among the other arguments.

/// What a command line asks for.
enum Invocation: Sendable {
  case run(ParsedArguments)
  /// Help of a command, or of the program.
  case help(CommandRow?)
  case version
}

/// Understands command lines.
///
/// `--limit 5` and `--limit=5`, `-n 5` and `-n5`, `-fn5` for a flag and an option; `--` ends the options. What
/// begins with a dash is a value only where it is `-` alone, a negative number, or stands after `=`. Global options
/// stand before or after the command, its own options after it. Nothing is abbreviated, so that a new option never
/// changes what an old script means.
struct ArgumentParser {
  let table: CommandTable

  /// Reads `words`, the command line without the program's name.
  ///
  /// `--help` anywhere before `--` wins over whatever else may be wrong.
  func parse(_ words: [String]) throws(UsageError) -> Invocation {
    if asksForHelp(words) { return .help(try commandAskedAbout(words)) }
    var reading = Reading(table: table, words: words)
    try reading.readAll()
    return try reading.finish()
  }

  /// Whether errors are wanted as JSON, known even where the rest cannot be understood.
  static func asksForJSON(_ words: [String]) -> Bool {
    words.prefix { $0 != "--" }.contains("--json")
  }

  private func asksForHelp(_ words: [String]) -> Bool {
    words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
  }

  /// The command that `--help` is about: the first word that is no option nor a global option's value.
  private func commandAskedAbout(_ words: [String]) throws(UsageError) -> CommandRow? {
    var isValue = false
    for word in words {
      if word == "--" { break }
      if isValue {
        isValue = false
      } else if !Reading.isOption(word) {
        return try table.command(named: word)
      } else {
        isValue = GlobalOptions.specs.contains { $0.form == .option && $0.spelled == word }
      }
    }
    return nil
  }
}

extension CommandTable {
  /// - Throws: ``UsageError`` with the nearest name, where there is no such command.
  func command(named name: String) throws(UsageError) -> CommandRow {
    if let row = row(named: name) { return row }
    throw UsageError(
      reason: "there is no command \(SafeText.quoted(name))", value: name,
      suggestion: Suggestion.nearest(to: name, among: shownRows.map(\.name)))
  }
}

/// A command line on its way from words to values.
private struct Reading {
  let table: CommandTable
  let words: [String]
  var next = 0
  var command: CommandRow?
  var values: [String: [any Sendable]] = [:]
  var positionals: [String] = []

  init(table: CommandTable, words: [String]) {
    self.table = table
    self.words = words
  }

  static func isOption(_ word: String) -> Bool {
    word.utf8.first == UInt8(ascii: "-") && word.utf8.count > 1 && !isNegativeNumber(word)
  }

  private static func isNegativeNumber(_ word: String) -> Bool {
    let digits = word.utf8.dropFirst()
    return digits.first == UInt8(ascii: ".") && digits.count > 1
      || digits.first.map { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ?? false
  }

  mutating func readAll() throws(UsageError) {
    var isEnded = false
    while next < words.count {
      let word = words[next]
      next += 1
      if isEnded || !Self.isOption(word) {
        try readWord(word)
      } else if word == "--" {
        isEnded = true
      } else if word.utf8.starts(with: "--".utf8) {
        try readLong(word)
      } else {
        try readShort(word)
      }
    }
  }

  private mutating func readWord(_ word: String) throws(UsageError) {
    if command == nil {
      command = try table.command(named: word)
    } else {
      positionals.append(word)
    }
  }

  private mutating func readLong(_ word: String) throws(UsageError) {
    let equals = word.utf8.firstIndex(of: UInt8(ascii: "="))
    let name = String(word[..<(equals ?? word.endIndex)])
    guard let spec = optionSpecs.first(where: { $0.spelled == name }) else { throw unknownOption(name) }
    let attached = equals.map { String(word[word.utf8.index(after: $0)...]) }
    if spec.form == .flag {
      if let attached { throw error(name, "takes no value", value: attached) }
      try store("", for: spec, as: name)
    } else {
      // Not `??`: its right side forgets which error it throws.
      let text = if let attached { attached } else { try separateValue(of: spec, as: name) }
      try store(text, for: spec, as: name)
    }
  }

  /// `-n5`, `-n 5`, or several flags behind one dash.
  private mutating func readShort(_ word: String) throws(UsageError) {
    var letters = word.dropFirst()
    while let letter = letters.popFirst() {
      let name = "-" + String(letter)
      guard let spec = optionSpecs.first(where: { $0.short == letter }) else {
        throw unknownOption(name, in: word)
      }
      if spec.form == .flag {
        try store("", for: spec, as: name)
        continue
      }
      if letters.first == "=" { letters.removeFirst() }
      try store(
        letters.isEmpty ? try separateValue(of: spec, as: name) : String(letters), for: spec, as: name)
      return
    }
  }

  private mutating func separateValue(of spec: ArgumentSpec, as name: String) throws(UsageError) -> String {
    guard next < words.count else { throw error(name, "needs a value, \(spec.placeholder)") }
    let word = words[next]
    if Self.isOption(word) {
      let hint = name.utf8.starts(with: "--".utf8) ? name + "=" : name
      throw error(
        name,
        "needs a value, \(spec.placeholder); one that begins with a dash is written \(hint)\(SafeText.line(word))"
      )
    }
    next += 1
    return word
  }

  private mutating func store(_ text: String, for spec: ArgumentSpec, as name: String) throws(UsageError) {
    if values[spec.spelled] != nil && !spec.isRepeatable {
      // A flag given twice says the same twice; of two values it is not known which is meant.
      if spec.form == .flag { return }
      throw error(name, "is given twice", value: text)
    }
    do {
      values[spec.spelled, default: []].append(try spec.read(text))
    } catch {
      throw self.error(name, error.reason, value: text, suggestion: error.suggestion)
    }
  }

  private var optionSpecs: [ArgumentSpec] { (command?.options ?? []) + GlobalOptions.specs }

  mutating func finish() throws(UsageError) -> Invocation {
    if values[GlobalOptions.version.spec.spelled] != nil { return .version }
    guard let command else { throw UsageError(reason: "no command is given") }
    try assignPositionals(of: command)
    for spec in command.specs where spec.isRequired && values[spec.spelled] == nil {
      throw error(spec.spelled, "is missing")
    }
    try checkCompany(in: command)
    return .run(ParsedArguments(row: command, values: values))
  }

  private mutating func assignPositionals(of command: CommandRow) throws(UsageError) {
    var rest = positionals[...]
    for spec in command.positionals {
      repeat {
        guard let text = rest.popFirst() else { break }
        try store(text, for: spec, as: spec.name)
      } while spec.isRepeatable
    }
    if let extra = rest.first {
      let count = command.positionals.count
      let taken = count == 0 ? "no arguments" : count == 1 ? "one argument" : "\(count) arguments"
      throw UsageError(
        command: command.name,
        reason: "\(SafeText.quoted(extra)) is too much: \(command.name) takes \(taken)",
        value: extra)
    }
  }

  /// Arguments that need or exclude others.
  private func checkCompany(in command: CommandRow) throws(UsageError) {
    for spec in command.specs where values[spec.spelled] != nil {
      if let missing = spec.needs.first(where: { values[$0] == nil }) {
        throw error(spec.spelled, "needs \(missing)")
      }
      if let other = spec.excludes.first(where: { values[$0] != nil }) {
        throw error(spec.spelled, "cannot stand beside \(other)")
      }
    }
    for group in command.groups {
      let given = group.specs.filter { values[$0.spelled] != nil }
      if given.count > 1 {
        let all = group.specs.map(\.spelled).joined(separator: ", ")
        throw error(
          given[1].spelled, "cannot stand beside \(given[0].spelled): \(group.name) is one of \(all)")
      }
    }
  }

  private func error(
    _ field: String, _ reason: String, value: String? = nil, suggestion: String? = nil
  ) -> UsageError {
    UsageError(command: command?.name, field: field, reason: reason, value: value, suggestion: suggestion)
  }

  private func unknownOption(_ name: String, in word: String? = nil) -> UsageError {
    let known = optionSpecs.map(\.spelled)
    if let command {
      return error(
        name, "\(command.name) has no such option", value: word == name ? nil : word,
        suggestion: Suggestion.nearest(to: name, among: known))
    }
    let owner = table.shownRows.first { $0.options.contains { $0.spelled == name } }
    return error(
      name, owner == nil ? "there is no such option" : "is an option of a command and stands after it",
      suggestion: owner == nil ? Suggestion.nearest(to: name, among: known) : nil)
  }
}
