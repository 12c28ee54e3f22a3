// Changes of bytes at random, for the runs that have no libFuzzer.
import TestSupport

/// Changes inputs at random.
struct Mutation {
  private var random: SeededRandom
  private let seeds: [[UInt8]]
  private let words: [[UInt8]]

  /// - Parameter seeds: What changes begin with; not empty.
  init(of seeds: [[UInt8]], words: [String], seed: UInt64) {
    random = SeededRandom(seed: seed)
    self.seeds = seeds
    self.words = words.map { Array($0.utf8) }
  }

  /// The next input.
  mutating func next() -> [UInt8] {
    var bytes = seeds.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...4, using: &random) { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: 0...255, using: &random)) }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
    switch Int.random(in: 0..<9, using: &random) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
    case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes[place] = ([0, 1, 0x7f, 0x80, 0xff] as [UInt8]).randomElement(using: &random) ?? 0
    case 3: bytes.removeSubrange(place..<end)
    case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 5: bytes.insert(contentsOf: words.randomElement(using: &random) ?? [0xff], at: place)
    case 6: bytes.replaceSubrange(place..<end, with: words.randomElement(using: &random) ?? [])
    case 7: bytes.removeSubrange(place...)
    default:
      // The end of one behind the beginning of another.
      let other = seeds.randomElement(using: &random) ?? []
      bytes.replaceSubrange(place..., with: other.suffix(other.count / 2))
    }
  }
}
