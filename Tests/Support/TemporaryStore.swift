// A store in a folder of its own that goes when the test ends.
package import EventStore
import Foundation

/// A folder under the system's temporary one, removed with the object.
public final class TemporaryFolder: Sendable {
  /// Its path.
  public let path: String

  /// Makes the folder.
  ///
  /// - Parameter inMemory: Whether to make it on a disk in memory, where there is one.
  public init(inMemory: Bool = false) {
    let parent =
      inMemory && FileManager.default.isWritableFile(atPath: "/dev/shm")
      ? URL(filePath: "/dev/shm") : FileManager.default.temporaryDirectory
    path = parent.appending(path: "memoir-\(UUID().uuidString)").path
    // A test without its folder has nothing to test.
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A store of a ``Diary`` in a temporary folder, with a clock of its own.
package final class TemporaryStore {
  package let clock: TestClock
  package var options: EventLog.Options
  package var schema: EventSchema
  /// The log as it is open now.
  package private(set) var log: EventLog
  private let parent: TemporaryFolder

  /// The folder of the store.
  package var path: String { parent.path + "/store" }
  /// The file with all data.
  package var dataFile: String { path + "/data.mdb" }

  /// Makes a store.
  package init(
    _ options: EventLog.Options = EventLog.Options(), schema: EventSchema = Diary.schema
  ) throws(StorageError) {
    parent = TemporaryFolder()
    clock = TestClock()
    self.options = options
    // Many are open at once, and the address space of a process holds only so many large ones.
    self.options.mapSize = min(options.mapSize, 1 << 33)
    self.options.clock = { [clock] in clock.now }
    self.schema = schema
    log = try EventLog(folder: parent.path + "/store", schema: schema, options: self.options)
  }

  /// Closes the log, lets `body` do what it will with the files, and opens it again.
  package func reopen(after body: () throws -> Void = {}) throws {
    try log.close()
    try body()
    log = try EventLog(folder: path, schema: schema, options: options)
  }

  /// Appends to one stream.
  @discardableResult
  package func append(
    _ events: EventData..., to stream: StreamName = .bob, expecting expected: ExpectedVersion = .any
  ) throws(AppendError) -> AppendResult {
    try log.appendAndWait([StreamAppend(events, to: stream, expecting: expected)])[0]
  }

  /// The state of a stream's notebook.
  package func notebook(
    of stream: StreamName = .bob, at point: AsOf = .head, usesSnapshots: Bool = true
  ) throws(ReadError) -> Notebook? {
    try log.state(of: stream, by: NotebookProjector(), at: point, usesSnapshots: usesSnapshots)?.state
  }
}

extension StreamName {
  /// Bob's stream.
  package static var bob: StreamName { named("bob") }
  /// Alice's stream.
  package static var alice: StreamName { named("alice") }

  /// A stream whose names are known to be allowed.
  package static func named(_ user: String, in namespace: String = "default") -> StreamName {
    guard let user = try? UserID(user), let namespace = try? Namespace(namespace) else {
      preconditionFailure("\(namespace)/\(user) is no name")
    }
    return StreamName(user, in: namespace)
  }
}

extension SessionID {
  /// A session whose name is known to be allowed.
  package static func named(_ name: String) -> SessionID {
    guard let session = try? SessionID(name) else { preconditionFailure("\(name) is no name") }
    return session
  }
}

extension EventID {
  /// The id of number `number`.
  package static func number(_ number: Int) -> EventID {
    EventID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | UInt64(number))
  }
}
