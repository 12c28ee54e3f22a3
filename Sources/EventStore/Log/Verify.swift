// Proving the log: every record, every link, both chains, and that the index tables say what the log says.
internal import Bytes
internal import JSON
internal import LMDB
internal import Sodium
internal import Synchronization

/// Something that is not as it was written.
public struct VerifyProblem: Sendable, Hashable {
  /// What it concerns.
  public enum Kind: String, Sendable {
    /// An event: what people said is changed, gone, or was never said.
    case log
    /// Derived data: can be rebuilt.
    case derived
    /// The store's own records, which nothing can make anew.
    case records
    /// The file as such.
    case file
  }

  /// What it concerns.
  public var kind: Kind
  /// Where in the log; `nil` where it is not about one place.
  public var position: LogPosition?
  /// Whose event, as far as can be told.
  public var stream: StreamName?
  /// Its version, as far as can be told.
  public var version: StreamVersion?
  /// What is wrong.
  public var reason: String
}

/// What a verification found.
public struct VerifyReport: Sendable {
  /// How many records were looked at; where only a namespace is reported of, how many it has.
  public var events: UInt64 = 0
  /// How many streams they belong to.
  public var streams = 0
  /// How many say nothing any more, since that was taken out.
  public var redacted = 0
  /// How many of those stand before an erasure of their person; the others were taken out one by one, as retention does.
  public var erased = 0
  /// How many times a person was erased.
  public var erasures = 0
  /// How many snapshots were looked at.
  public var snapshots = 0
  /// How many entries the access log has.
  public var accesses: UInt64 = 0
  /// The value of the access log's chain there, in hexadecimal.
  public var accessChain = ""
  /// The last position verified.
  public var position: LogPosition = 0
  /// Of a restored store, how many people were erased again, since they were erased after the backup was made.
  public internal(set) var erasedAgain = 0
  /// How many events of theirs.
  public internal(set) var eventsErasedAgain: UInt64 = 0
  /// The value of the log's chain there, in hexadecimal: it stands for all that came before.
  public var chain = ""
  /// What was found, by position; at most ``limit``.
  public var problems: [VerifyProblem] = []
  /// How many problems there are, also beyond the list.
  public var problemCount = 0

  /// Problems listed at most.
  public static let limit = 1_000

  /// Whether all is as it was written.
  public var isSound: Bool { problemCount == 0 }

  mutating func add(_ problem: VerifyProblem) {
    problemCount += 1
    if problems.count < Self.limit { problems.append(problem) }
  }
}

/// The verification under way: what the records seen so far add up to.
private struct Verifier {
  struct Stream {
    /// Under which the last record was written, as the log has it.
    var epoch: StreamEpoch
    /// The same with its keys.
    var unlocked: StreamEpoch
    var name: StreamName { epoch.name }
    var version: StreamVersion = 0
    var position: LogPosition = 0
    var chain = Bytes32.zero
    var streamDigest: Bytes32
    /// What its name was hashed to, where that was erased.
    var nameHashes: Set<Bytes32> = []
    var firstOccurredAt: Timestamp = .earliest
    var lastOccurredAt: Timestamp = .earliest
    var sessions: [StreamVersion: Bytes32] = [:]
    /// Whether a record of it could not be used: then its chain says nothing.
    var isBroken = false
    /// Records that say nothing any more; those of them that an erasure stands behind; erasures.
    var redacted = 0, erased = 0, erasures = 0
    /// What the index says, to be compared when the version is reached.
    var stored: StreamHead?
  }

  var report = VerifyReport()
  var streams: [StreamNumber: Stream] = [:]
  var chain = Bytes32.zero
  var digests: [Bytes32] = []
  var requestStart: LogPosition = 1
  var recordedAt: Timestamp = .earliest
  var isInRequest = false
  /// Whether a record of the request could not be used.
  var isRequestBroken = false
  /// Streams whose first record could not be used: nobody can tell whose they are.
  var unnamed: Set<StreamNumber> = []
  /// The last position that runs hold.
  let sealedEnd: LogPosition
  let hashSeed: UInt64
  /// What the end of the log was once.
  let known: LogHead?
  /// Of the streams of other namespaces nothing is reported; `nil`: all are.
  let namespace: Namespace?
  private var isKnownPassed = false
  private var contents = ContentReader()

  init(sealedEnd: LogPosition, hashSeed: UInt64, known: LogHead?, namespace: Namespace?) {
    self.sealedEnd = sealedEnd
    self.hashSeed = hashSeed
    self.known = known
    self.namespace = namespace
  }

