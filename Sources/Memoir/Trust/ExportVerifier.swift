// Checking an export without the store it comes from: that its lines are the ones that were exported, that they are the
// events of one chain without a gap, and that a store has signed them.
internal import Bytes
public import EventStore
internal import JSON
internal import Sodium

/// What an export turned out to be.
public struct ExportReport: Hashable, Sendable {
  /// A line that is not what was exported.
  public struct Problem: Hashable, Sendable {
    /// Its number, from 1; one behind the last where something is missing.
    public var line: Int
    /// What is wrong.
    public var reason: String
  }

  /// Whose events they are.
  public let user: StreamName
  /// The store they come from.
  public let storeID: EventID
  /// The key that the export says it is signed with.
  public let publicKey: PublicKey
  /// The version of the first event.
  public let first: StreamVersion
  /// The version of the last event; the one before the first where there is none.
  public let last: StreamVersion
  /// How many events were looked at.
  public internal(set) var events = 0
  /// How many payloads had been removed.
  public internal(set) var redacted = 0
  /// The first line that is wrong.
  public internal(set) var problem: Problem?

  /// Whether it is all that was exported, unchanged.
  public var isSound: Bool { problem == nil }

  init(_ header: ExportHeader) {
    user = header.proof.stream
    storeID = header.storeID
    publicKey = header.publicKey
    first = header.proof.first
    last = header.proof.last
  }
}

/// Checks an export, line by line.
///
/// ```swift
/// var verifier = try ExportVerifier(firstLine: lines[0])
/// for line in lines.dropFirst() { verifier.add(line) }
/// let report = verifier.finish()
/// ```
/// The signature proves that whoever had the store's key made this export. Whose key that is, the export cannot prove:
/// compare it with one that was kept elsewhere, e.g. of an attestation.
public struct ExportVerifier {
  fileprivate let header: ExportHeader
  private let pinned: PublicKey?
  private let schema: EventSchema
  private let parser = JSONParser()
  private var report: ExportReport
  private var lines = LineChain()
  private var chain: StreamChain
  private var number = 1
  private var hasEnded = false

  /// Begins with the first line, which says what follows.
  ///
  /// - Parameters:
  ///   - pinned: The key that it must be signed with; `nil`: the one that it names.
  ///   - schema: The event types that the store had.
  /// - Throws: `invalid_argument`, naming `field`, where it is no such line.
  public init(
    firstLine line: [UInt8], pinned: PublicKey? = nil, schema: EventSchema = .memoir, field: String = "export"
  ) throws(MemoirError) {
    do {
      guard line.starts(with: ExportHeader.beginning) else {
        throw MemoirError.invalid(field: field, "is no export: it does not begin as one")
      }
      header = try JSONParser().parse(line) { node throws in try ExportHeader(node) }
    } catch {
      throw MemoirError(error)
    }
    self.pinned = pinned
    self.schema = schema
    report = ExportReport(header)
    chain = StreamChain(header.proof)
    lines.append(header: line)
    // Otherwise what was checked would not be all that can be read.
    if header.line != line { found("is not as it was exported") }
    if let pinned, pinned != header.publicKey { found("names another key than the one given") }
  }

  /// The next line, without its end.
  public mutating func add(_ line: [UInt8]) {
    number += 1
    guard report.isSound else { return }
    if hasEnded { return found("stands behind the end") }
    do {
      if line.starts(with: ExportEnd.beginning) {
        try checkEnd(line)
      } else {
        try check(line)
      }
    } catch {
      found("is no line of an export: \(MemoirError(error).message)")
    }
  }

  /// The first line that is wrong, of those so far.
  package var problem: ExportReport.Problem? { report.problem }

  /// What it was, after the last line.
  public consuming func finish() -> ExportReport {
    if report.isSound, !hasEnded {
      number += 1
      found("is missing: the export ends before its end")
    }
    return report
  }

  private mutating func found(_ reason: String) {
    report.problem = report.problem ?? ExportReport.Problem(line: number, reason: reason)
  }

