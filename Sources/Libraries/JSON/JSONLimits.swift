// How deep and how large a text may be.

/// The limits a text is held to while it is parsed.
public struct JSONLimits: Hashable, Sendable {
  /// How many arrays and objects may lie within one another: `[[1]]` has a depth of 2.
  public let depth: Int
  /// How many bytes the text may have.
  public let sizeInBytes: Int

  /// The depth no limit may exceed: what prints a value calls itself once a level.
  public static let greatestDepth = 512
  /// The size no limit may exceed: offsets and counts are kept in 28 bits.
  public static let greatestSizeInBytes = (1 << 28) - 1

  /// A depth of 64, 16 MiB.
  public static let standard = JSONLimits()

  /// Limits of one's own; greater ones than the greatest count as those.
  public init(depth: Int = 64, sizeInBytes: Int = 16 << 20) {
    precondition(depth >= 0 && sizeInBytes >= 0, "A limit is not negative")
    self.depth = min(depth, Self.greatestDepth)
    self.sizeInBytes = min(sizeInBytes, Self.greatestSizeInBytes)
  }
}