  mutating func problem(
    _ reason: String, at position: LogPosition? = nil, _ kind: VerifyProblem.Kind = .log,
    stream: StreamName? = nil, version: StreamVersion? = nil
  ) {
    if let namespace, let stream, stream.namespace != namespace { return }
    report.add(
      VerifyProblem(kind: kind, position: position, stream: stream, version: version, reason: reason))
  }

  mutating func unusable(_ reason: String, at position: LogPosition) {
    problem(reason, at: position)
    isRequestBroken = true
    isInRequest = true
  }

  mutating func check(
    _ window: LogWindow, at position: LogPosition, _ view: borrowing LogView
  ) throws(StorageError) {
    guard let bytes = window.bytes(at: position, in: view) else {
      return unusable("the record is missing", at: position)
    }
    do throws(RecordProblem) {
      let record = try RecordView(bytes, at: position)
      do throws(StorageError) {
        try check(record, view)
      } catch {
        problem(error.description, at: position, .derived)
      }
    } catch {
      unusable(StorageError(error, at: position).reason, at: position)
      // What it says of itself may be what is damaged, unless it is what must be here.
      if let link = try? RecordLink(bytes, at: position), link.version == 1, link.previous == 0,
        link.stream == dueStream
      {
        unnamed.insert(link.stream)
      }
    }
  }

  /// The number of the stream that is to begin next.
  private var dueStream: StreamNumber { StreamNumber(streams.count + unnamed.count + 1) }

  private mutating func check(_ record: borrowing RecordView, _ view: borrowing LogView) throws(StorageError) {
    let position = record.position
    if isInRequest {
      if !isRequestBroken, record.recordedAt != recordedAt {
        problem("its recorded-at differs from that of its request", at: position)
      }
    } else {
      requestStart = position
      if record.recordedAt <= recordedAt, position > 1 { problem("its recorded-at goes back", at: position) }
    }
    recordedAt = max(recordedAt, record.recordedAt)
    isInRequest = true
    try checkInStream(record, view)
    if let stored = record.chain {
      let value = HashChain.step(chain, first: requestStart, recordedAt: record.recordedAt, digests: digests)
      if value != stored, !isRequestBroken {
        problem(
          requestStart == position
            ? "the log's chain breaks here"
            : "the log's chain breaks in the request of positions \(requestStart) to \(position)",
          at: position)
      }
      if let known, known.position == position {
        isKnownPassed = true
        if known.chain != value.hexadecimal || known.recordedAt != record.recordedAt {
          problem("the history up to here is not the one that was attested", at: position)
        }
      }
      // Go on from what is written, or one break would be reported at every request after it.
      chain = stored
      digests.removeAll(keepingCapacity: true)
      isInRequest = false
      isRequestBroken = false
    }
  }

  /// Whether the log came past what its end was once; asked after the last record.
  mutating func checkKnown(last: LogPosition) {
    guard let known, !isKnownPassed else { return }
    if known.position > last {
      problem(
        "the log ends at \(last): what was attested up to \(known.position) is not there any more",
        at: last == 0 ? nil : last)
    } else if known.position > 0 {
      problem("no append ends here, and one did when it was attested", at: known.position)
    } else if known.chain != LogHead.empty.chain {
      problem("the history attested is not this one")
    }
  }

