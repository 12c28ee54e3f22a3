// How large things may be, on every surface.

/// The limits of what is handed in. Sizes are in bytes.
public enum Limits {
  /// The events of one request.
  public static let eventsPerRequest = 10_000
  /// One text.
  public static let textSize = 1 << 20
  /// One event, as JSON.
  public static let eventSize = 4 << 20
  /// The metadata of one event, as canonical JSON.
  public static let metadataSize = 16 << 10
  /// How deeply arrays and objects may be nested.
  public static let depth = 64
  /// Bytes of the body of a request.
  public static let bodySize = 16 << 20
  /// The ids of facts and messages.
  public static let idSize = 250
}
