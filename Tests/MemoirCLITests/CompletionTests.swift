// The completion scripts, in the shells they are for.

import Foundation
import Memoir
import Testing

@testable import MemoirCLI

/// Runs `script` in a shell of this machine, and returns the lines it prints.
private func run(_ shell: String, _ script: String) throws -> [String] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  // Without the start-up files of whoever runs the tests.
  let bare = ["bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]][shell] ?? []
  process.arguments = [shell] + bare + ["-c", script]
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  try process.run()
  let bytes = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
}

private func has(_ shell: String) -> Bool {
  ["/bin/", "/usr/bin/", "/usr/local/bin/"].contains {
    FileManager.default.isExecutableFile(atPath: $0 + shell)
  }
}

@Suite struct `Completion in bash` {
  /// What bash offers where `words` are typed and the last is being completed.
  private func offered(_ words: String...) throws -> [String] {
    let quoted = (["memoir"] + words).map { "'\($0)'" }.joined(separator: " ")
    return try run(
      "bash",
      """
      \(CompletionScript(table: .all).text(for: "bash"))
      memoir() { printf '%s\\n' bob "ann lee" "$*"; }
      COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count)
      _memoir memoir
      printf '%s\\n' "${COMPREPLY[@]}"
      """)
  }

  @Test func `commands are offered, but not the hidden ones`() throws {
    #expect(try offered("s") == ["state", "sessions", "stats", "serve", "sweep", "snapshots"])
    #expect(try offered("--json", "--store", "x", "comp") == ["compact", "completion"])
    #expect(try offered("").count == CommandTable.all.shownRows.count)
  }

  @Test func `options of the command and of every command are offered`() throws {
    #expect(try offered("replay", "--no") == ["--no-snapshots"])
    #expect(try offered("state", "bob", "--na") == ["--namespace"])
    #expect(try offered("state", "--reverse") == [])
    #expect(try offered("--j") == ["--json"])
  }

  @Test func `choices are offered where they are wanted`() throws {
    #expect(try offered("replay", "--projector", "pre") == ["preferences"])
    #expect(try offered("replay", "--projector", "=", "pre") == ["preferences"])
    #expect(try offered("replay", "--projector", "=") == BuiltInProjector.allCases.map(\.rawValue))
    #expect(try offered("snapshots", "") == ["rebuild", "clear"])
    #expect(try offered("snapshots", "clear", "") == [])
    #expect(try offered("help", "repl") == ["replay"])
    #expect(try offered("append", "--expected-version", "s") == ["stream_exists"])
  }

  @Test func `users are asked from the store that is meant`() throws {
    #expect(try offered("state", "b") == ["bob"])
    #expect(try offered("state", "ann") == [#"ann\ lee"#])
    #expect(
      try offered("--store", "here", "state", "--json", "") == [
        "bob", #"ann\ lee"#, #"--store\ here\ completion-candidates\ users"#,
      ])
    #expect(try offered("state", "bob", "") == [])
    #expect(try offered("replay", "bob", "b") == ["bob"])
  }

  @Test func `a time with colons is one word`() throws {
    #expect(try offered("state", "--recorded-at", "2026-03-03T14", ":", "00", ":", "00Z", "b") == ["bob"])
  }
}

@Suite(.enabled(if: has("fish"))) struct `Completion in fish` {
  /// What fish offers for a command line with the cursor at its end, without the explanations.
  private func offered(_ line: String) throws -> [String] {
    try run(
      "fish",
      """
      function memoir; printf '%s\\n' bob "ann lee" "$argv"; end
      \(CompletionScript(table: .all).text(for: "fish"))
      complete -C '\(line)'
      """
    ).map { String($0.prefix { $0 != "\t" }) }
  }

  @Test func `commands, options, choices and users are offered`() throws {
    #expect(try Set(offered("memoir s")) == ["state", "sessions", "stats", "snapshots"])
    #expect(try offered("memoir --store x comp") == ["compact", "completion"])
    #expect(try offered("memoir replay --no") == ["--no-snapshots"])
    #expect(try offered("memoir state --rev") == [])
    #expect(try offered("memoir replay --projector pre") == ["preferences"])
    #expect(try offered("memoir replay --projector=pre") == ["--projector=preferences"])
    #expect(try offered("memoir snapshots cl") == ["clear"])
    #expect(try offered("memoir state b") == ["bob"])
    #expect(try offered("memoir state bob b") == [])
    #expect(try offered("memoir replay bob b") == ["bob"])
    #expect(try offered("memoir --store here state --n") == ["--namespace"])
    #expect(
      try offered("memoir --store here state ").contains("--store here completion-candidates users"))
  }
}

@Suite(.enabled(if: has("zsh"))) struct `Completion in zsh` {
  @Test func `the script is one that zsh can read`() throws {
    let script = CompletionScript(table: .all).text(for: "zsh")
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "memoir-\(UUID().uuidString).zsh")
    try script.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    #expect(try run("zsh", "zsh -n \(file.path) && print read") == ["read"])
  }
}

@Suite struct `A completion script` {
  @Test(arguments: CompletionScript.shells) func `is what the command prints`(shell: String) async {
    let terminal = CommandLineUnderTest()
    #expect(await terminal.run("completion", shell) == .done)
    #expect(terminal.output.text.contains("Made by 'memoir completion \(shell)'"))
    #expect(terminal.output.text.hasSuffix("\n"))
  }

  @Test(arguments: CompletionScript.shells) func `knows every option`(shell: String) {
    let script = CompletionScript(table: .all).text(for: shell)
    for spec in CommandTable.all.shownRows.flatMap(\.options) {
      #expect(script.contains(shell == "fish" ? "-l \(spec.name)" : spec.spelled))
    }
  }
}
