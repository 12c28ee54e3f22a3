// Durable subscriptions whose reader dies.
import EventStore
import Glibc
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `A durable subscription` {
    @Test func `gives again what was received and not acknowledged, and skips nothing`() throws {
      let store = AgentStore()
      try store.run("append", ["requests": 10, "writers": 2])
      // Asleep all the while, with a subscription of its own.
      let sleeper = try store.agent("subscribe", ["name": "sleeper", "sleeps": 1, "end": 120])
      #expect(try sleeper.words(after: "from") == ["0"])

      var received: [[Int]] = []
      var acknowledged = 0
      for dies in [1, 1, 7, 2, 19] {
        let reader = try store.agent("subscribe", ["name": "reader", "dies": dies])
        let lines = try reader.lines()
        #expect(try reader.wait() == .signal(SIGKILL))
        #expect(lines.words(after: "from") == ["\(acknowledged)"])
        received.append(positions("got", lines))
        #expect(received.last?.first == acknowledged + 1)
        #expect(received.last?.count == dies)
        acknowledged += dies - 1
        #expect(positions("acknowledged", lines).last ?? acknowledged == acknowledged)
      }
      // While there are more to come.
      let last = try store.agent("subscribe", ["name": "reader", "end": 120])
      try store.run("append", ["requests": 10, "writers": 2, "base": 2])
      received.append(positions("got", try last.lines()))
      #expect(try last.wait() == .exit(0))
      for (one, next) in zip(received, received.dropFirst()) { #expect(one.last == next.first) }
      #expect(Set(received.joined()) == Set(1...120))
      #expect(received.joined().count == 120 + received.count - 1)

      try sleeper.send("go")
      #expect(positions("got", try sleeper.lines()) == Array(1...120))
      #expect(try sleeper.wait() == .exit(0))
    }

    private func positions(_ word: String, _ lines: [String]) -> [Int] {
      lines.compactMap { line in
        let words = line.split(separator: " ")
        return words.first == word[...] ? Int(words[1]) : nil
      }
    }
  }
}