  private mutating func check(_ line: [UInt8]) throws {
    // First: a line that is not the one exported is named by its number, whatever it says.
    guard lines.check(event: line) else { return found("is not the line that was exported here") }
    let (incoming, version) = try parser.parse(line) { node throws in
      try ExportedEvent.read(node, schema, now: .earliest)
    }
    let stream = header.proof.stream
    guard incoming.user == stream.user, incoming.namespace == stream.namespace else {
      return found("is of another user")
    }
    guard let version, version == chain.version.next, version <= header.proof.last else {
      return found("is not version \(chain.version.next), which is due")
    }
    chain.append(chain.digest(of: incoming.event))
    report.events += 1
    if incoming.event.isRedacted { report.redacted += 1 }
  }

  private mutating func checkEnd(_ line: [UInt8]) throws {
    hasEnded = true
    let end = try parser.parse(line) { node throws in try ExportEnd(node) }
    guard end.line == line else { return found("is not as it was exported") }
    guard end.proof == lines.value else { return found("is not the end of these lines") }
    guard end.isSigned(by: header.publicKey) else { return found("is not signed with the key that the export names") }
    guard chain.version == header.proof.last else {
      return found("comes after version \(chain.version), and \(header.proof.last) is the last one")
    }
    guard chain.value == header.proof.chainAfter else {
      return found("comes after events that are not those of the stream's chain")
    }
  }
}

/// Reads the lines of a file that may be exports, among others that are plain events: for whoever appends them.
///
/// Each line of an export is checked before it is taken. Whether the export is whole, its last line alone can tell.
package struct ExportReader {
  private let schema: EventSchema
  /// The export that has begun and not ended, and where its events belong.
  private var open: (verifier: ExportVerifier, stream: StreamName, secret: Bytes32)?
  /// Whether an export has begun.
  package private(set) var hasBegun = false

  /// Begins before the first line.
  package init(schema: EventSchema = .memoir) { self.schema = schema }

  /// Checks the next line, and takes it where it is no event.
  ///
  /// - Returns: Whether it is none.
  /// - Throws: ``MemoirError``: `invalid_argument` where it begins as the first line of an export, and is none; `corrupt`
  ///   where it is not what was exported there.
  package mutating func take(_ line: [UInt8]) throws(MemoirError) -> Bool {
    let isEnd = line.starts(with: ExportEnd.beginning)
    if open == nil {
      if isEnd { throw Self.notAsExported("ends here, and has not begun") }
      guard line.starts(with: ExportHeader.beginning) else { return false }
      let verifier = try ExportVerifier(firstLine: line, schema: schema)
      open = (verifier, verifier.header.proof.stream, verifier.header.proof.secret)
      hasBegun = true
    } else {
      open?.verifier.add(line)
    }
    if let problem = open?.verifier.problem { throw Self.notAsExported(problem.reason) }
    if isEnd { open = nil }
    return isEnd || line.starts(with: ExportHeader.beginning)
  }

  /// Ends after the last line.
  ///
  /// - Throws: `corrupt` where the last export has not ended.
  package mutating func finish() throws(MemoirError) {
    defer { open = nil }
    if let problem = open?.verifier.finish().problem { throw Self.notAsExported(problem.reason) }
  }

  private static func notAsExported(_ reason: String) -> MemoirError { MemoirError(.corrupt, "export: \(reason)") }

  /// Whether lines are plain events: no export has begun that has not ended.
  package var isIdle: Bool { open == nil }

  /// An append that begins with an event, by which the stream has the same digests as where it was exported, if this is
  /// its export and it begins here.
  package func append(_ event: EventData, to stream: StreamName) -> StreamAppend {
    var append = StreamAppend([event], to: stream)
    if let open, open.stream == stream { append.secret = open.secret }
    return append
  }

  /// Reads an event.
  ///
  /// One of an export is taken as it was stored there, so that its digest is the same here.
  /// - Throws: As ``EventJSON/read(_:with:now:)``.
  package func read(_ line: [UInt8], with parser: JSONParser, now: Timestamp) throws(MemoirError) -> IncomingEvent {
    let limits = JSONLimits(depth: Limits.depth, sizeInBytes: 3 * Limits.eventSize)
    do {
      return try parser.parse(line.span, limits: limits) { node throws in
        let incoming = try ExportedEvent.read(node, schema, now: now).event
        guard node["stored"] != nil, let user = incoming.user else { return incoming }
        // What people see decides; a stored form that says something else would come in unseen.
        if ExportedEvent.isShown(incoming.event, by: node, of: StreamName(user), schema) { return incoming }
        return try EventJSON.read(node, now: now)
      }
    } catch {
      throw MemoirError(error)
    }
  }
}
