// Completion for bash, zsh and fish, written from the table.

/// Writes the script by which a shell completes `memoir`.
struct CompletionScript {
  static let shells = ["bash", "zsh", "fish"]

  let table: CommandTable

  /// - Precondition: `shell` is one of ``shells``.
  func text(for shell: String) -> String {
    switch shell {
    case "bash": bash
    case "zsh": zsh
    case "fish": fish
    default: preconditionFailure("no completion for \(shell)")
    }
  }

  /// The options that take a value, so that a script can tell values from arguments. The same in all commands.
  var valued: [String] {
    let specs = GlobalOptions.specs + table.shownRows.flatMap(\.options)
    let names = specs.filter { $0.form == .option }.flatMap(\.spellings)
    return Set(names).sorted()
  }

  /// The words to offer for `spec`, where they are known beforehand.
  func choices(of spec: ArgumentSpec) -> [String] {
    switch spec.candidates {
    case .choices(let words), .common(let words): words
    case .commands: table.shownRows.map(\.name)
    default: []
    }
  }
}

extension ArgumentSpec {
  /// `--limit` and `-n`.
  var spellings: [String] { [spelled] + (short.map { ["-\($0)"] } ?? []) }
}
