// What it takes to prove a stream away from its store: the secret of its digests, the chain at both ends, and each event
// as it is stored.
internal import Bytes
internal import LMDB
package import Sodium

/// What binds the events of a stretch of a stream to each other and to all before them.
package struct StreamProof: Hashable, Sendable {
  /// Whose events they are.
  package var stream: StreamName
  /// What the digests of its events are keyed with.
  package var secret: Bytes32
  /// The version of the first event.
  package var first: StreamVersion
  /// The version of the last event; the one before the first where there is none.
  package var last: StreamVersion
  /// The stream's chain before the first event.
  package var chainBefore: Bytes32
  /// The stream's chain after the last event.
  package var chainAfter: Bytes32

  /// Collects what a proof consists of.
  package init(
    stream: StreamName, secret: Bytes32, first: StreamVersion, last: StreamVersion, chainBefore: Bytes32,
    chainAfter: Bytes32
  ) {
    self.stream = stream
    self.secret = secret
    self.first = first
    self.last = last
    self.chainBefore = chainBefore
    self.chainAfter = chainAfter
  }
}

/// An event of the log, in today's form and in the one it is stored in.
package struct StoredEvent: Sendable {
  /// In today's form.
  package var event: RecordedEvent
  /// The version of the payload's form as it is stored.
  package var typeVersion: UInt16
  /// The payload as it is stored; empty where it was removed.
  package var payload: [UInt8]
  /// The digest of type name, metadata and payload.
  package var payloadDigest: Bytes32
  /// The event's digest.
  package var digest: Bytes32
}

/// Works out a stream's chain from its events, as a log does that they are appended to.
package struct StreamChain {
  private let hasher: StreamHasher
  /// The version of the last event.
  package private(set) var version: StreamVersion
  /// The chain after it.
  package private(set) var value: Bytes32

  /// Begins where a proof begins.
  package init(_ proof: StreamProof) {
    hasher = StreamHasher(proof.stream, secret: proof.secret)
    version = StreamVersion(proof.first.number - 1)
    value = proof.chainBefore
  }

  /// The digest of an event, which must say when it occurred.
  package func digest(of event: EventData) -> Bytes32 { AppendRequest.of(event, by: hasher).events[0].digest }

  /// Goes on by an event, given by its digest.
  package mutating func append(_ digest: Bytes32) {
    version = version.next
    value = HashChain.step(value, digest, version)
  }
}

extension EventLog {
  /// The version of the first event of a stream that was not erased, also where the log lacks the event that says so; the
  /// one behind the last where all were. 1 for a stream that does not exist.
  ///
  /// - Complexity: O(events of the stream) where anybody was ever erased, else O(log n).
  package func firstUnerasedVersion(of name: StreamName) throws(StorageError) -> StreamVersion {
    let view = try view()
    guard view.index.catalog.erasures > 0, let stream = try view.stream(name), let head = try view.head(of: stream)
    else { return 1 }
    var first = head.version.next
    try view.index.forEachRecord(of: 1...head.version, in: stream, view.transaction) { record in
      if !record.flags.contains(.namesStream) { return }
      first = record.flags.contains(.namesErased) ? head.version.next : record.version
    }
    return first
  }

  /// What proves a stream's events from a version on to its last one; `nil` for a stream that does not exist.
  ///
  /// - Complexity: O(events before that version), about half a microsecond each, and those after the last block.
  package func proof(of name: StreamName, from first: StreamVersion) throws(StorageError) -> StreamProof? {
    let view = try view()
    guard let stream = try view.stream(name),
      let end = try view.index.writerStream(stream, view.transaction)
    else { return nil }
    let before = try view.index.chain(
      of: stream, from: (0, .zero), to: StreamVersion(first.number - 1), view.transaction)
    return StreamProof(
      stream: name, secret: end.secret, first: first, last: end.version, chainBefore: before, chainAfter: end.chain)
  }

  /// Some of a stream's events as they are stored, and where to go on; `nil` after the last.
  package func readStored(
    _ name: StreamName, secret: Bytes32, _ versions: ClosedRange<StreamVersion>
  ) throws(StorageError) -> (events: [StoredEvent], next: StreamVersion?) {
    let view = try view()
    guard let stream = try view.stream(name) else { return ([], nil) }
    var decoder = EventDecoder()
    var epoch = StreamEpoch(name: name, secret: secret)
    epoch.dataKey = try view.index.epoch(of: stream, view.transaction).dataKey
    var digests = DigestReader(stream, in: epoch)
    var contents = ContentReader()
    var budget = PageBudget(limit: Self.storedPage)
    var events: [StoredEvent] = []
    try view.index.scanRecords(
      of: versions, in: stream, view.transaction,
      while: { record throws(StorageError) in
        let digest = try digests.digest(of: record, &contents, index: view.index, view.transaction)
        let payloadDigest = try contents.payloadDigest(of: record, secret: secret)
        events.append(
          StoredEvent(
            event: try decoder.event(record, view), typeVersion: record.typeVersion,
            payload: try contents.content(of: record).payload.array(), payloadDigest: payloadDigest, digest: digest))
        budget.count(record.sizeInBytes)
        return !budget.isSpent
      })
    let next = versions.lowerBound.forward(UInt64(events.count))
    return (events, events.isEmpty || next > versions.upperBound ? nil : next)
  }

  private static let storedPage = 1_000
}

extension EventSchema {
  /// An event as it would be given back by a log, in today's form; `nil` where its payload cannot be brought there.
  package func shown(_ event: EventData, of stream: StreamName) -> RecordedEvent? {
    let name = event.customType ?? self.name(of: event.type)
    let known = event.type == .custom ? definition(ofCustom: name) : definition(of: event.type)
    var (payload, version) = (event.payload, event.typeVersion)
    if let known, version < known.version {
      guard let today = try? upcast(payload, of: event.type, named: event.customType, from: version, at: 0) else {
        return nil
      }
      (payload, version) = today
    }
    return RecordedEvent(
      stream: stream, version: 0, position: 0, id: event.id, type: event.type, typeName: name, typeVersion: version,
      session: event.session, occurredAt: event.occurredAt ?? .earliest, recordedAt: .earliest,
      metadata: event.metadata, payload: payload, isRedacted: event.isRedacted)
  }

  /// The code of a type that an event names, and its name where it has none; as ``name(of:)`` names it.
  package func code(ofTypeNamed name: String) -> (code: EventTypeCode, customType: String?) {
    if let type = types.first(where: { $0.name == name && $0.code != .custom }) { return (type.code, nil) }
    if name.hasPrefix("type-"), let number = UInt8(name.dropFirst(5)), "type-\(number)" == name,
      EventTypeCode(number) != .custom, definition(of: EventTypeCode(number)) == nil
    {
      return (EventTypeCode(number), nil)
    }
    return (.custom, name)
  }
}
