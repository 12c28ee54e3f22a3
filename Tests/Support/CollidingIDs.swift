// Event ids that share their hash, so that finding an event by its id has to look further than the hash.
package import EventStore

/// Ids in families of six that have one XXH3 hash under a known seed.
///
/// For 16 bytes XXH3 hashes `16 + swap(lo) + hi + fold(lo × hi)` (`XXH3_len_9to16_64b` in xxhash.h), where `lo` and `hi`
/// are the two halves, each turned by a constant. For `lo` = k < 256 and a product below 2^64 that is
/// `16 + k·2^56 + (k + 1)·hi`, and so `hi` can be chosen to give any sum.
package enum CollidingIDs {
  /// How many ids share a hash.
  package static let familySize = 6

  /// The `index`-th id: every ``familySize`` in a row share a hash under `seed`.
  package static func id(_ index: Int, seed: UInt64) -> EventID {
    let sum = 15 << 56 + 16 * UInt64(index / familySize + 1)
    let factor: UInt64
    switch index % familySize {
    case 0: return id(low: sum.byteSwapped, high: 0, seed)
    case 1: factor = 0
    case 2: factor = 1
    case 3: factor = 3
    case 4: factor = 7
    default: factor = 15
    }
    return id(low: factor, high: (sum - factor << 56) / (factor + 1), seed)
  }

  private static func id(low: UInt64, high: UInt64, _ seed: UInt64) -> EventID {
    // The default secret's bytes 24…39 and 40…55.
    let lowFlip = (0x1f67_b3b7_a4a4_4072 ^ 0x78e5_c0cc_4ee6_79cb) &+ seed
    let highFlip = (0x2172_ffcc_7dd0_5a82 ^ 0x8e24_43f7_7446_08b8) &- seed
    return EventID(high: (low ^ lowFlip).byteSwapped, low: (high ^ highFlip).byteSwapped)
  }
}
