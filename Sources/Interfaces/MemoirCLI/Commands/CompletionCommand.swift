// `memoir completion`: the script by which a shell completes commands, options and values.

enum CompletionCommand: Command {
  static let shell = Argument.positional(
    .choice("SHELL", of: CompletionScript.shells), called: "SHELL", help: "The shell.")

  static let row = CommandRow(
    name: "completion",
    summary: "Print a completion script for bash, zsh or fish",
    section: .help,
    discussion: """
      The script completes commands, options, choices and file names by itself, and asks the store for the
      users where a command wants one.

      bash: put "source <(memoir completion bash)" into ~/.bashrc. zsh: write the script to a file named
      _memoir in a folder of $fpath. fish: write it to ~/.config/fish/completions/memoir.fish.
      """,
    arguments: [shell],
    examples: [
      CommandExample("source <(memoir completion bash)", "Complete in this shell, now."),
      CommandExample(
        "memoir completion fish > ~/.config/fish/completions/memoir.fish",
        "Complete in every fish from now on."),
    ],
    exitCodes: [ExitMeaning(.wrongUsage, "there is no script for this shell")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try context.output.write(CompletionScript(table: context.table).text(for: arguments[shell]))
    return .done
  }
}
