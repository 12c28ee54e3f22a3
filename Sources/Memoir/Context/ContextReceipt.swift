// What an assistant was given, kept: so that one can say later what it knew when it said something.
//
// A receipt is a record of the store, not an event: it says nothing about the person that the log does not. It holds the
// answer as it was handed out, byte for byte, and goes with the person when they are erased.
internal import Bytes
public import EventStore
internal import JSON
internal import Sodium

/// The id of a receipt: a UUIDv7, so that receipts lie in the order of time.
public struct ReceiptID: Hashable, Sendable, CustomStringConvertible {
  let id: EventID

  init(_ id: EventID) { self.id = id }

  /// Reads an id.
  ///
  /// - Throws: ``InvalidValue`` where it is no UUID.
  public init(_ text: String, field: String = "receipt") throws(InvalidValue) { id = try EventID(text, field: field) }

  /// As it is printed.
  public var description: String { id.description }

  /// Comes before all receipts of `time` and later.
  static func first(at time: Timestamp) -> ReceiptID {
    ReceiptID(EventID(high: UInt64(time.microseconds / 1_000) << 16, low: 0))
  }

  /// The bytes of its record's key.
  var key: [UInt8] {
    var writer = ByteWriter(capacity: 16)
    id.write(into: &writer)
    return writer.bytes
  }
}

/// What was handed out as context.
public struct ContextReceipt: Sendable {
  /// Its id.
  public let id: ReceiptID
  /// Who was spoken of.
  public private(set) var user: StreamName
  /// When it was handed out.
  public let createdAt: Timestamp
  /// What was asked.
  public private(set) var query: String
  /// The tokens that were allowed.
  public let budget: Int
  /// What counted them.
  public let counter: String
  /// The point that was asked for.
  public let asOf: AsOfText
  /// The highest version of the person's stream that could have gone into it.
  public let version: StreamVersion
  /// The log's last position then.
  public let position: LogPosition
  /// BLAKE2b-256 of the text, in hexadecimal digits.
  public private(set) var digest: String
  /// What was needed, and what came of it.
  public let figures: Figures
  /// The answer as it was handed out; empty where the person was erased since.
  public private(set) var answer: [UInt8]
  /// When the person was erased, where that was after the receipt.
  public private(set) var erasedAt: Timestamp?

  /// Figures of one context, from which the effectiveness of all is made.
  public struct Figures: Sendable, Hashable {
    /// The tokens of the text.
    public var tokens = 0
    /// Facts in it.
    public var facts = 0
    /// Sessions' summaries in it.
    public var sessions = 0
    /// Messages in it.
    public var messages = 0
    /// Everything else in it.
    public var others = 0
    /// Whether anything in it met something of the question.
    public var isHit = false
    /// How long it took to assemble, in microseconds.
    public var microseconds: UInt64 = 0
  }
}

extension MemoirStore {
  /// How often a context is assembled anew since something of it was taken out meanwhile.
  private static let patience = 20

  /// Assembles a context and keeps a receipt of it.
  ///
  /// - Returns: The context, and its receipt, by which all of it can be had again; `nil` where the store was opened for
  ///   reading only, of somebody without events, whom an erasure would not find, and of somebody who was erased meanwhile.
  /// - Throws: As ``context(_:for:at:)``.
  public func contextWithReceipt(
    _ request: ContextRequest, for user: StreamName, at point: AsOfText = .now
  ) async throws(MemoirError) -> (context: ContextPackage, receipt: ContextReceipt?) {
    let clock = ContinuousClock()
    let begin = clock.now
    do {
      // Before anything of the person is read.
      let asked = try log.isReadOnly ? nil : log.quotedStream(user)
      for _ in 0..<Self.patience {
        let stream = try asked == nil ? nil : log.quotedStream(user)
        let context = try await self.context(request, for: user, at: point)
        // The question, too, is of before an erasure in between.
        guard let stream, stream == asked else { return (context, nil) }
        let receipt = try receipt(of: context, request, took: clock.now - begin)
        let isKept = try await log.keepRecord(
          receipt.encoded(), at: receipt.id.key, in: .receipts, quoting: context.items.map(\.event.version), of: stream)
        if isKept { return (context, receipt) }
      }
    } catch {
      throw MemoirError(error)
    }
    throw MemoirError(.unavailable, "what is known of \(user.user) is being taken out without a pause; try again")
  }

  private func receipt(
    of context: ContextPackage, _ request: ContextRequest, took duration: Duration
  ) throws(StorageError) -> ContextReceipt {
    let now = clock()
    let id = ReceiptID(.generate(at: now))
    var writer = JSONWriter()
    writer.write(context, receipt: id)
    var figures = ContextReceipt.Figures()
    figures.tokens = context.tokens
    for item in context.items {
      switch item.kind {
      case "fact": figures.facts += 1
      case "summary": figures.sessions += 1
      case "message": figures.messages += 1
      default: figures.others += 1
      }
      if item.isHit { figures.isHit = true }
    }
    figures.microseconds = UInt64(max(0, duration / .microseconds(1)))
    let text = Array(context.text.utf8)
    return ContextReceipt(
      id: id, user: context.user, createdAt: now, query: request.query, budget: request.budget,
      counter: memory.tokenCounter.name, asOf: context.asOf, version: context.version, position: try log.lastPosition(),
      digest: BLAKE2b.digest(text.rawSpan).hexadecimal, figures: figures, answer: writer.finish())
  }

