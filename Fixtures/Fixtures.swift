// Data that comes with the program, compiled in.

/// What is in this folder.
public enum Fixtures {
  /// Half a year of two customers' conversations: JSON Lines, as `memoir append` takes them.
  public static var demoEvents: [UInt8] { PackageResources.events_jsonl }
}
