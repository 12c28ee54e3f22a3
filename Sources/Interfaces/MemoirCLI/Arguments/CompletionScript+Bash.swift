// The script for bash.

extension CompletionScript {
  var bash: String {
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
