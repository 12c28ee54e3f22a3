// The snapshot that stands, whichever version of a projector left it: what another fold can be compared with.
internal import Bytes
internal import LMDB
internal import Sodium

/// A stored state, with whose it is and where in its stream.
struct StandingSnapshot {
  var projector: ProjectorIdentity
  var version: StreamVersion
  /// Not checked to be of any form.
  var state: [UInt8]
}

/// What looking for a stored state came to.
enum StandingSnapshotSearch {
  case found(StandingSnapshot)
  /// There are some that could be it, and none of them is whole.
  case damaged
  case none
}

extension SnapshotTable {
  /// The latest whole snapshot by version, at or before `last`, of a projector that is `wanted`.
  ///
  /// Of two at one version, of which one is `own`, it is the other: that is the one to compare with.
  /// - Complexity: O(snapshots of the stream that are passed over)
  static func standing(
    of stream: StreamNumber, atOrBefore last: StreamVersion, own: ProjectorIdentity, _ view: borrowing LogView,
    where isWanted: (ProjectorIdentity) -> Bool
  ) throws(StorageError) -> StandingSnapshotSearch {
    var best: StandingSnapshot?
    var isDamaged = false
    let sealing = try view.index.sealing(of: stream, view.transaction)
    var cursor = try view.transaction.scan(view.tables.snapshots)
    var entry = try cursor.to(atOrBefore: key(stream, .version, last.number, .max))
    while let current = entry {
      guard let version = version(in: current.key, of: stream), best.map({ $0.version == version }) ?? true
      else { break }
      let identity = identity(in: current.value, key: current.key)
      if let identity, !isWanted(identity) {
        // Somebody else's, whether it is whole or not.
      } else if !opens(current.value, key: current.key, sealing) {
        isDamaged = true
      } else if let identity, best == nil || best?.projector == own,
        let state = state(in: current.value, key: current.key, sealing)
      {
        best = StandingSnapshot(projector: identity, version: version, state: state)
      }
      entry = try cursor.toPrevious()
    }
    if let best { return .found(best) }
    return isDamaged ? .damaged : .none
  }

  /// The version that a key stands for; `nil` for what is not a snapshot by version of this stream.
  private static func version(in key: RawSpan, of stream: StreamNumber) -> StreamVersion? {
    guard isOf(stream, .version, key), let found = parts(of: key) else { return nil }
    return StreamVersion(found.number)
  }

  /// Whose a value is; `nil` where it does not say, or says what its key denies: then it is damaged, or of format 1.
  private static func identity(in value: RawSpan, key: RawSpan) -> ProjectorIdentity? {
    guard let bytes = try? SnapshotValue(value).identity.array() else { return nil }
    var reader = ByteReader(bytes.rawSpan)
    guard let identity = try? ProjectorIdentity(decoding: &reader), reader.isAtEnd,
      parts(of: key)?.projector == ProjectorKey(identity).high
    else { return nil }
    return identity
  }

  /// The state in a value, without the highest version before it.
  private static func state(in value: RawSpan, key: RawSpan, _ sealing: SealingKey?) -> [UInt8]? {
    guard let found = try? SnapshotValue(value), let bytes = found.withState(at: key, sealing, { $0.array() }) else {
      return nil
    }
    var reader = ByteReader(bytes.rawSpan)
    guard (try? reader.readVarint()) != nil else { return nil }
    return reader.readRest().array()
  }
}
