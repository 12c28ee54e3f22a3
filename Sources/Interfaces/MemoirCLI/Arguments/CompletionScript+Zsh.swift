// The script for zsh.

extension CompletionScript {
  var zsh: String {
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
