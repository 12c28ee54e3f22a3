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
  private var valued: [String] {
    let specs = GlobalOptions.specs + table.shownRows.flatMap(\.options)
    let names = specs.filter { $0.form == .option }.flatMap(\.spellings)
    return Set(names).sorted()
  }

  /// The words to offer for `spec`, where they are known beforehand.
  private func choices(of spec: ArgumentSpec) -> [String] {
    switch spec.candidates {
    case .choices(let words), .common(let words): words
    case .commands: table.shownRows.map(\.name)
    default: []
    }
  }
}

extension ArgumentSpec {
  /// `--limit` and `-n`.
  fileprivate var spellings: [String] { [spelled] + (short.map { ["-\($0)"] } ?? []) }
}

// MARK: bash

extension CompletionScript {
  private var bash: String {
    """
    # Completion of memoir for bash. Made by 'memoir completion bash'.

    # Offers the words given that begin with what is typed.
    _memoir_offer() {
      local IFS=$'\\n' word
      for word in "$@"; do
        [[ $word == "$current"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
      done
    }

    _memoir_offer_files() {
      local IFS=$'\\n'
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen "$1" -- "$current"))
    }

    _memoir_offer_users() {
      local users
      users=$("$program" "${globals[@]}" completion-candidates users 2>/dev/null) || return
      local IFS=$'\\n'
      set -f
      _memoir_offer $users
      set +f
    }

    _memoir_takes_value() {
      case $1 in
        \(valued.joined(separator: "|"))) return 0 ;;
      esac
      return 1
    }

    _memoir() {
      local program=$1 current="" command="" option="" word place=0 ended="" i last
      local -a words=() globals=()
      COMPREPLY=()

      # The shell splits words at colons; those of an id or a time belong together.
      for ((i = 1; i <= COMP_CWORD; i++)); do
        last=$((${#words[@]} - 1))
        word=${COMP_WORDS[i]}
        if ((last >= 0)) && [[ $word == :* || ${words[last]} == *: ]]; then
          words[last]+=$word
        else
          words+=("$word")
        fi
      done
      last=$((${#words[@]} - 1))
      current=${words[last]}
      [[ $current == "=" ]] && current=""

      for ((i = 0; i < last; i++)); do
        word=${words[i]}
        if [[ $option ]]; then
          [[ $word == "=" ]] && continue
          [[ $option == --store || $option == --namespace ]] && globals+=("$option" "$word")
          option=""
        elif [[ ! $ended && $word == -- ]]; then
          ended=yes
        elif [[ ! $ended && $word == -?* ]]; then
          [[ $word == --store=* || $word == --namespace=* ]] && globals+=("$word")
          _memoir_takes_value "$word" && option=$word
        elif [[ ! $command ]]; then
          command=$word
        else
          place=$((place + 1))
        fi
      done

      if [[ $option ]]; then
        case "$command:$option" in
    \(bashValueCases)
        esac
      elif [[ ! $ended && $current == -* ]]; then
        case $command in
    \(bashOptionCases)
        esac
      elif [[ ! $command ]]; then
        _memoir_offer \(table.shownRows.map(\.name).joined(separator: " "))
      else
        case "$command:$place" in
    \(bashPlaceCases)
        esac
      fi

      # Only what follows the last colon is the shell's word.
      if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local typed=${current%"${current##*:}"}
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$typed"}; done
      fi
    }

    complete -F _memoir memoir

    """
  }

  private func bashAction(_ spec: ArgumentSpec) -> String? {
    switch spec.candidates {
    case .none: nil
    case .choices, .common, .commands: "_memoir_offer " + choices(of: spec).joined(separator: " ")
    case .files: "_memoir_offer_files -f"
    case .directories: "_memoir_offer_files -d"
    case .users: "_memoir_offer_users"
    }
  }

  private var bashValueCases: String {
    var cases: [String] = []
    for spec in GlobalOptions.specs where spec.form == .option {
      if let action = bashAction(spec) { cases.append("      *:\(spec.spelled)) \(action) ;;") }
    }
    for row in table.shownRows {
      for spec in row.options where spec.form == .option {
        guard let action = bashAction(spec) else { continue }
        cases.append(
          "      \(spec.spellings.map { "\(row.name):\($0)" }.joined(separator: "|"))) \(action) ;;")
      }
    }
    return cases.joined(separator: "\n")
  }

