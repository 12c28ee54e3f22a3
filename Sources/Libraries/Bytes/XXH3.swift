// XXH3-64, the checksum of what is on disk: finds accidents, not forgery.
internal import CMemoirXXHash

/// XXH3, 64 bits (Yann Collet, xxHash 0.8).
public enum XXH3 {
  /// The hash of `bytes`.
  ///
  /// - Complexity: O(`byteCount`); about 20 ns for 150 bytes.
  public static func hash(_ bytes: RawSpan) -> UInt64 {
    unsafe bytes.withUnsafeBytes { raw in unsafe memoir_xxh3_64(raw.baseAddress, raw.count) }
  }

  /// The hash of `bytes` under `seed`, which makes collisions hard to prepare.
  public static func hash(_ bytes: RawSpan, seed: UInt64) -> UInt64 {
    unsafe bytes.withUnsafeBytes { raw in unsafe memoir_xxh3_64_seeded(raw.baseAddress, raw.count, seed) }
  }
}
