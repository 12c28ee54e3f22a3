// SQLite's full-text search, with the same texts.
import Memoir
import PeerBench

/// The messages of one person in FTS5.
@safe final class SearchPeer {
  private let search: OpaquePointer
  private var ids: [EventID] = []

  init() throws {
    guard let made = unsafe peer_search_open() else { throw BenchError("FTS5 did not open") }
    unsafe search = made
  }

  deinit { unsafe peer_search_close(search) }

  func add(_ text: String, id: EventID) {
    ids.append(id)
    unsafe peer_search_add(search, Int64(ids.count), text)
  }

  /// The messages that say any word of a question, best first.
  func find(_ question: String, limit: Int) -> [EventID] {
    let words = question.split { !($0.isLetter || $0.isNumber) }
    guard !words.isEmpty else { return [] }
    let query = words.map { "\"\($0)\"" }.joined(separator: " OR ")
    var numbers = [Int64](repeating: 0, count: limit)
    let count = unsafe peer_search_find(search, query, &numbers, limit)
    return numbers.prefix(count).map { ids[Int($0) - 1] }
  }
}
