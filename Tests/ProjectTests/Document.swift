// A page of Markdown, and the blocks of code in it.
import Foundation

struct Document: CustomStringConvertible {
  struct Block {
    /// What stands behind the opening fence.
    var language: String
    var lines: [Substring]
    /// Of the opening fence.
    var line: Int

    var text: String { lines.joined(separator: "\n") }
  }

  var path: String
  var text: String

  var description: String { path }

  init(_ path: String) throws {
    self.path = path
    text = try Project.text(path)
  }

  /// The READMEs and all guides.
  static func all() throws -> [Document] {
    let guides = Project.files(below: "Sources/Memoir/Memoir.docc", ending: ".md")
    return try (["README.md", "Benchmarks/README.md", "Fixtures/README.md"] + guides).map { path in try Document(path) }
  }

  var blocks: [Block] {
    var blocks: [Block] = []
    var open: Block?
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard line.hasPrefix("```") else {
        open?.lines.append(line)
        continue
      }
      if let block = open {
        blocks.append(block)
        open = nil
      } else {
        open = Block(language: String(line.dropFirst(3)), lines: [], line: index + 1)
      }
    }
    return blocks
  }

  /// What links and images point to, web addresses left out.
  var links: [String] {
    text.matches(of: /\]\(([^)#]+)[^)]*\)/).map { String($0.1) }.filter { !$0.contains("://") }
  }
}

/// Code of a snippet file between `// snippet` and `// end`, so that what pages show is what compiles and runs.
enum Snippets {
  static func all() throws -> Set<String> {
    var found: Set<String> = []
    for file in try Project.sources(below: "Tests/ProjectTests/Snippets") {
      var open: [Substring]?
      for line in file.lines {
        switch line.trimmingCharacters(in: .whitespaces) {
        case "// snippet": open = []
        case "// end":
          if let lines = open { found.insert(unindented(lines)) }
          open = nil
        default: open?.append(line)
        }
      }
    }
    return found
  }

  /// The lines without what all of them begin with.
  static func unindented(_ lines: [Substring]) -> String {
    let depth = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    return lines.map { String($0.dropFirst(depth)) }.joined(separator: "\n")
  }
}

/// A command shown with what it prints: `$ command`, then its output. `…` stands for anything within a line, and a
/// line of it alone for any lines.
struct Transcript {
  var command: String
  var expected: [Substring]

  static func all(in block: Document.Block) -> [Transcript] {
    var transcripts: [Transcript] = []
    for line in block.lines {
      if line.hasPrefix("$ ") {
        transcripts.append(Transcript(command: String(line.dropFirst(2)), expected: []))
      } else if let last = transcripts.indices.last {
        if transcripts[last].command.hasSuffix("\\") {
          transcripts[last].command += "\n" + line
        } else {
          transcripts[last].expected.append(line)
        }
      }
    }
    return transcripts
  }

  func isMet(by output: String) -> Bool {
    var lines = output.split(separator: "\n", omittingEmptySubsequences: false)[...]
    while lines.last?.isEmpty == true { lines.removeLast() }
    return Self.matches(expected[...], lines)
  }

  private static func matches(_ expected: ArraySlice<Substring>, _ lines: ArraySlice<Substring>) -> Bool {
    guard let first = expected.first else { return lines.isEmpty }
    if first.allSatisfy({ $0 == "…" || $0 == " " }), first.contains("…") {
      for skipped in 0...lines.count where matches(expected.dropFirst(), lines.dropFirst(skipped)) {
        return true
      }
      return false
    }
    guard let line = lines.first, matches(first, line) else { return false }
    return matches(expected.dropFirst(), lines.dropFirst())
  }

  private static func matches(_ pattern: Substring, _ line: Substring) -> Bool {
    let parts = pattern.split(separator: "…", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return pattern == line }
    guard line.hasPrefix(parts[0]), line.hasSuffix(parts[parts.count - 1]) else { return false }
    var rest = line.dropFirst(parts[0].count)
    for part in parts.dropFirst() where !part.isEmpty {
      guard let found = rest.range(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return true
  }
}
