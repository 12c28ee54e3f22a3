// A record that quotes what somebody's events say: kept only while they still say it.
//
// Between reading events and keeping what was made of them somebody may be erased, or a payload taken out. What would be
// kept then is what was to be gone, and nobody would look for it again.
internal import Sodium
internal import Synchronization

/// A stream as it was when its events were read: to be asked for before.
package struct QuotedStream: Equatable, Sendable {
  let name: StreamName
  /// Of the name and secret its events were written under: an erasure ends them.
  fileprivate let epoch: Bytes32
}

private final class KeepQuotingRecord: WriterWork {
  let record: ChangeRecord
  let stream: QuotedStream
  let versions: [StreamVersion]
  let isKept = Atomic<Bool>(false)

  init(_ record: ChangeRecord, _ stream: QuotedStream, _ versions: [StreamVersion]) {
    self.record = record
    self.stream = stream
    self.versions = versions
  }

  func run(in context: inout WriterContext) throws(StorageError) {
    guard try stillSaysSo(context) else { return }
    try record.run(in: &context)
    isKept.store(true, ordering: .releasing)
  }

  private func stillSaysSo(_ context: borrowing WriterContext) throws(StorageError) -> Bool {
    let index = context.index
    guard let number = try index.stream(stream.name, in: context.transaction),
      try index.epoch(of: number, context.transaction).digest == stream.epoch
    else { return false }
    for version in versions {
      let record = try index.record(of: version, in: number, context.transaction)
      if record.flags.contains(.redacted) { return false }
    }
    return true
  }
}

extension EventLog {
  /// What tells whether somebody was erased since; `nil` for somebody without events.
  package func quotedStream(_ name: StreamName) throws(StorageError) -> QuotedStream? {
    let view = try view()
    guard let stream = try view.stream(name) else { return nil }
    return QuotedStream(name: name, epoch: try view.index.epoch(of: stream, view.transaction).digest)
  }

  /// Keeps a record that quotes events, unless what they say was removed since they were read. Once this returns, it is on
  /// disk.
  ///
  /// - Parameters:
  ///   - versions: The events that it quotes.
  ///   - stream: What ``quotedStream(_:)`` gave before they were read.
  /// - Returns: Whether it is kept. Where not: read again, quote again.
  package func keepRecord(
    _ value: [UInt8], at key: [UInt8], in kind: StoreRecords, quoting versions: [StreamVersion],
    of stream: QuotedStream
  ) async throws(StorageError) -> Bool {
    let work = KeepQuotingRecord(ChangeRecord(kind: kind, key: key, value: value), stream, versions)
    try await performed(work)
    return work.isKept.load(ordering: .acquiring)
  }
}
