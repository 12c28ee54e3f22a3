// All that is kept of a user, to take away: events that can be imported again, with the proof that they are all, and
// unchanged.
internal import Bytes
public import EventStore
internal import JSON
internal import Sodium

/// An export under way: gives out its lines, some at a time.
///
/// ```swift
/// var export = try store.export(of: bob)
/// while let lines = try export.next() { try file.write(lines) }
/// ```
/// It begins after the last erasure, and holds what there is when it begins; an event whose payload was removed is there
/// with its digest. It has the stream's secret in it, without which nobody could recompute a digest, so it is as
/// confidential as what it tells.
public struct StreamExport: Sendable {
  private let log: EventLog
  private let key: StoreKey
  private let header: ExportHeader
  private var lines = LineChain()
  /// Worked out of the events as they are read, to be the one that the first line names.
  private var chain: StreamChain
  private var place = Place.beginning

  private enum Place {
    case beginning
    case events(StreamVersion)
    case end
    case done
  }

  fileprivate init(_ log: EventLog, _ key: StoreKey, _ proof: StreamProof) {
    self.log = log
    self.key = key
    header = ExportHeader(storeID: log.storeID, publicKey: key.publicKey, proof: proof)
    chain = StreamChain(proof)
  }

  /// How many events it has.
  public var eventCount: UInt64 { header.proof.last.number + 1 - header.proof.first.number }

  /// The next lines; `nil` after the last.
  ///
  /// - Throws: `corrupt` where the store is damaged; `unavailable` where the user was erased since it began.
  public mutating func next() throws(MemoirError) -> [UInt8]? {
    do {
      switch place {
      case .beginning:
        let line = header.line
        lines.append(header: line)
        place = eventCount > 0 ? .events(header.proof.first) : .end
        return line + [UInt8(ascii: "\n")]
      case .events(let version): return try events(from: version)
      case .end:
        guard chain.value == header.proof.chainAfter else {
          throw MemoirError(
            .unavailable, "the history of \(header.proof.stream) changed while it was exported; try again")
        }
        place = .done
        return ExportEnd(proof: lines.value, signedBy: key).line + [UInt8(ascii: "\n")]
      case .done: return nil
      }
    } catch {
      throw MemoirError(error)
    }
  }

  private mutating func events(from version: StreamVersion) throws -> [UInt8] {
    let proof = header.proof
    let page = try log.readStored(proof.stream, secret: proof.secret, version...proof.last)
    let parser = JSONParser()
    var text: [UInt8] = []
    for stored in page.events {
      chain.append(stored.digest)
      var line = try ExportedEvent.line(stored, saysForm: false)
      if !stored.event.isRedacted, !Self.leads(line, to: stored, by: chain, log.schema, parser) {
        line = try ExportedEvent.line(stored, saysForm: true)
        guard Self.leads(line, to: stored, by: chain, log.schema, parser) else {
          throw MemoirError(
            .unavailable,
            "version \(stored.event.version) of \(proof.stream) cannot be exported: this program does not know its type"
          )
        }
      }
      text += lines.append(event: line)
      text.append(UInt8(ascii: "\n"))
    }
    place = page.next.map { .events($0) } ?? .end
    return text
  }

  /// Whether whoever reads a line comes to the digest that the log has.
  private static func leads(
    _ line: [UInt8], to stored: StoredEvent, by chain: StreamChain, _ schema: EventSchema, _ parser: JSONParser
  ) -> Bool {
    let event = try? parser.parse(line + [UInt8(ascii: "}")]) { node throws in
      try ExportedEvent.read(node, schema, now: .earliest).event.event
    }
    return event.map { chain.digest(of: $0) == stored.digest } ?? false
  }
}

extension MemoirStore {
  /// Begins to export all that is kept of a user.
  ///
  /// - Throws: `not_found` for a user nobody has heard of; `forbidden` where the store has no key yet to sign with and was
  ///   opened for reading only.
  public func export(of user: StreamName) throws(MemoirError) -> StreamExport {
    do {
      while true {
        let first = try log.firstUnerasedVersion(of: user)
        guard let proof = try log.proof(of: user, from: first) else { throw MemoirError.noUser(user) }
        // Unless somebody has erased the user in between.
        if try log.firstUnerasedVersion(of: user) == first { return StreamExport(log, try signingKey(), proof) }
      }
    } catch {
      throw MemoirError(error)
    }
  }

  /// Writes all that is kept of a user as JSON Lines, which `memoir append` takes again: some at a time.
  ///
  /// - Throws: As ``export(of:)``, or what `body` throws.
  public func export(_ user: StreamName, _ body: ([UInt8]) throws -> Void) throws {
    var export = try export(of: user)
    while let lines = try export.next() { try body(lines) }
  }
}
