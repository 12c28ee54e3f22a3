// Help for the program and for each command, laid out from the table for 80 columns.

/// Writes help.
struct Help {
  let table: CommandTable
  var paint = Paint.none
  var width = 80

  /// Help for `row`, or for the program where there is none.
  func text(for row: CommandRow?) -> String {
    (row.map(command) ?? program()).joined(separator: "\n") + "\n"
  }

  private func program() -> [String] {
    var lines = paragraph(
      "memoir: an event-sourced memory for AI assistants. One log of everything said and learned; every view of it can be rebuilt, and asked for as it was at any earlier point."
    )
    lines += [""] + usage("memoir", ["[--store DIR]", "[--namespace NS]", "[--json]", "COMMAND", "…"])
    let column = columnWidth(table.shownRows.map(\.name))
    for section in CommandSection.allCases {
      let rows = table.shownRows.filter { $0.section == section }
      if rows.isEmpty { continue }
      lines += heading(section.rawValue)
      lines += rows.flatMap { definition($0.name, $0.summary, column: column) }
    }
    lines += options("Options, before or after the command", GlobalOptions.specs)
    lines += heading("Exit codes")
    lines += ExitCode.allCases.flatMap { definition(String($0.rawValue), $0.meaning, column: 5) }
    lines += [""] + paragraph("'memoir COMMAND --help' tells more about a command.")
    return lines
  }

  private func command(_ row: CommandRow) -> [String] {
    var lines = paragraph("memoir \(row.name): \(row.summary)")
    lines += [""] + usage("memoir " + row.name, row.arguments.map(\.usage))
    for text in paragraphs(row.discussion) { lines += [""] + paragraph(text) }
    if !row.positionals.isEmpty {
      let column = columnWidth(row.positionals.map(\.name))
      lines += heading("Arguments")
      lines += row.positionals.flatMap { definition($0.name, about($0), column: column) }
    }
    let grouped = Set(row.groups.flatMap { $0.specs.map(\.spelled) })
    lines += options("Options", row.options.filter { !grouped.contains($0.spelled) })
    for group in row.groups {
      lines += options("\(group.name): \(group.help)", group.specs)
    }
    lines += options("Options of every command", row.globalOptions.filter { $0.name != "version" })
    if !row.examples.isEmpty {
      lines += heading("Examples")
      for example in row.examples {
        lines.append("  " + StyledText(example.line, .accent).rendered(by: paint))
        lines += Wrapping.lines(example.meaning, width: width, first: "      ", rest: "      ")
      }
    }
    lines += heading("Exit codes")
    lines += definition("0", ExitCode.done.meaning, column: 5)
    lines += row.exitCodes.flatMap { definition(String($0.code.rawValue), $0.meaning, column: 5) }
    return lines
  }

  private func usage(_ name: String, _ arguments: [String]) -> [String] {
    let start = "Usage: " + name + (arguments.isEmpty ? "" : " ")
    // A long command name would leave no room beside it.
    let indent = String(repeating: " ", count: min(DisplayWidth.of(start), 24))
    return Wrapping.flow(arguments, width: width, first: start, rest: indent)
  }

  private func options(_ title: String, _ specs: [ArgumentSpec]) -> [String] {
    if specs.isEmpty { return [] }
    let terms = specs.map { ($0.short.map { "-\($0), " } ?? "    ") + $0.term }
    let column = columnWidth(terms)
    return heading(title)
      + zip(terms, specs).flatMap { term, spec in definition(term, about(spec), column: column) }
  }

  /// What help says of an argument: its text, and what the table knows besides.
  private func about(_ spec: ArgumentSpec) -> String {
    var text = spec.help
    if case .choices(let words) = spec.candidates, spec.placeholder != words.joined(separator: "|") {
      text += " One of " + words.joined(separator: ", ") + "."
    }
    if let value = spec.defaultText { text += " Default: \(value)." }
    if spec.isRepeatable && spec.form == .option { text += " Can be repeated." }
    if spec.isRequired && spec.form == .option { text += " Required." }
    return text
  }

  private func heading(_ title: String) -> [String] {
    ["", StyledText(title + ":", .bold).rendered(by: paint)]
  }

  private func definition(_ term: String, _ meaning: String, column: Int) -> [String] {
    let indent = String(repeating: " ", count: column)
    let start = "  " + term
    if DisplayWidth.of(start) + 2 <= column {
      return Wrapping.lines(
        meaning, width: width, first: start.padded(to: column), rest: indent, cuttingWords: false)
    }
    return [start] + Wrapping.lines(meaning, width: width, first: indent, rest: indent, cuttingWords: false)
  }

  /// Where the meanings begin: two columns past the longest term that is not too long.
  private func columnWidth(_ terms: [String]) -> Int {
    let longest = terms.map(DisplayWidth.of).filter { $0 <= 26 }.max() ?? 26
    return 2 + longest + 2
  }

  private func paragraph(_ text: String) -> [String] {
    Wrapping.lines(text.split(separator: "\n").joined(separator: " "), width: width, cuttingWords: false)
  }

  private func paragraphs(_ text: String) -> [String] {
    var found: [[Substring]] = [[]]
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty { found.append([]) } else { found[found.count - 1].append(line) }
    }
    return found.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
  }
}
