// What the digests of a stream's events have in common, hashed once.
internal import Bytes
internal import Sodium
internal import Synchronization

/// Makes the digests of a stream's events, on any thread.
final class StreamHasher: Sendable {
  /// The stream's secret, or what it is to become with the stream's first event.
  let secret: Bytes32
  private let streamDigest: Bytes32
  /// Mostly the next event's too.
  private let lastSession = Mutex<(name: SessionID, digest: Bytes32)?>(nil)

  init(_ stream: StreamName, secret: Bytes32) {
    self.secret = secret
    streamDigest = HashChain.streamDigest(stream, secret: secret)
  }

  /// The digest of an event that occurred at `occurredAt`.
  func digest(of event: borrowing EventData, metadata: [UInt8], occurredAt: Timestamp) -> Bytes32 {
    let typeName = event.customType.map { Array($0.utf8) } ?? []
    return HashChain.eventDigest(
      stream: streamDigest,
      session: event.session.map { digest(of: $0) } ?? .zero,
      payload: HashChain.payloadDigest(
        typeName: typeName.rawSpan, metadata: metadata.rawSpan, payload: event.payload.rawSpan, secret: secret),
      id: event.id, occurredAt: occurredAt, type: event.type, typeVersion: event.typeVersion)
  }

  private func digest(of session: SessionID) -> Bytes32 {
    if let known = lastSession.withLock({ $0?.name == session ? $0?.digest : nil }) { return known }
    let digest = HashChain.sessionDigest(session, secret: secret)
    lastSession.withLock { $0 = (session, digest) }
    return digest
  }
}
