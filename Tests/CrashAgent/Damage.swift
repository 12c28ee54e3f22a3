// A store that was damaged while nobody looked: every question is answered as before, or refused as corrupt.
import Bytes
import EventStore
import Memoir
import Platform
import TestSupport

extension Agent {
  /// Damages a copy of a store, again and again, each time in another place, and asks it everything.
  ///
  /// Says `try NUMBER` before, and behind it `right`, `corrupt`, or `wrong` and what; a process that says nothing more has
  /// been ended by it.
  static func damage(_ arguments: Arguments) throws {
    guard let original = arguments[text: "original"] else { throw Misuse(reason: "which store?") }
    var damager = try Damager(arguments, original: original)
    if arguments["control", default: 0] == 1 { damager.forgetTheTruth() }
    let first = arguments["first", default: 0]
    say("sizes \(damager.pageCount)")
    for number in first..<first + arguments["count", default: 1] {
      say("try \(number)")
      say(try damager.run(number))
    }
  }
}

private struct Damager {
  private let folder: String
  private let files: [(name: String, bytes: [UInt8])]
  private let talk: Talk
  private let seed: UInt64
  private let isTruncating: Bool
  private var expected: [String: String] = [:]
  private var ids: [StreamName: [EventID]] = [:]

  private static let pageSize = 4_096

  private var data: [UInt8] { files.first { $0.name == "data.mdb" }?.bytes ?? [] }
  var pageCount: Int { data.count / Self.pageSize }

  init(_ arguments: Arguments, original: String) throws {
    folder = arguments.folder
    talk = Talk(work: arguments.work)
    seed = UInt64(arguments["seed", default: 1])
    isTruncating = arguments[text: "kind"] == "truncate"
    files = try Files.list(original).filter { !$0.hasPrefix("lock") && !$0.hasPrefix("openers") }.compactMap { name in
      try Files.read("\(original)/\(name)", limit: 1 << 30).map { (name, $0) }
    }
    try lay(data)
    let log = try open()
    var ids: [StreamName: [EventID]] = [:]
    for user in talk.users { ids[user] = try log.readStream(user).events.map(\.id) }
    self.ids = ids
    expected = Self.ask(log, talk, ids)
    try log.close()
    guard expected.values.allSatisfy({ !$0.hasPrefix("!") }) else { throw Misuse(reason: "\(expected)") }
  }

  /// So that answers that are right are taken for wrong ones: nobody else says that they would be noticed.
  mutating func forgetTheTruth() {
    for question in expected.keys { expected[question]? += " and more" }
  }

  private func open() throws(StorageError) -> EventLog {
    var options = ChoreOptions.store
    options.creates = false
    return try EventLog(folder: folder, schema: .memoir, options: options)
  }

  private func lay(_ data: [UInt8]) throws {
    try Files.removeTree(folder)
    try Files.makeFolder(folder)
    for (name, bytes) in files {
      let content = name == "data.mdb" ? data : bytes
      try Descriptor(opening: "\(folder)/\(name)", for: .creating).write(RawSpan(_elements: content.span))
    }
  }

  /// Damages, asks, appends, asks again what nobody changed, and judges.
  func run(_ number: Int) throws -> String {
    var bytes = data
    let what = damage(&bytes, number)
    try lay(bytes)
    var isCorrupt = false
    func judge(_ error: any Error, _ doing: String) -> String? {
      if Self.isCorrupt(error) {
        isCorrupt = true
        return nil
      }
      return "wrong \(what): \(doing): \(error)"
    }
    let log: EventLog
    do { log = try open() } catch { return judge(error, "opening") ?? "corrupt" }
    for round in 1...2 {
      for (question, answer) in Self.ask(log, talk, ids) {
        // Of all together there is more after the append.
        if round == 2, !question.contains("user-") { continue }
        if answer.hasPrefix("!corrupt") {
          isCorrupt = true
        } else if answer != expected[question] {
          return "wrong \(what): \(question), round \(round): \(answer) in place of \(expected[question] ?? "")"
        }
      }
      do {
        let report = try log.verify()
        if isCorrupt, round == 1, report.isSound { return "wrong \(what): verification has found nothing" }
        if !report.isSound { isCorrupt = true }
      } catch {
        if let problem = judge(error, "verifying") { return problem }
      }
      if round == 2 { break }
      do {
        for request in 0..<4 {
          let append = try talk.append(request, by: 9)
          try log.appendAndWait([StreamAppend(append.events, to: .named("guest-\(request)"))])
        }
      } catch AppendError.storage(let error) {
        if let problem = judge(error, "appending") { return problem }
      }
    }
    do { try log.close() } catch { if let problem = judge(error, "closing") { return problem } }
    return isCorrupt ? "corrupt" : "right"
  }

