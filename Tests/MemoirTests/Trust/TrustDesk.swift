// A store with a clock of its own, for tests of keys, grants, the access log and reports.
import Foundation
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

/// A store in a folder that goes with it.
final class TrustDesk {
  let clock = TestClock()
  let folder = TemporaryFolder()
  private(set) var store: MemoirStore
  let bob = StreamName(UserID(unchecked: "bob"))
  let ann = StreamName(UserID(unchecked: "ann"))

  var path: String { folder.path + "/store" }

  init() throws { store = try Self.open(folder.path + "/store", clock) }

  static func open(_ path: String, _ clock: TestClock, readOnly: Bool = false) throws -> MemoirStore {
    var options = EventLog.Options()
    options.clock = { clock.now }
    options.isReadOnly = readOnly
    // Many are open at once, and the address space of a process holds only so many large ones.
    options.mapSize = 1 << 30
    return try MemoirStore(folder: path, options: options)
  }

  /// Closes the store, lets `body` do what it will with the files, and opens it again.
  func reopen(after body: () throws -> Void = {}) throws {
    try store.close()
    try body()
    store = try Self.open(path, clock)
  }

  func wait(seconds: Int64) { clock.advance(byMicroseconds: seconds * 1_000_000) }

  @discardableResult
  func append(_ events: MemoirEvent..., to user: StreamName? = nil, session: String? = nil) async throws -> AppendResult
  {
    wait(seconds: 1)
    return try await store.append(events, to: user ?? bob, session: session.map { try SessionID($0) })
  }
}

extension TrustDesk {
  /// All bytes of the data file.
  func dataFile() throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: path + "/data.mdb")))
  }
}

extension [UInt8] {
  /// Whether these bytes are in it, one after the other.
  func contains(_ part: [UInt8]) -> Bool { Data(self).range(of: Data(part)) != nil }
}
