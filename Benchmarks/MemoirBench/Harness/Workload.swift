// The workload: seeded, so that every contestant, and every run, gets the same events.
import Foundation
import Memoir
import PeerBench

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number below `limit`. The remainder's bias is nothing here.
  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  /// 0 ≤ x < 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// The 16 bytes of a UUID of version 4, as two numbers in memory.
  mutating func uuid() -> (UInt64, UInt64) {
    let (first, second) = (next(), next())
    // Byte 6 of the first half, byte 0 of the second.
    return (first & ~(0xf0 << 48) | 0x40 << 48, second & ~0xc0 | 0x80)
  }
}

extension EventID {
  /// The id of these bytes in memory.
  init(bytes: (UInt64, UInt64)) { self.init(high: bytes.0.bigEndian, low: bytes.1.bigEndian) }
}

/// Makes the events of the workload, one after the other.
///
/// Users with a Zipf-like skew (exponent 0.8), spread over the key space; 70 % messages, 15 % facts, 10 % preferences,
/// 5 % ends of sessions; about 120 bytes of text each, of a vocabulary of 4,096 words.
struct WorkloadGenerator {
  private static let vocabularySize = 4096
  private static let preferences: [[UInt8]] = [
    "theme", "language", "tone", "units", "timezone", "font", "voice", "currency", "diet", "editor", "shell",
    "greeting", "detail", "alerts", "calendar", "music",
  ].map { Array($0.utf8) }

  private var random = SplitMix64(seed: 42)
  private var vocabulary: [[UInt8]] = []
  /// Up to each user, the sum of the weights.
  private var weights: [Double] = []
  private var sessions: [(UInt64, UInt64)] = []
  private var number: Int64 = 0
  /// The last version of each user.
  private(set) var heads: [UInt32]

  init(users: Int) {
    let syllables = [
      "ka", "to", "re", "mi", "sul", "ner", "a", "ven", "ol", "tri", "pa", "do", "esh", "in", "qua", "be",
    ]
    for index in 0..<Self.vocabularySize {
      var word = ""
      for _ in 0..<(1 + random.below(4)) { word += syllables[random.below(16)] }
      if index % 50 == 7 { word = index % 100 == 7 ? "caf\u{e9}" : "\u{6771}\u{4eac}" }
      vocabulary.append(Array(word.utf8))
    }
    var sum = 0.0
    for index in 0..<users {
      sum += pow(Double(index + 1), -0.8)
      weights.append(sum)
    }
    for _ in 0..<users { sessions.append(random.uuid()) }
    heads = Array(repeating: 0, count: users)
  }

  /// Appends words: at least one, then up to about `target` bytes. Returns how many bytes.
  private mutating func write(_ target: Int, to texts: inout [UInt8]) -> Int {
    let start = texts.count
    repeat {
      let u = random.unit()
      let word = vocabulary[Int(Double(Self.vocabularySize) * u * u * u)]
      if texts.count > start { texts.append(UInt8(ascii: " ")) }
      texts += word
    } while texts.count - start + 4 < target
    return texts.count - start
  }

  private mutating func pickUser() -> Int {
    let x = random.unit() * (weights.last ?? 0)
    var low = 0
    var high = weights.count - 1
    while low < high {
      let middle = (low + high) / 2
      if weights[middle] < x { low = middle + 1 } else { high = middle }
    }
    return low * 7919 % weights.count
  }

  /// The next event; its texts are appended to `texts`.
  mutating func next(_ texts: inout [UInt8]) -> PeerEvent {
    var event = PeerEvent()
    let user = pickUser()
    heads[user] += 1
    event.user = UInt32(user)
    event.version = heads[user]
    event.id = random.uuid()
    event.session = sessions[user]
    event.occurred = 1_767_225_600_000_000 + number * 25_000 + Int64(random.below(20_000))
    event.recorded = event.occurred + 1_500 + Int64(random.below(40_000))
    number += 1
    event.text = UInt64(texts.count)
    let kind = random.below(100)
    event.role = random.below(8) != 0 ? UInt8(random.below(2)) : 2
    var (first, second) = (0, 0)
    switch kind {
    case ..<70:
      event.type = UInt8(PEER_MESSAGE)
      first = write(Int(20 + min(-125 * log(1 - random.unit()), 1500)), to: &texts)
      for (chance, character) in [(50, UInt8(ascii: "\"")), (20, UInt8(ascii: "\n"))]
      where random.below(chance) == 0 {
        texts.append(character)
        first += 1
      }
    case ..<85:
      event.type = UInt8(PEER_FACT)
      first = write(40 + random.below(100), to: &texts)
    case ..<95:
      event.type = UInt8(PEER_PREFERENCE)
      let key = Self.preferences[random.below(Self.preferences.count)]
      texts += key
      first = key.count
      second = write(4 + random.below(30), to: &texts)
    default:
      event.type = UInt8(PEER_ENDED)
      first = write(20 + random.below(40), to: &texts)
      sessions[user] = random.uuid()
    }
    event.first_length = UInt16(first)
    event.second_length = UInt16(second)
    return event
  }
}

/// The events of a run, in memory, and what right answers about them are.
final class Workload: Sendable {
  /// How many events an import puts into one commit.
  static let batch = 1_000

  let users: Int
  let events: [PeerEvent]
  let texts: [UInt8]
  /// The last version of each user.
  let heads: [UInt32]
  /// Of all events in their order.
  let total: PeerTally
  /// Of each user's events.
  let tallies: [PeerTally]
  /// The users as Memoir names them.
  let streams: [StreamName]

  init(events count: Int, users: Int) throws {
    var generator = WorkloadGenerator(users: users)
    var events: [PeerEvent] = []
    var texts: [UInt8] = []
    events.reserveCapacity(count)
    texts.reserveCapacity(count * 125)
    var total = PeerTally()
    var tallies = Array(repeating: PeerTally(), count: users)
    for _ in 0..<count {
      let event = generator.next(&texts)
      total.add(event, texts)
      tallies[Int(event.user)].add(event, texts)
      events.append(event)
    }
    self.users = users
    self.events = events
    self.texts = texts
    self.total = total
    self.tallies = tallies
    heads = generator.heads
    streams = try (0..<users).map { StreamName(try UserID(Self.name(of: $0))) }
  }

  /// The name of a user: `user-00042`.
  static func name(of user: Int) -> String {
    let digits = String(user)
    return "user-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// Bytes of all events as the plain LMDB program packs them: what write amplification is measured against.
  var packedBytes: Int { events.count * 60 + Int(total.length) }
}
