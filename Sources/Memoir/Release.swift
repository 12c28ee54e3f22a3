// Which Memoir this is.

/// The release of the library and of the programs that are built with it.
public enum Release {
  /// Its version, e.g. `0.1.0`.
  public static let version = "0.1.0"
}