  private mutating func checkInStream(
    _ record: borrowing RecordView, _ view: borrowing LogView
  ) throws(StorageError) {
    let position = record.position
    if streams[record.stream] == nil {
      guard let epoch = try? record.epoch() else {
        return unusable(
          unnamed.contains(record.stream)
            ? "nobody can tell whose it is, since its stream's first event is damaged"
            : "it belongs to a stream that never began", at: position)
      }
      let name = epoch.name
      if record.stream != dueStream {
        problem("its stream's number is \(record.stream), not \(dueStream)", at: position, stream: name)
      }
      var stored: StreamHead?
      do throws(StorageError) {
        stored = try view.index.storedHead(of: record.stream, in: view.transaction)
      } catch {
        problem(error.description, at: position, .derived, stream: name)
      }
      let unlocked = unlock(epoch, of: record, view)
      streams[record.stream] = Stream(
        epoch: epoch, unlocked: unlocked, streamDigest: unlocked.digest, stored: stored)
    }
    guard var stream = streams.removeValue(forKey: record.stream) else { return }
    defer { streams[record.stream] = stream }
    if let epoch = try? record.epoch() {
      if record.version > 1 {
        checkBegin(of: epoch, behind: stream, record)
        stream.epoch = epoch
        stream.unlocked = unlock(epoch, of: record, view)
        stream.streamDigest = stream.unlocked.digest
      }
      if let erased = epoch.erased { stream.nameHashes.insert(erased.hash) }
      if record.isTombstone { (stream.erasures, stream.erased) = (stream.erasures + 1, stream.redacted) }
    }
    if record.flags.contains(.redacted) { stream.redacted += 1 }
    if stream.epoch.erased != nil, !record.isTombstone, !record.flags.contains(.redacted) {
      problem("it was written before an erasure and says something", at: position, version: record.version)
    }
    if record.version != stream.version.next {
      problem(
        "it is version \(record.version) of its stream, where \(stream.version.next) is due", at: position,
        stream: stream.name, version: record.version)
      stream.isBroken = true
    }
    if record.previous != stream.position, !stream.isBroken {
      problem(
        "it says that its stream's event before is at \(record.previous), not at \(stream.position)",
        at: position,
        stream: stream.name, version: record.version)
    }
    let isLate = record.version > 1 && record.occurredAt < stream.lastOccurredAt
    if isLate != record.flags.contains(.isLate), !stream.isBroken {
      problem("it is \(isLate ? "" : "not ")late, and says otherwise", at: position, stream: stream.name)
    }
    var session = Bytes32.zero
    if record.session > 0 {
      if record.session == record.version, let name = try? record.nameOfSession() {
        session = HashChain.sessionDigest(name, secret: stream.unlocked.secret)
        stream.sessions[record.version] = session
      } else if record.session == record.version, let digest = try? record.digestOfSession() {
        session = digest
        stream.sessions[record.version] = session
      } else if let known = stream.sessions[record.session] {
        session = known
      } else {
        problem("its session was never named", at: position, stream: stream.name, version: record.version)
      }
    }
    var payload: Bytes32?
    do throws(StorageError) {
      try contents.open(record, in: stream.unlocked)
      payload = try contents.payloadDigest(of: record, secret: stream.unlocked.secret)
    } catch {
      problem(error.reason, at: position, stream: stream.name, version: record.version)
    }
    let digest = HashChain.eventDigest(
      stream: stream.streamDigest, session: session, payload: payload ?? .zero, id: record.id,
      occurredAt: record.occurredAt, type: record.type, typeVersion: record.typeVersion)
    if digest.prefix32 != record.tag {
      if payload != nil {
        problem(
          "its content is not what was appended", at: position, stream: stream.name, version: record.version)
      }
      stream.isBroken = true
      isRequestBroken = true
    }
    digests.append(digest)
    stream.chain = HashChain.step(stream.chain, digest, record.version)
    stream.version = record.version
    stream.position = position
    if record.version == 1 { stream.firstOccurredAt = record.occurredAt }
    stream.lastOccurredAt = max(stream.lastOccurredAt, record.occurredAt)
    do throws(StorageError) { try checkIndex(record, stream, view) } catch {
      problem(error.description, at: position, .derived, stream: stream.name)
    }
  }

  /// Adds up what was seen of each stream.
  mutating func countStreams() {
    let counted = streams.values.filter { namespace == nil || $0.name.namespace == namespace }
    report.streams = counted.count
    if namespace != nil { report.events = counted.reduce(0) { $0 + $1.version.number } }
    for stream in counted {
      report.redacted += stream.redacted
      report.erased += stream.erased
      report.erasures += stream.erasures
    }
  }

  /// An epoch with its keys; without, where they are gone: then none of its records opens.
  private mutating func unlock(
    _ epoch: StreamEpoch, of record: borrowing RecordView, _ view: borrowing LogView
  ) -> StreamEpoch {
    do throws(StorageError) { return try view.index.unlocked(epoch, of: record.stream, view.transaction) } catch {
      problem(error.reason, at: record.position, stream: epoch.name, version: record.version)
      return epoch
    }
  }

  /// What comes behind an erasure, and nothing else, is written under a name of its own.
  private mutating func checkBegin(of epoch: StreamEpoch, behind stream: Stream, _ record: borrowing RecordView) {
    if stream.epoch.erased == nil {
      problem("it names its stream again", at: record.position, stream: stream.name, version: record.version)
    } else if epoch.name.namespace != stream.name.namespace {
      problem("it moves its stream to another namespace", at: record.position, version: record.version)
    }
  }

