// What is kept of the fuzzers' inputs: `Fixtures/Fuzzing`.
import Foundation

/// What is kept: of each target a folder of inputs, and the words of its language as libFuzzer reads them.
enum Corpus {
  private static let folder: URL = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.appending(path: "Fixtures/Fuzzing")
  }()

  /// The inputs that are kept of a target, by name.
  static func inputs(of target: any FuzzTarget.Type) throws -> [(name: String, bytes: [UInt8])] {
    let folder = folder.appending(path: target.name)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
      (name, Array(try Data(contentsOf: folder.appending(path: name))))
    }
  }

  /// Writes the seeds and words of a target.
  static func write(_ target: any FuzzTarget.Type) throws {
    let folder = folder.appending(path: target.name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (index, seed) in try target.seeds().enumerated() {
      let number = String(index + 1)
      let name = "seed-" + String(repeating: "0", count: 2 - number.count) + number
      try Data(seed).write(to: folder.appending(path: name))
    }
    guard !target.words.isEmpty else { return }
    let lines = Set(target.words).sorted().map { word in
      let bytes = word.utf8.map { byte in
        let isPlain = (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
        return isPlain ? String(UnicodeScalar(byte)) : String(format: "\\x%02x", byte)
      }
      return "\"\(bytes.joined())\"\n"
    }
    try Data(lines.joined().utf8).write(to: Self.folder.appending(path: "\(target.name).dict"))
  }
}
