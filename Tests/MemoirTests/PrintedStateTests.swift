// Head states that are printed once and kept: what is kept is never another text than a new one would be.
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `A printed state that is kept` {
  private func printed(_ store: MemoirStore) throws -> String {
    var writer = JSONWriter()
    try store.write(try store.state(of: .bob), to: &writer)
    return String(decoding: writer.finish(), as: UTF8.self)
  }

  private func kept(_ store: MemoirStore) throws -> PrintedState { try store.printedState(of: .bob) }

  @Test(arguments: 1...8) func `is what would be printed now, whatever happens and whatever the clock does`(
    seed: UInt64
  ) throws {
    var random = SeededRandom(seed: seed)
    let recall = try RecallStore()
    let store = recall.memoir
    try recall.say("hello")
    for step in 0..<150 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: try recall.say("message \(step)", session: "s")
      case 1:
        let expiry = recall.clock.now.advanced(byMicroseconds: Int64.random(in: 1...90_000_000, using: &random))
        let fact = try FactLearned(
          fact: "fact \(step)", category: "home", confidence: 1,
          // Some of them fade below the threshold within seconds.
          importance: Fraction(text: "0.10000\(Int.random(in: 10...99, using: &random))"),
          expiresAt: Bool.random(using: &random) ? expiry : nil)
        try recall.append(.factLearned(fact))
      case 2: try recall.say("of another", to: StreamName(UserID("ann")))
      case 3:
        let head = try store.log.version(of: .bob).number
        try store.log.redact(StreamVersion(UInt64.random(in: 1...head, using: &random)), of: .bob)
      case 4: recall.clock.advance(byMicroseconds: Int64.random(in: -20_000_000...0, using: &random))
      case 5: recall.clock.advance(byMicroseconds: Int64.random(in: 0...100_000_000, using: &random))
      default: recall.clock.advance(byMicroseconds: Int64.random(in: 0...3_000_000, using: &random))
      }
      for _ in 0..<2 {
        #expect(try String(decoding: kept(store).json, as: UTF8.self) == printed(store), "seed \(seed), step \(step)")
      }
    }
  }

  @Test func `is the same again while nothing happens, also to others, and no longer`() throws {
    let recall = try RecallStore()
    try recall.learn("Sails")
    let first = try kept(recall.memoir)
    try recall.say("of another", to: StreamName(UserID("ann")))
    recall.clock.advance(byMicroseconds: 30_000_000)
    #expect(try kept(recall.memoir) === first)
    try recall.learn("Rows")
    let second = try kept(recall.memoir)
    #expect(second !== first && second.digest != first.digest)
  }

  @Test func `is compressed once`() throws {
    let recall = try RecallStore()
    try recall.learn("Sails")
    let state = try kept(recall.memoir)
    #expect(state.compressed { _ in [1, 2] } == [1, 2])
    #expect(try kept(recall.memoir).compressed { _ in [3] } == [1, 2])
  }

  @Test func `of somebody unknown is none`() throws {
    let recall = try RecallStore()
    #expect(throws: MemoirError.self) { try kept(recall.memoir) }
  }
}