  /// What the tables must say of an event that they have taken over.
  private mutating func checkIndex(
    _ record: borrowing RecordView, _ stream: Stream, _ view: borrowing LogView
  ) throws(StorageError) {
    if let stored = stream.stored, stored.version == record.version {
      if stored.position != record.position {
        problem(
          "the index has the stream's head elsewhere", at: record.position, .derived, stream: stream.name)
      }
      if stored.epoch != stream.epoch || stored.firstOccurredAt != stream.firstOccurredAt
        || stored.lastOccurredAt != stream.lastOccurredAt
      {
        problem(
          "the index has the stream's name, secret or times otherwise", at: record.position, .derived,
          stream: stream.name)
      }
      if stored.chain != stream.chain, !stream.isBroken {
        problem(
          "the stream's chain is not the one noted at version \(stored.version)", at: record.position,
          stream: stream.name, version: record.version)
      }
    }
    guard record.position <= sealedEnd else { return }
    func find(_ what: String, _ isRight: Bool) {
      if !isRight { problem("the index lacks \(what)", at: record.position, .derived, stream: stream.name) }
    }
    let tables = view.tables
    find("whose it is", try view.index.stream(at: record.position, view.transaction) == record.stream)
    let idHash = IdentityHash.event(record.id, of: record.stream, seed: hashSeed)
    find("its id", try view.holds(idHash, at: record.position))
    if record.version.number % Anchor.interval == 0 {
      let anchor = try view.index.anchor(of: record.version, in: record.stream, view.transaction)
      find("its anchor", anchor == Anchor(position: record.position, lastOccurredAt: stream.lastOccurredAt))
    }
    if record.flags.contains(.namesSession), let name = try? record.nameOfSession() {
      let hash = IdentityHash.session(name, of: record.stream, seed: hashSeed)
      find("its session's name", try view.holds(hash, at: record.position))
      let entry = try view.transaction.fetchIndexed(
        Key.stream(record.stream, record.version.number), from: tables.sessions, named: "sessions")
      let expected = SessionEntry(firstOccurredAt: record.occurredAt, name: name).encode()
      find("its session", entry?.isSame(as: expected.rawSpan) ?? false)
    }
    if record.flags.contains(.isLate) {
      let key = Key.stream(record.stream, UInt64(record.occurredAt.microseconds), record.version.number)
      let entry = try view.transaction.fetchIndexed(key, from: tables.late, named: "late")
      var expected = ByteWriter(capacity: 8)
      expected.writeVarint(record.position.number)
      find("that it is late", entry?.isSame(as: expected.bytes.rawSpan) ?? false)
    }
  }
}

extension LogView {
  /// Whether the index leads from a hash to a position that a run holds.
  fileprivate func holds(_ hash: UInt64, at position: LogPosition) throws(StorageError) -> Bool {
    guard let run = index.catalog.index(of: position) else { return false }
    var isFound = false
    // Each piece is looked through once, with the tables.
    try RunIdentities.positions(of: hash, in: index.catalog.runs[run], transaction, tables, isChecked: true) {
      isFound = isFound || $0 == position
    }
    return isFound
  }
}

extension EventLog {
  /// Proves that the log is what was appended: every record whole, none missing, reordered or put in, the chains
  /// unbroken; that the derived tables say the same; and that the store's own records are whole. Where a page of the file is damaged, that is all it says.
  ///
  /// - Parameters:
  ///   - known: What the end of the log was once: whether all up to there is still the same. What was lawfully removed
  ///     since makes no difference.
  ///   - isSigned: Whether a statement was signed so: asked about every tombstone. Without, nobody is asked.
  ///   - namespace: Report only of its streams, and of what is about no stream: the log is one, and read as a whole.
  ///   - progress: Told now and then how many of how many positions are done.
  /// - Throws: ``StorageError`` only where nothing can be read at all; what is found wrong is in the report.
  /// - Complexity: O(events), about five microseconds each; memory for the streams and sessions there are, and 16 bytes
  ///   for each event of a run.
  public func verify(
    against known: LogHead? = nil, in namespace: Namespace? = nil,
    signedBy isSigned: ((_ statement: [UInt8], _ signature: [UInt8]) -> Bool)? = nil,
    progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
  ) throws(StorageError) -> VerifyReport {
    if let problem = try damageOfFile() {
      var report = VerifyReport()
      report.add(VerifyProblem(kind: .file, reason: problem.description))
      return report
    }
    for _ in 1..<Self.verifyPatience {
      let before = try? removed()
      let report = try verifyLog(against: known, in: namespace, signedBy: isSigned, progress: progress)
      // What was taken out meanwhile was seen whole in one place, and gone in another.
      if report.isSound || (try? removed()) == before { return report }
    }
    return try verifyLog(against: known, in: namespace, signedBy: isSigned, progress: progress)
  }

