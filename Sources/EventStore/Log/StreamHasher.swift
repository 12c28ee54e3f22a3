// What the digests of a stream's events have in common, hashed once.
internal import Bytes
internal import Sodium
internal import Synchronization

/// Makes the digests of a stream's events, on any thread.
final class StreamHasher: Sendable {
  let stream: HashedName
  /// The stream's secret, or what it is to become with the stream's first event.
  let secret: Bytes32
  /// What its events are to be sealed with, if it begins with these, or begins anew; zero where the store is not encrypted.
  let dataKey: Bytes32
  private let streamDigest: Bytes32
  /// Mostly the next event's too.
  private let lastSession = Mutex<(name: SessionID, digest: Bytes32)?>(nil)

  var name: StreamName { stream.name }

  init(_ stream: StreamName, secret: Bytes32, dataKey: Bytes32 = .zero) {
    self.stream = HashedName(stream)
    self.secret = secret
    self.dataKey = dataKey
    streamDigest = HashChain.streamDigest(stream, secret: secret)
  }

  /// The hasher of an epoch, whose name may be erased.
  init(_ epoch: StreamEpoch) {
    stream = HashedName(epoch.name)
    secret = epoch.secret
    dataKey = .zero
    streamDigest = epoch.digest
  }

  /// The digest of an event.
  ///
  /// - Parameter content: Type name, metadata and payload, each with its length before it.
  func digest(
    of content: RawSpan, session: SessionID?, id: EventID, occurredAt: Timestamp, type: EventTypeCode,
    typeVersion: UInt16
  ) -> Bytes32 {
    digest(
      ofPayload: HashChain.payloadDigest(content, secret: secret), session: session, id: id, occurredAt: occurredAt,
      type: type, typeVersion: typeVersion)
  }

  /// The digest of an event of whose payload the digest is known.
  func digest(
    ofPayload payload: Bytes32, session: SessionID?, id: EventID, occurredAt: Timestamp, type: EventTypeCode,
    typeVersion: UInt16
  ) -> Bytes32 {
    HashChain.eventDigest(
      stream: streamDigest, session: session.map { digest(of: $0) } ?? .zero, payload: payload, id: id,
      occurredAt: occurredAt, type: type, typeVersion: typeVersion)
  }

  private func digest(of session: SessionID) -> Bytes32 {
    if let known = lastSession.withLock({ $0?.name == session ? $0?.digest : nil }) { return known }
    let digest = HashChain.sessionDigest(session, secret: secret)
    lastSession.withLock { $0 = (session, digest) }
    return digest
  }
}

/// A stream's name that was hashed once: the writer looks many up for each commit.
struct HashedName: Hashable, Sendable {
  let name: StreamName
  private let hash: Int

  init(_ name: StreamName) {
    self.name = name
    hash = name.hashValue
  }

  func hash(into hasher: inout Hasher) { hasher.combine(hash) }

  static func == (a: HashedName, b: HashedName) -> Bool { a.hash == b.hash && a.name == b.name }
}
