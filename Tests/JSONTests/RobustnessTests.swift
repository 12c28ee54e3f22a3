// Hostile, random and large texts, and a second opinion from another implementation.
import Foundation
import Glibc
import JSON
import Testing

@Suite struct `Any bytes` {
  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `parse or are refused, and what parses prints canonically`(seed: UInt64) throws {
    var random = Seeded(seed)
    let parser = JSONParser()
    let alphabet = Array("{}[]:,\"\\\"\\u00d8c0123e.-+tfn \n\u{0}é{}[]:,\"\",".utf8)
    for round in 0..<2_000 {
      let count = random.below(round % 10 == 0 ? 300 : 40)
      let bytes = (0..<count).map { _ in
        random.below(100) == 0
          ? UInt8.random(in: 0...255, using: &random) : alphabet[random.below(alphabet.count)]
      }
      if let text = try? JSONText(parsing: bytes.span, with: parser) {
        #expect(try JSONText(parsing: text.utf8.span, with: parser) == text, "\(bytes.printed)")
      }
    }
    for _ in 0..<1_000 {
      let bytes = (0..<random.below(200)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? JSONText(parsing: bytes.span, with: parser)
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `that were JSON once are refused with an offset within the text`(seed: UInt64) throws {
    var random = Seeded(seed)
    let parser = JSONParser()
    for _ in 0..<500 {
      let bytes = Model.random(using: &random).spelled(using: &random).mutated(using: &random)
      do throws(JSONError) {
        _ = try JSONText(parsing: bytes.span, with: parser)
      } catch {
        #expect((0...bytes.count).contains(error.offset), "\(bytes.printed)")
        #expect(!error.reason.isEmpty)
      }
    }
  }

  /// Reading a byte more would end the process: the text ends where its page does.
  @Test func `are read no further than they go`() throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let pages = try unsafe #require(
      mmap(nil, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { unsafe _ = munmap(pages, 3 * page) }
    #expect(unsafe mprotect(pages + 2 * page, page, PROT_NONE) == 0)
    let end = unsafe pages + 2 * page
    let parser = JSONParser()
    let texts = (Grammar.accepted + Grammar.refused).map { Array($0.utf8) }
    for indent in [0, 1, 31, 50, 63, 64, 100, 127, 128, 200] {
      for text in texts {
        let bytes = Array(repeating: UInt8(ascii: " "), count: indent) + text
        let start = unsafe end - bytes.count
        unsafe bytes.withUnsafeBytes { bytes in
          if let base = bytes.baseAddress { unsafe start.copyMemory(from: base, byteCount: bytes.count) }
        }
        let span = unsafe RawSpan(_unsafeStart: start, byteCount: bytes.count)
        let parsed = try? parser.parse(span) { JSONText($0) }
        #expect(parsed == (try? JSONText(parsing: bytes.span)))
      }
    }
  }
}

@Suite struct `A large text` {
  @Test func `of 16 MiB parses and prints`() throws {
    let line = Array(
      "{\"id\":\"0193\",\"user\":\"user-bob\",\"type\":\"MessageAdded\",\"data\":{\"role\":\"user\",\"content\":\"caf\\u00e9\\n\"}},"
        .utf8)
    let limit = JSONLimits.standard.sizeInBytes
    var bytes = [UInt8(ascii: "[")]
    bytes.reserveCapacity(limit)
    var count = 0
    while bytes.count + line.count < limit {
      bytes += line
      count += 1
    }
    bytes[bytes.count - 1] = UInt8(ascii: "]")
    bytes += Array(repeating: UInt8(ascii: " "), count: limit - bytes.count)
    let parser = JSONParser()
    try parser.parse(bytes) { node throws in
      #expect(node.count == count)
      let text = JSONText(node)
      #expect(text.utf8.starts(with: Array("[{\"data\":{\"content\":\"café\\n\",\"role\":".utf8)))
      #expect(try parser.parse(text.utf8) { $0.count } == count)
    }
    #expect(throws: JSONError.self) { try parser.parse(bytes + [0x20]) { $0.count } }
    #expect(try parser.parse(Array("[1]".utf8)) { $0.count } == 1)
  }

  @Test func `is no slower for being made to be slow`() throws {
    let count = 1 << 20
    let parser = JSONParser()
    func parse(_ text: String) throws -> Int {
      try parser.parse(Array(text.utf8)) { JSONText($0).utf8.count }
    }
    // Many elements, many members, long keys that differ at their ends, one string of escapes, white space.
    #expect(try parse("[" + String(repeating: "1,", count: count) + "1]") == 2 * count + 3)
    #expect(try parse("{" + (0..<200_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}") > count)
    let prefix = String(repeating: "x", count: 10_000)
    #expect(
      try parse("{" + (0..<500).map { "\"\(prefix)\($0)\":0" }.joined(separator: ",") + "}") > 5_000_000)
    #expect(try parse("\"" + String(repeating: "\\n", count: count) + "\"") == 2 * count + 2)
    #expect(try parse("\"" + String(repeating: "\\u0001", count: count) + "\"") == 6 * count + 2)
    #expect(try parse("[\"a\"" + String(repeating: " ", count: 4 * count) + "]") == 5)
    #expect(try parse(String(repeating: "9", count: 4 * count)) == 4 * count)
    let nines = [UInt8](repeating: UInt8(ascii: "9"), count: count)
    func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
      JSONNumber.areEqual(first.span, second.span)
    }
    #expect(areEqual(nines, nines + Array(".0".utf8)))
    #expect(!areEqual(Array("1e".utf8) + nines, Array("1e-".utf8) + nines))
    #expect(JSONNumber.double((Array("1e".utf8) + nines).span) == nil)
    #expect(throws: JSONError.self) { try parse("[" + String(repeating: "[],", count: count)) }
    #expect(throws: JSONError.self) { try parse(String(repeating: "\"", count: count + 1)) }
  }
}

@Suite struct `Python's json, held to the same rules,` {
  /// Reads a text in hexadecimal a line; prints its canonical form so, or `-` where it is refused.
  static let script = #"""
    import json, sys
    sys.setrecursionlimit(20000)
    class Number(str): pass
    def members(pairs):
        if len({k for k, _ in pairs}) != len(pairs): raise ValueError("duplicate key")
        return dict(pairs)
    def constant(name): raise ValueError(name)
    def depth(v):
        if isinstance(v, dict): return 1 + max(map(depth, v.values()), default=0)
        if isinstance(v, list): return 1 + max(map(depth, v), default=0)
        return 0
    def text(v):
        if isinstance(v, dict):
            ordered = sorted(v.items(), key=lambda m: m[0].encode())
            return "{" + ",".join(text(k) + ":" + text(x) for k, x in ordered) + "}"
        if isinstance(v, list): return "[" + ",".join(map(text, v)) + "]"
        return str.__str__(v) if isinstance(v, Number) else json.dumps(v, ensure_ascii=False)
    for line in sys.stdin:
        try:
            value = json.loads(
                bytes.fromhex(line).decode("utf-8"), object_pairs_hook=members, parse_constant=constant,
                parse_int=Number, parse_float=Number)
            if depth(value) > 64: raise ValueError("too deep")
            print(text(value).encode("utf-8").hex())
        except (ValueError, RecursionError):
            print("-")
    """#

  private static func canonicalForms(of texts: [[UInt8]]) throws -> [[UInt8]?] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "input"), output = folder.appending(path: "output")
    try Data(texts.map { hexadecimal($0) + "\n" }.joined().utf8).write(to: input)
    try Data().write(to: output)
    let python = Process()
    python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    python.arguments = ["python3", "-c", script]
    python.standardInput = try FileHandle(forReadingFrom: input)
    python.standardOutput = try FileHandle(forWritingTo: output)
    try python.run()
    python.waitUntilExit()
    try #require(python.terminationStatus == 0)
    return String(decoding: try Data(contentsOf: output), as: UTF8.self).split(separator: "\n").map { line in
      line == "-" ? nil : bytes(ofHexadecimal: line)
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func bytes(ofHexadecimal text: Substring) -> [UInt8] {
    let digits = text.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  static let hasPython = ["/usr/bin/env"].contains { path in
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["python3", "-c", "pass"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  @Test(.enabled(if: hasPython), arguments: 0...12 as ClosedRange<UInt64>)
  func `takes and prints the same`(seed: UInt64) throws {
    var random = Seeded(seed)
    var texts: [[UInt8]] = []
    if seed == 0 {
      texts = (Grammar.accepted + Grammar.refused).map { Array($0.utf8) }
    } else {
      for _ in 0..<1_500 {
        let text = Model.random(depth: 1 + random.below(4), using: &random).spelled(using: &random)
        texts.append(random.below(10) == 0 ? text : text.mutated(using: &random))
      }
      let alphabet = Array("{}[]:,\"\\0123e.-+ \"\"\",,::".utf8)
      for _ in 0..<1_500 {
        texts.append((0..<random.below(9)).map { _ in alphabet[random.below(alphabet.count)] })
      }
    }
    let theirs = try Self.canonicalForms(of: texts)
    try #require(theirs.count == texts.count)
    let parser = JSONParser()
    var accepted = 0
    for (text, expected) in zip(texts, theirs) {
      let ours = try? JSONText(parsing: text.span, with: parser)
      #expect(ours?.utf8 == expected, "\(text.printed)")
      if ours != nil { accepted += 1 }
    }
    // The test says something only if there are many of both.
    #expect(accepted > texts.count / 20 && accepted < texts.count * 19 / 20)
  }
}