  /// How often the log is read again since somebody was erased while it was verified.
  private static let verifyPatience = 4

  /// What was ever taken out; without the tail, which may hold a damaged record.
  private func removed() throws(StorageError) -> Redactions {
    let transaction = try readRecords()
    return try Redactions.read(in: transaction, tables)
  }

  private func verifyLog(
    against known: LogHead?, in namespace: Namespace?,
    signedBy isSigned: ((_ statement: [UInt8], _ signature: [UInt8]) -> Bool)?,
    progress: (_ done: UInt64, _ total: UInt64) -> Void
  ) throws(StorageError) -> VerifyReport {
    var verifier: Verifier
    let last: LogPosition
    let isLastPlausible: Bool
    do {
      let view = try LogView(ofTables: environment, tail: tail, schema: schema)
      last = view.last
      isLastPlausible = (try? view.index.catalog.lastPosition(in: view.transaction, tables)) == last
      verifier = Verifier(
        sealedEnd: view.index.catalog.end, hashSeed: tail.hashSeed, known: known, namespace: namespace)
    }
    var due: LogPosition = 1
    var isDone = last == 0
    while !isDone {
      // A new view now and then: one for all of a long log would keep its pages from being used again.
      let view = try LogView(ofTables: environment, tail: tail, schema: schema)
      let window = try LogWindow(due...last, in: view)
      while !isDone, due <= window.last {
        try verifier.check(window, at: due, view)
        verifier.report.events += 1
        isDone = due == last
        due = due.next
        if due.number % 65_536 == 0 { progress(verifier.report.events, last.number) }
      }
      progress(verifier.report.events, last.number)
    }
    if !isLastPlausible { verifier.unusable("what follows has a damaged key", at: last.next) }
    if verifier.isInRequest { verifier.problem("the log ends within a request", at: last) }
    verifier.checkKnown(last: last)
    try checkTables(&verifier, through: last)
    var records = RecordVerifier(self)
    try records.run()
    for reason in records.problems { verifier.problem(reason, .records) }
    if let isSigned {
      for reason in try unsignedTombstones(isSigned) { verifier.problem(reason, .records) }
    }
    verifier.report.accesses = records.journal.count
    verifier.report.accessChain = records.journal.chain.hexadecimal
    verifier.report.position = last
    verifier.report.chain = verifier.chain.hexadecimal
    verifier.countStreams()
    return verifier.report
  }

  /// What is wrong with the pages of the file; `nil` where LMDB can be trusted with them.
  ///
  /// LMDB believes a damaged page: copying it may end the process, and dropping it may free what is in use.
  /// - Complexity: Reads the file once.
  private func damageOfFile() throws(StorageError) -> FileCheck.Problem? {
    do throws(LMDBError) { return try environment.check(.full).problem } catch { throw StorageError(error) }
  }

  /// Refuses a file with a damaged page, before something is done that touches all of them.
  func refuseDamagedFile() throws(StorageError) {
    if let problem = try damageOfFile() { throw StorageError(LMDBError.damaged(problem)) }
  }

  /// So many pages are looked at before a process writes to a file for the first time: some milliseconds.
  private static let pagesBeforeWriting = 4_096

  /// Refuses to write to a file with a damaged page: LMDB would write in place to one that passes for its own copy, and
  /// that ends the process. Of a large file, looking at all would take too long.
  func refuseWritingToDamagedFile() throws(StorageError) {
    let pages: Int
    do throws(LMDBError) { pages = try environment.information().pages } catch { throw StorageError(error) }
    if pages <= Self.pagesBeforeWriting { try refuseDamagedFile() }
  }

