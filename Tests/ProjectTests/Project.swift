// The tree that these tests look at: its files, and what Package.swift says of its targets.
import Foundation

/// A target as Package.swift declares it.
struct DeclaredTarget {
  var name: String
  var imports: Set<String>
  var folder: String
}

/// A Swift file of the tree.
struct SourceFile: CustomStringConvertible {
  /// From the root.
  var path: String
  var text: String

  var description: String { path }
  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  /// The modules that it imports.
  var imports: [String] {
    lines.filter { $0.contains("import ") }.compactMap { line in
      let pattern =
        /^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
      return line.firstMatch(of: pattern).map { String($0.1) }
    }
  }

  /// Its lines without comments and without what stands in quotes.
  var code: [(number: Int, text: String)] {
    var isInText = false
    return lines.enumerated().compactMap { index, line in
      // The quotes of a text of several lines stand at the ends of its lines.
      let isQuote = line.contains("\"\"\"")
      if isQuote { isInText.toggle() }
      if isInText || isQuote { return nil }
      guard line.contains("\"") || line.contains("//") else { return (index + 1, String(line)) }
      let bare = line.replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"").replacing(/\/\/.*/, with: "")
      return (index + 1, String(bare))
    }
  }
}

/// The tree as it is on disk.
enum Project {
  static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: path).path)
  }

  /// The paths of the files below a folder whose names end so.
  static func files(below folder: String, ending suffix: String) -> [String] {
    let base = root.appending(path: folder)
    guard let found = FileManager.default.enumerator(atPath: base.path) else { return [] }
    return found.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) }.map { "\(folder)/\($0)" }
      .sorted()
  }

  static func sources(below folder: String) throws -> [SourceFile] {
    try files(below: folder, ending: ".swift").map { SourceFile(path: $0, text: try text($0)) }
  }

  /// The targets of Package.swift with the folders they are in, read from its text.
  static func targets() throws -> [DeclaredTarget] {
    // Everything about a target stands between the brackets that follow its kind.
    let manifest = try text("Package.swift")
    guard let start = manifest.range(of: "  targets: [") else { return [] }
    let list = manifest[start.upperBound...]
    return list.matches(
      of: /(\.systemLibrary|\.target|\.executableTarget|\.testTarget|library|tests)\(\s*(?:name: )?"(\w+)"/
    ).map { match in
      let end =
        list[match.range.upperBound...].firstMatch(of: /\n    [^ ]/)?.range.lowerBound ?? list.endIndex
      let rest = list[match.range.upperBound..<end]
      let imports = rest.firstMatch(of: /(?:imports|of|dependencies): \[([^\]]*)\]/).map { found in
        found.1.matches(of: /"(\w+)"/).map { String($0.1) }
      }
      let name = String(match.2)
      let folder = rest.firstMatch(of: /(?:path|at): "([^"]*)"/).map { String($0.1) } ?? "Tests/\(name)"
      return DeclaredTarget(name: name, imports: Set(imports ?? []), folder: folder)
    }
  }
}
