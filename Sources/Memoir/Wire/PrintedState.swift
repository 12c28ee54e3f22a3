// A head state as it is printed, kept for whoever asks again.
internal import Bytes
package import EventStore
internal import JSON
internal import Sodium
internal import Synchronization

/// What ``MemoirStore/write(_:with:to:)`` prints of a head state, for as long as it would print the same.
package final class PrintedState: Sendable {
  /// The text.
  package let json: [UInt8]
  /// By which equal texts are known: 32 hexadecimal digits.
  package let digest: String
  /// Between these times, both included, nothing about it changes by itself.
  private let span: ClosedRange<Timestamp>
  private let compressed = Mutex<[UInt8]??>(nil)

  fileprivate init(_ json: [UInt8], span: ClosedRange<Timestamp>) {
    self.json = json
    digest = String(BLAKE2b.digest(json.rawSpan).hexadecimal.prefix(32))
    self.span = span
  }

  fileprivate func isSame(at time: Timestamp) -> Bool { span.contains(time) }

  /// What `compress` makes of the text; it is asked once.
  package func compressed(by compress: ([UInt8]) -> [UInt8]?) -> [UInt8]? {
    compressed.withLock { known in
      if let known { return known }
      let made = compress(json)
      known = .some(made)
      return made
    }
  }

  /// At most: the text, and its compressed form, which is shorter.
  fileprivate var sizeInBytes: Int { 2 * json.count }
}

extension MemoirStore {
  /// What is known of a user now, printed.
  ///
  /// Kept beside the head state, and so gone with it: once the stream goes on, or a payload is removed.
  /// - Throws: `not_found` for a user nobody has heard of.
  package func printedState(of user: StreamName) throws(MemoirError) -> PrintedState {
    do {
      guard let head = try log.state(of: user, by: projector) else { throw MemoirError.noUser(user) }
      if let kept = head.companion as? PrintedState, kept.isSame(at: clock()) { return kept }
      let state = try state(of: user)
      var writer = JSONWriter()
      try write(state, to: &writer)
      let printed = PrintedState(writer.finish(), span: state.clock...lastTimeAsNow(state))
      // If it is a later state, the head that was read before is kept no more, and so nothing beside it.
      log.keep(printed, sizeInBytes: printed.sizeInBytes, beside: head, of: user, by: projector)
      return printed
    } catch {
      throw MemoirError(error)
    }
  }

  /// A time at which a head state still looks as it does by its own clock, and at all times between.
  ///
  /// Facts expire and fade as time goes on, and do not come back by it: what looks the same at two times does so
  /// between them.
  private func lastTimeAsNow(_ state: StateAt) -> Timestamp {
    let (now, facts) = (state.clock, state.facts)
    let nextExpiry = facts.lazy.compactMap(\.expiresAt).min()
    let last = min(
      now.advanced(byMicroseconds: Self.longestLook), nextExpiry?.advanced(byMicroseconds: -1) ?? .latest)
    let isSame = facts.allSatisfy { fact in
      memory.decay.isArchived(fact, at: now) == memory.decay.isArchived(fact, at: last)
    }
    return isSame ? last : now
  }

  /// Microseconds for which it is looked ahead.
  private static let longestLook: Int64 = 60_000_000
}