  /// A receipt: what was handed out then, whatever became of the memory since.
  ///
  /// Of a person who was erased since, it says when, and has no text.
  /// - Parameter namespace: Of whose users it may be; `nil`: of any.
  /// - Throws: `not_found` where there is no such receipt, or it is of another namespace.
  public func receipt(_ id: ReceiptID, in namespace: Namespace? = nil) throws(MemoirError) -> ContextReceipt {
    let missing = MemoirError(.notFound, "there is no receipt \(id)", details: .object("receipt", id.description))
    do {
      guard let record = try log.record(at: id.key, in: .receipts) else { throw missing }
      var reader = ByteReader(record.rawSpan)
      let receipt = try ContextReceipt(id, decoding: &reader)
      if let namespace, receipt.user.namespace != namespace { throw missing }
      return receipt
    } catch is DamagedBytes {
      throw MemoirError(.corrupt, "the receipt \(id) is damaged")
    } catch {
      throw MemoirError(error)
    }
  }

  /// Lends the receipts handed out in a span of time to `body`, in order.
  ///
  /// - Parameter damaged: Called for a damaged one, which is passed over; without it, that is thrown.
  func forEachReceipt(
    from since: Timestamp, through until: Timestamp, damaged: (() -> Void)? = nil, _ body: (ContextReceipt) -> Void
  ) throws(StorageError) {
    let passOver = damaged.map { damaged in { (_: RawSpan) in damaged() } }
    try log.forEachRecord(
      in: .receipts, from: ReceiptID.first(at: since).key, damaged: passOver
    ) { key, value throws(DamagedBytes) in
      var id = ByteReader(key)
      var reader = ByteReader(value)
      let receipt = try ContextReceipt(ReceiptID(try EventID(reading: &id)), decoding: &reader)
      if receipt.createdAt > until { return false }
      if receipt.createdAt >= since { body(receipt) }
      return true
    }
  }
}

extension ContextReceipt {
  private static let form: UInt8 = 1
  /// When the person was erased stands behind it; else it is as before, without user, question and answer.
  private static let erasedForm: UInt8 = 2

  /// What is left of it when the person is erased: what it was like, and neither whose nor what it said.
  func erased(at time: Timestamp) -> ContextReceipt {
    var receipt = self
    receipt.user = StreamName(namelessIn: user.namespace)
    (receipt.query, receipt.digest, receipt.answer) = ("", "", [])
    receipt.erasedAt = time
    return receipt
  }

  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: answer.count + 256)
    writer.write(erasedAt == nil ? Self.form : Self.erasedForm)
    if let erasedAt { writer.writeVarint(UInt64(erasedAt.microseconds)) }
    writer.writeString(user.namespace.description)
    writer.writeString(user.user.description)
    writer.writeVarint(UInt64(createdAt.microseconds))
    writer.writeString(query)
    writer.writeVarint(budget)
    writer.writeString(counter)
    writer.writeString(asOf.description)
    writer.writeVarint(version.number)
    writer.writeVarint(position.number)
    writer.writeString(digest)
    for count in [figures.tokens, figures.facts, figures.sessions, figures.messages, figures.others] {
      writer.writeVarint(count)
    }
    writer.write(figures.isHit ? 1 : 0 as UInt8)
    writer.writeVarint(figures.microseconds)
    writer.writeLengthPrefixed(answer)
    return writer.bytes
  }

  init(_ id: ReceiptID, decoding reader: inout ByteReader) throws(DamagedBytes) {
    let form = try reader.readUInt8()
    guard form == Self.form || form == Self.erasedForm else { throw DamagedBytes() }
    self.id = id
    erasedAt = form == Self.erasedForm ? try reader.readTime() : nil
    let (namespace, name) = (try reader.readString(), try reader.readString())
    guard let namespace = try? Namespace(namespace) else { throw DamagedBytes() }
    if erasedAt == nil {
      guard let name = try? UserID(name) else { throw DamagedBytes() }
      user = StreamName(name, in: namespace)
    } else {
      user = StreamName(namelessIn: namespace)
    }
    createdAt = try reader.readTime()
    query = try reader.readString()
    budget = Int(clamping: try reader.readVarint())
    counter = try reader.readString()
    guard let point = try? AsOfText(try reader.readString()) else { throw DamagedBytes() }
    asOf = point
    version = StreamVersion(try reader.readVarint())
    position = LogPosition(try reader.readVarint())
    digest = try reader.readString()
    var figures = Figures()
    figures.tokens = Int(clamping: try reader.readVarint())
    figures.facts = Int(clamping: try reader.readVarint())
    figures.sessions = Int(clamping: try reader.readVarint())
    figures.messages = Int(clamping: try reader.readVarint())
    figures.others = Int(clamping: try reader.readVarint())
    figures.isHit = try reader.readUInt8() != 0
    figures.microseconds = try reader.readVarint()
    self.figures = figures
    answer = try reader.readLengthPrefixed().array()
  }
}
