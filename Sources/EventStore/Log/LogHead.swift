// Where the log ends, and the value that stands for all of it.
internal import Bytes
internal import Sodium

/// The end of the log at one moment.
public struct LogHead: Sendable, Hashable {
  /// The last position; 0 where the log is empty.
  public let position: LogPosition
  /// When its last event was recorded.
  public let recordedAt: Timestamp?
  /// The value of the log's chain there, in hexadecimal: whoever knows it can tell whether anything before was changed.
  public let chain: String

  /// What was the end of a log once, as somebody has noted it.
  public init(position: LogPosition, recordedAt: Timestamp?, chain: String) {
    self.position = position
    self.recordedAt = recordedAt
    self.chain = chain
  }

  /// The end of a log without events.
  static let empty = LogHead(position: 0, recordedAt: nil, chain: Bytes32.zero.hexadecimal)
}

extension EventLog {
  /// Where the log ends.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where the last record is not what was written.
  /// - Complexity: O(1)
  public func head() throws(StorageError) -> LogHead {
    let view = try view()
    guard view.last > 0 else { return .empty }
    let record = try view.record(at: view.last)
    guard let chain = record.chain else {
      throw .corrupt(reason: "the last record does not end its request", position: view.last)
    }
    return LogHead(position: view.last, recordedAt: record.recordedAt, chain: chain.hexadecimal)
  }
}