  private var bashOptionCases: String {
    let globals = GlobalOptions.specs.map(\.spelled).joined(separator: " ")
    var cases = table.shownRows.filter { !$0.options.isEmpty }.map { row in
      "      \(row.name)) _memoir_offer \(row.options.map(\.spelled).joined(separator: " ")) \(globals) ;;"
    }
    cases.append("      *) _memoir_offer \(globals) ;;")
    return cases.joined(separator: "\n")
  }

  private var bashPlaceCases: String {
    table.shownRows.flatMap { row in
      row.positionals.enumerated().compactMap { place, spec in
        bashAction(spec).map { "      \(row.name):\(spec.isRepeatable ? "*" : String(place))) \($0) ;;" }
      }
    }.joined(separator: "\n")
  }
}

// MARK: zsh

extension CompletionScript {
  private var zsh: String {
    let globals = GlobalOptions.specs.flatMap { zshOptions($0, excluding: []) }
    return """
      #compdef memoir
      # Completion of memoir for zsh. Made by 'memoir completion zsh'.

      _memoir_users() {
        local option
        local -a users given
        for option in --store --namespace; do
          if (( ${+opt_args[$option]} )); then
            given+=($option ${(Q)opt_args[$option]})
          elif (( ${+before[$option]} )); then
            given+=($option ${(Q)before[$option]})
          fi
        done
        users=(${(f)"$(_call_program users memoir ${(q)given} completion-candidates users 2>/dev/null)"})
        compadd -a -- users
      }

      _memoir_commands() {
        local -a commands
        commands=(
      \(table.shownRows.map { "    \(quoted($0.name + ":" + $0.summary))" }.joined(separator: "\n"))
        )
        _describe -t commands 'command' commands
      }

      _memoir() {
        local curcontext=$curcontext state line
        local -A opt_args before
        local -a globals
        globals=(
      \(globals.map { "    " + $0 }.joined(separator: "\n"))
        )

        _arguments -C -A '-*' $globals '1:command:_memoir_commands' '*::argument:->arguments' && return 0
        [[ $state == arguments ]] || return 1
        # What stands before the command; the next call overwrites it.
        before=("${(@kv)opt_args}")
        curcontext="${curcontext%:*}-$words[1]:"
        case $words[1] in
      \(table.shownRows.map(zshCase).joined(separator: "\n"))
        esac
      }

      if [[ $funcstack[1] == _memoir ]]; then
        _memoir "$@"
      else
        compdef _memoir memoir
      fi

      """
  }

  private func zshCase(_ row: CommandRow) -> String {
    var specs = row.options.flatMap { spec in
      let group = row.groups.first { $0.specs.contains { $0.spelled == spec.spelled } }
      return zshOptions(spec, excluding: (group?.specs.map(\.spelled) ?? []) + spec.excludes)
    }
    for (place, spec) in row.positionals.enumerated() {
      let start = spec.isRepeatable ? "*" : spec.isRequired ? "\(place + 1)" : "\(place + 1):"
      specs.append(quoted("\(start):\(zshText(spec.name)):\(zshAction(spec))"))
    }
    let lines = (["$globals"] + specs).map { "        \($0)" }
    return "    \(row.name))\n      _arguments -S \\\n" + lines.joined(separator: " \\\n") + "\n      ;;"
  }

  private func zshOptions(_ spec: ArgumentSpec, excluding others: [String]) -> [String] {
    spec.spellings.map { spelling in
      let excluded = (spec.isRepeatable ? [] : spec.spellings) + others.filter { $0 != spec.spelled }
      let start = spec.isRepeatable ? "*" : "(" + excluded.joined(separator: " ") + ")"
      let equals = spec.form == .option ? (spelling.count == 2 ? "+" : "=") : ""
      let value = spec.form == .option ? ":\(zshText(spec.placeholder)):\(zshAction(spec))" : ""
      return quoted("\(start)\(spelling)\(equals)[\(zshText(spec.help))]\(value)")
    }
  }

  private func zshAction(_ spec: ArgumentSpec) -> String {
    switch spec.candidates {
    case .none: " "
    case .choices, .common: "(" + choices(of: spec).joined(separator: " ") + ")"
    case .commands: "_memoir_commands"
    case .files: "_files"
    case .directories: "_files -/"
    case .users: "_memoir_users"
    }
  }

  private func zshText(_ text: String) -> String {
    var escaped = ""
    for character in text {
      if "\\[]:".contains(character) { escaped.append("\\") }
      escaped.append(character)
    }
    return escaped
  }

  private func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}

// MARK: fish

extension CompletionScript {
  private var fish: String {
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
