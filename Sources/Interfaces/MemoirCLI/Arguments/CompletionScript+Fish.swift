// The script for fish.

extension CompletionScript {
  var fish: String {
    """
    # Completion of memoir for fish. Made by 'memoir completion fish'.

    # Prints the arguments so far, without options and their values: the command first.
    function __memoir_arguments
        set -l option ''
        set -l ended ''
        for word in (commandline -opc)[2..-1]
            if test -n "$option"
                set option ''
            else if test -z "$ended"; and test "$word" = --
                set ended yes
            else if test -z "$ended"; and contains -- "$word" \(valued.joined(separator: " "))
                set option "$word"
            else if test -z "$ended"; and string match -qr '^-.' -- "$word"
                continue
            else
                echo "$word"
            end
        end
    end

    # Whether the command is the one given and, with a second word, as many arguments follow it.
    function __memoir_at
        set -l arguments (__memoir_arguments)
        test (count $arguments) -gt 0; or return 1
        test "$arguments[1]" = "$argv[1]"; or return 1
        test (count $argv) -eq 1; or test (count $arguments) -eq (math $argv[2] + 1)
    end

    function __memoir_users
        set -l given
        set -l words (commandline -opc)[2..-1]
        for i in (seq (count $words))
            switch "$words[$i]"
                case --store --namespace
                    set -a given $words[$i] $words[(math $i + 1)]
                case '--store=*' '--namespace=*'
                    set -a given $words[$i]
            end
        end
        memoir $given completion-candidates users 2>/dev/null
    end

    complete -c memoir -f
    \(GlobalOptions.specs.map { fishOption($0, condition: nil) }.joined(separator: "\n"))
    \(table.shownRows.map(fishCommand).joined(separator: "\n"))

    """
  }

  private func fishCommand(_ row: CommandRow) -> String {
    var lines = [
      "complete -c memoir -n 'test (count (__memoir_arguments)) -eq 0' -a \(row.name) -d \(fishQuoted(row.summary))"
    ]
    for (place, spec) in row.positionals.enumerated() {
      guard let action = fishAction(spec) else { continue }
      let condition = "__memoir_at \(row.name)" + (spec.isRepeatable ? "" : " \(place)")
      lines.append("complete -c memoir -n '\(condition)' \(action)")
    }
    lines += row.options.map { fishOption($0, condition: "__memoir_at \(row.name)") }
    return lines.joined(separator: "\n")
  }

  private func fishOption(_ spec: ArgumentSpec, condition: String?) -> String {
    var line = "complete -c memoir"
    if let condition { line += " -n '\(condition)'" }
    if let short = spec.short { line += " -s \(short)" }
    line += " -l \(spec.name)"
    if spec.form == .option {
      let action = fishAction(spec)
      line += spec.candidates == .files ? " -r" : " -x"
      if let action { line += " " + action }
    }
    return line + " -d " + fishQuoted(spec.help)
  }

  private func fishAction(_ spec: ArgumentSpec) -> String? {
    switch spec.candidates {
    case .none: nil
    case .choices, .common, .commands: "-a " + fishQuoted(choices(of: spec).joined(separator: " "))
    case .files: "-F"
    case .directories: "-a '(__fish_complete_directories)'"
    case .users: "-a '(__memoir_users)'"
    }
  }

  private func fishQuoted(_ text: String) -> String {
    var escaped = ""
    for character in text {
      if character == "'" || character == "\\" { escaped.append("\\") }
      escaped.append(character)
    }
    return "'" + escaped + "'"
  }
}
