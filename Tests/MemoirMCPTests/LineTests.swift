// Cutting what arrives into messages.
import MemoirMCP
import Testing

@Suite struct `Lines of messages` {
  private func lines(_ chunks: [String], limit: Int = 10) -> [String] {
    var cutter = MessageLines(limit: limit)
    let all = chunks.flatMap { cutter.take(Array($0.utf8)) } + cutter.end()
    return all.map { line in
      if case .message(let bytes) = line { String(decoding: bytes, as: UTF8.self) } else { "too long" }
    }
  }

  @Test func `are the same however they arrive`() {
    let text = "one\ntwo\r\n\n  \nthree\nfour"
    let expected = ["one", "two\r", "three", "four"]
    #expect(lines([text]) == expected)
    #expect(lines(text.map(String.init)) == expected)
    #expect(lines([]).isEmpty && lines(["\n\n"]).isEmpty)
  }

  @Test func `that are too long are left out, and the next one is there`() {
    let long = String(repeating: "x", count: 11)
    for chunks in [
      ["a\n" + long + "\nb\n"], ["a\n" + long, long, "\nb\n"], ["a\n"] + long.map(String.init) + ["\nb\n"],
    ] {
      #expect(lines(chunks) == ["a", "too long", "b"])
    }
    #expect(lines([String(repeating: "x", count: 10)]) == ["xxxxxxxxxx"])
    #expect(lines([long]) == ["too long"])
  }
}