  private func checkTables(
    _ verifier: inout Verifier, through last: LogPosition
  ) throws(StorageError) {
    let view = try LogView(ofTables: environment, tail: tail, schema: schema)
    if !RunCatalog.isWhole(in: view.transaction, tables) {
      verifier.problem("one of the two catalogs of the log's records is damaged", .derived)
    }
    for run in view.index.catalog.runs where (try? RunIdentities.filter(of: run, view.transaction, tables)) == nil {
      verifier.problem("the index has damaged hashes of ids", at: run.first, .derived)
    }
    var heads = try view.transaction.scan(tables.heads)
    var seen = 0
    while let entry = try heads.toNext() {
      guard let stream = try? Key.stream(of: entry.key),
        let head = try? StreamHead(decoding: IndexValue.open(entry.value, at: entry.key)),
        head.position <= view.last
      else {
        verifier.problem("the index has a damaged entry", .derived)
        continue
      }
      // Appended since.
      if head.position > last {
        if verifier.streams[stream]?.stored != nil { seen += 1 }
        continue
      }
      guard let found = verifier.streams[stream], head.version <= found.version else {
        verifier.problem("the index has a stream that the log has not", .derived, stream: head.name)
        continue
      }
      let stored = try? view.transaction.fetchIndexed(Key.name(of: head.epoch), from: tables.names, named: "names")
      if !(stored?.isSame(as: entry.key) ?? false) {
        verifier.problem("the index lacks the stream's name", .derived, stream: head.name)
      }
      seen += 1
    }
    var names = try view.transaction.scan(tables.names)
    while let entry = try names.toNext() {
      let stream = try? Key.stream(of: IndexValue.open(entry.value, at: entry.key))
      if let hash = Key.erasedName(of: entry.key) {
        if let found = stream.flatMap({ verifier.streams[$0] }), !found.nameHashes.contains(hash) {
          verifier.problem("the index gives a name that was erased to a stream that had another", .derived)
        }
        continue
      }
      let name = try? Key.name(of: entry.key)
      let isKnown = try stream.map { stream throws(StorageError) in
        // Of a stream that began since, the head tells.
        if let found = verifier.streams[stream] { return found.name == name }
        return try view.index.storedHead(of: stream, in: view.transaction)?.name == name
      }
      if isKnown != true {
        verifier.problem("the index gives a name to a stream that has another", .derived, stream: name)
      }
    }
    let begun = verifier.streams.values.count { $0.stored != nil }
    if seen < begun {
      verifier.problem("the index has lost \(begun - seen) streams", .derived)
    }
    var sealings = StreamSealings(verifier.streams.mapValues(\.unlocked.dataKey))
    var snapshots = try view.transaction.scan(tables.snapshots)
    while let entry = try snapshots.toNext() {
      verifier.report.snapshots += 1
      // Of a stream that began since, there is no key at hand.
      let isWhole =
        switch sealings.sealing(of: try? Key.stream(of: entry.key)) {
        case .some(let sealing): SnapshotTable.opens(entry.value, key: entry.key, sealing)
        case nil: SnapshotTable.isWhole(entry.value, key: entry.key)
        }
      if !isWhole {
        verifier.problem("a snapshot is damaged", .derived)
      }
    }
    let found = verifier.streams
    for reason in try keyProblems(isErased: { found[$0]?.epoch.erased != nil }) { verifier.problem(reason, .records) }
    guard let table = tables.derived else { return }
    var derived = try view.transaction.scan(table)
    while let entry = try derived.toNext() {
      let place = DerivedTable.Place(entry.key)
      let isWhole =
        switch sealings.sealing(of: place?.stream) {
        case .some(let sealing): (try? DerivedTable.withValue(entry, sealing) { $0.byteCount }) != nil
        case nil: (try? IndexValue.open(entry.value, at: entry.key)) != nil
        }
      if place == nil || !isWhole {
        verifier.problem("what was made of an event is damaged", .derived)
      }
    }
  }
}

/// The keys of streams, made ready when they are needed, one at a time: what is of one stream lies together.
private struct StreamSealings {
  private let keys: [StreamNumber: DataKey?]
  private var last: (stream: StreamNumber, sealing: SealingKey?)?

  init(_ keys: [StreamNumber: DataKey?]) { self.keys = keys }

  /// The key of a stream, or none where it has none; `nil` for an unknown stream.
  mutating func sealing(of stream: StreamNumber?) -> SealingKey?? {
    guard let stream, let key = keys[stream] else { return nil }
    if let last, last.stream == stream { return .some(last.sealing) }
    let sealing = key?.sealing
    last = (stream, sealing)
    return .some(sealing)
  }
}

extension StorageError {
  /// What is wrong, without where.
  fileprivate var reason: String {
    if case .corrupt(let reason, _) = self { reason } else { description }
  }
}