  /// Flips a bit, often where the structure is, or cuts the file off at a page.
  private func damage(_ bytes: inout [UInt8], _ number: Int) -> String {
    if isTruncating {
      let size = number / 2 * Self.pageSize + (number % 2) * 100
      bytes.removeLast(max(0, bytes.count - size))
      return "cut off at \(size)"
    }
    var random = SeededRandom(seed: seed &+ UInt64(number))
    var offset = Int(random.next() % UInt64(bytes.count))
    switch random.next() % 8 {
    // What leads to everything.
    case 0: offset = Int(random.next() % 2) * Self.pageSize + Int(random.next() % 152)
    // Headers, and the first of the numbers that lead to entries.
    case 1...3: offset = offset / Self.pageSize * Self.pageSize + Int(random.next() % 40)
    default: break
    }
    let bit = Int(random.next() % 8)
    bytes[offset] ^= 1 << UInt8(bit)
    return "bit \(bit) of byte \(offset)"
  }

  private static func isCorrupt(_ error: any Error) -> Bool {
    switch error {
    case StorageError.corrupt, ReadError.storage(.corrupt), AppendError.storage(.corrupt): true
    default: false
    }
  }

  // MARK: Questions

  /// What a store answers to every question; "!corrupt" where it refuses to.
  private static func ask(_ log: EventLog, _ talk: Talk, _ ids: [StreamName: [EventID]]) -> [String: String] {
    var answers: [String: String] = [:]
    func ask(_ question: String, _ body: () throws -> String) {
      do { answers[question] = try body() } catch {
        answers[question] = isCorrupt(error) ? "!corrupt" : "!\(error)"
      }
    }
    func hash(_ events: [RecordedEvent]) -> String {
      var writer = ByteWriter(capacity: 1_024)
      for event in events {
        event.id.write(into: &writer)
        for number in [event.version.number, event.position.number, event.isRedacted ? 1 : 0] { writer.write(number) }
        for time in [event.occurredAt, event.recordedAt] { writer.write(UInt64(bitPattern: time.microseconds)) }
        writer.write(event.type.number)
        for text in ["\(event.stream)", event.typeName, event.session?.description ?? ""] { writer.writeString(text) }
        writer.writeLengthPrefixed(event.payload)
      }
      return "\(events.count) \(XXH3.hash(writer.bytes.rawSpan))"
    }
    ask("all") {
      var events: [RecordedEvent] = []
      while true {
        let page = try log.readAll(after: events.last?.position ?? 0, limit: 90)
        events += page.events
        if page.next == nil { return hash(events) }
      }
    }
    ask("head") { "\(try log.head())" }
    ask("streams") {
      "\(try log.streams().map { "\($0.name) \($0.version) \($0.position)" }.sorted())"
    }
    ask("tombstones") { "\(try log.tombstones().map { "\($0.erasedAt) \($0.by) \($0.events) \($0.version)" })" }
    ask("subscription") { "\(try log.subscription(named: "reader")?.checkpoint ?? 0)" }
    for kind in StoreRecords.allCases {
      ask("records of \(kind)") {
        var writer = ByteWriter(capacity: 256)
        try log.forEachRecord(in: kind) { key, value in
          writer.writeLengthPrefixed(key)
          writer.writeLengthPrefixed(value)
          return true
        }
        return "\(XXH3.hash(writer.bytes.rawSpan))"
      }
    }
    for user in talk.users {
      let name = user.user
      ask("stream of \(name)") { hash(try log.readStream(user).events) }
      ask("end of \(name)") { hash(try log.readStream(user, direction: .backward, limit: 5).events) }
      ask("session of \(name)") {
        hash(try log.readStream(user, filter: EventFilter(session: .named("session-1"))).events)
      }
      ask("erasure of \(name)") { "\(try log.lastErasure(of: user).map { "\($0.version)" } ?? "none")" }
      ask("ids of \(name)") {
        let known = ids[user] ?? []
        return "\(try stride(from: 0, to: known.count, by: 5).map { try log.event(known[$0], of: user)?.position })"
      }
      var options = ReplayOptions()
      options.streams = [user]
      ask("state of \(name)") { try log.replay(by: ContextProjector(), options).digest }
      options.usesSnapshots = false
      ask("plain state of \(name)") { try log.replay(by: ContextProjector(), options).digest }
      options.usesSnapshots = true
      options.point = .version(StreamVersion(UInt64((ids[user]?.count ?? 0) / 2)))
      ask("earlier state of \(name)") { try log.replay(by: ContextProjector(), options).digest }
      options.point = .occurredAt(Timestamp(clamping: 1_780_000_000_050_000))
      ask("state of \(name) as of a time") { try log.replay(by: ContextProjector(), options).digest }
    }
    return answers
  }
}
