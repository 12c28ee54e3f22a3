// Plain LMDB and SQLite as contestants; the work itself is in PeerBench.
import PeerBench

/// A store of a peer.
///
/// Unchecked: the handle never changes, and the functions that several threads call guard what they share.
@safe final class PeerContestant: Contestant, @unchecked Sendable {
  let kind: ContestantKind
  let folder: String
  let hasTasks = false
  private let workload: Workload
  private let peer: OpaquePointer

  init(_ kind: ContestantKind, in folder: String, _ workload: Workload) throws {
    self.kind = kind
    self.folder = folder
    self.workload = workload
    let made = unsafe peer_open(kind == .lmdb ? PEER_LMDB : PEER_SQLITE, folder, UInt32(workload.users))
    guard let made = unsafe made else { throw BenchError("\(kind.rawValue) did not open") }
    unsafe peer = made
  }

  func load(_ range: Range<Int>) throws -> [Double] {
    var seconds: [Double] = []
    unsafe workload.events.withUnsafeBufferPointer { events in
      unsafe workload.texts.withUnsafeBufferPointer { texts in
        var last = Stopwatch()
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Workload.batch) {
          let count = min(Workload.batch, range.upperBound - start)
          unsafe peer_commit(peer, events.baseAddress?.advanced(by: start), count, texts.baseAddress, false)
          seconds.append(last.lap())
        }
      }
    }
    return seconds
  }

  func settle() { unsafe peer_settle(peer) }

  func commit(_ picks: [Pick]) throws {
    let events = picks.map(\.event)
    unsafe workload.texts.withUnsafeBufferPointer { texts in
      unsafe peer_commit(peer, events, events.count, texts.baseAddress, true)
    }
  }

  func append(_ pick: Pick) async throws { try appendAndWait(pick) }

  func appendAndWait(_ pick: Pick) throws {
    var event = pick.event
    unsafe workload.texts.withUnsafeBufferPointer { texts in
      unsafe peer_append(peer, &event, texts.baseAddress)
    }
  }

  func prepareStates() throws { unsafe peer_put_states(peer, UInt32(workload.users)) }
  func makeReader() -> any StoreReader { unsafe Reader(peer) }
  func close() throws { unsafe peer_close(peer) }

  /// A reader, closed when it goes.
  @safe final class Reader: StoreReader {
    private let reader: OpaquePointer

    init(_ peer: OpaquePointer) { unsafe reader = peer_reader_open(peer) }
    deinit { unsafe peer_reader_close(reader) }

    func scan(into tally: inout PeerTally) throws -> UInt64 { unsafe peer_scan(reader, &tally) }

    func stream(of user: Int, into tally: inout PeerTally) throws -> UInt64 {
      unsafe peer_stream(reader, UInt32(user), &tally)
    }

    func state(of user: Int) throws -> Int {
      unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PEER_STATE_SIZE)) { room in
        let size = unsafe peer_state(reader, UInt32(user), room.baseAddress)
        return unsafe size > 0 && room[size / 2] == 0 ? 0 : size
      }
    }

    /// SQLite's next row, by stream and version; `nil` after the last.
    func nextRow() -> PeerRow? {
      var row = unsafe PeerRow()
      return unsafe peer_next_row(reader, &row) ? row : nil
    }
  }
}
