// Lending the events of the whole log, one after the other: for those who count, copy or fold across streams.
internal import Bytes
internal import LMDB

/// Tells a store's streams from each other, cheaper than by their names; see ``EventLog/name(of:)``.
public struct StreamKey: Hashable, Sendable {
  let number: StreamNumber
}

extension EventLog {
  /// Lends the events of a stretch of the log to `body`, in the order of their positions and in today's form.
  ///
  /// Nothing is copied: some ten times faster than ``readAll(after:to:direction:limit:filter:namespace:)``. Events whose
  /// payload was removed come too; see ``EventView/isRedacted``. What is appended meanwhile is left out.
  ///
  /// - Parameters:
  ///   - position: Begins after it.
  ///   - end: The last position; `nil`: that of the log when the call begins.
  ///   - damaged: Told where a record is missing or not what was written, or `body` finds its payload damaged; then it
  ///     goes on behind it.
  /// - Throws: ``StorageError/corrupt(reason:position:)`` for such a record where nobody is to be told.
  /// - Complexity: O(events); 16 bytes of memory for each event of the largest run. A view is held for a run at most.
  public func forEachEvent(
    after position: LogPosition = 0, through end: LogPosition? = nil, damaged: ((LogPosition) -> Void)? = nil,
    _ body: (StreamKey, borrowing EventView) throws(DamagedBytes) -> Void
  ) throws(StorageError) {
    guard position < LogPosition(.max) else { return }
    var next = position.next
    let last = min(try lastPosition(), end ?? LogPosition(.max))
    while next <= last {
      let view = try view()
      let window = try LogWindow(next...last, in: view)
      var contents = ContentReader()
      while next <= window.last {
        do throws(StorageError) {
          guard let bytes = window.bytes(at: next, in: view) else {
            throw .corrupt(reason: "the record is missing", position: next)
          }
          let record = try RecordView.stored(bytes, at: next)
          let stream = StreamKey(number: record.stream)
          try schema.withView(of: record, &contents, view) { event throws(DamagedBytes) in try body(stream, event) }
        } catch {
          guard let damaged, case .corrupt = error else { throw error }
          damaged(next)
        }
        next = next.next
      }
    }
  }

  /// The name of a stream.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where the index is damaged, or the key is another store's.
  public func name(of stream: StreamKey) throws(StorageError) -> StreamName {
    let view = try view()
    return try view.index.name(of: stream.number, in: view.transaction)
  }
}
