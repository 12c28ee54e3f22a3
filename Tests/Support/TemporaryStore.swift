// A store in a folder of its own that goes when the test ends.
import EventStore
import Foundation

/// A folder under the system's temporary one, removed with the object.
public final class TemporaryFolder: Sendable {
  /// Its path.
  public let path: String

  /// Makes the folder.
  public init() {
    path = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    // A test without its folder has nothing to test.
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
