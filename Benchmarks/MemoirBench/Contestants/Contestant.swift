// What a store must be able to do to be asked the questions.
import PeerBench

/// Who is measured.
enum ContestantKind: String, CaseIterable, Sendable {
  case memoir = "Memoir"
  /// Plain LMDB: a log by position, and beside it users' positions.
  case lmdb = "LMDB"
  case sqlite = "SQLite"
}

/// An event that a writer is about to append: one of the workload, for another user.
struct Pick: Sendable {
  /// With the user, version and id it is to have.
  var event: PeerEvent
  /// Which event of the workload it was.
  var index: Int

  /// Appends take their texts from the first events of the workload.
  static let pool = 65_536
}

/// A store with a workload in it.
protocol Contestant: AnyObject, Sendable {
  var kind: ContestantKind { get }
  /// Where all of its files are.
  var folder: String { get }
  /// Whether its writers are Swift tasks; else threads.
  var hasTasks: Bool { get }

  /// Stores events of the workload, ``Workload/batch`` a commit.
  ///
  /// - Returns: The seconds from the end of each commit to that of the next.
  func load(_ range: Range<Int>) throws -> [Double]
  /// Brings to rest what was put off, before sizes are looked at.
  func settle()
  /// Stores events in one commit and returns once they are durable.
  func commit(_ picks: [Pick]) throws
  /// Stores one event and returns once it is durable. One of many writers calls it.
  func append(_ pick: Pick) async throws
  /// The same, for writers that are threads.
  func appendAndWait(_ pick: Pick) throws

  /// Makes the states that ``StoreReader/state(of:)`` is to read hot.
  func prepareStates() throws
  /// A way to read, for one thread.
  func makeReader() -> any StoreReader
  func close() throws
}

/// One thread's way to read a contestant.
protocol StoreReader {
  /// Folds all events in the order they were stored; the number of them.
  func scan(into tally: inout PeerTally) throws -> UInt64
  /// Folds one user's events; the number of them.
  func stream(of user: Int, into tally: inout PeerTally) throws -> UInt64
  /// Reads a user's head state; its size.
  func state(of user: Int) throws -> Int
}

/// Why a run stops: a contestant gave a wrong answer, or could not answer.
struct BenchError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
