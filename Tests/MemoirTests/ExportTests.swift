// What is handed out of a user's memory: that it proves itself, and comes in again as it was.
import Bytes
import JSON
import Sodium
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

/// The lines of an export.
private func exported(_ user: StreamName, from store: MemoirStore) throws -> [String] {
  var text = ""
  try store.export(user) { text += String(decoding: $0, as: UTF8.self) }
  #expect(text.hasSuffix("\n"))
  return text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}

private func check(_ lines: [String], pinned: PublicKey? = nil) throws(MemoirError) -> ExportReport {
  var verifier = try ExportVerifier(firstLine: Array((lines.first ?? "").utf8), pinned: pinned)
  for line in lines.dropFirst() { verifier.add(Array(line.utf8)) }
  return verifier.finish()
}

/// Appends the lines, as the command line does.
private func importLines(_ lines: [String], into store: MemoirStore) throws -> (appended: Int, duplicates: Int) {
  var reader = ExportReader()
  let parser = JSONParser()
  var count = (appended: 0, duplicates: 0)
  for line in lines.map({ Array($0.utf8) }) {
    if try reader.take(line) { continue }
    let incoming = try reader.read(line, with: parser, now: store.clock())
    let stream = StreamName(try #require(incoming.user), in: incoming.namespace ?? .default)
    let result = try store.log.appendAndWait([reader.append(incoming.event, to: stream)], repeats: .event)
    count.appended += result[0].appended
    count.duplicates += result[0].duplicates
  }
  try reader.finish()
  return count
}

/// Binds lines as an export does, and signs them.
private func bound(_ header: String, _ events: [String], by key: StoreKey) -> [String] {
  var chain = LineChain()
  chain.append(header: Array(header.utf8))
  let suffix = #","proof":"0123456789abcdef"}"#.utf8.count
  let bound = events.map { String(decoding: chain.append(event: Array($0.utf8.dropLast(suffix))), as: UTF8.self) }
  let end = ExportEnd(proof: chain.value, signedBy: key)
  return [header] + bound + [String(decoding: end.line, as: UTF8.self)]
}

private func state(of user: StreamName, in store: MemoirStore) throws -> String {
  var writer = JSONWriter()
  try store.write(store.state(of: user), to: &writer)
  return String(decoding: writer.finish(), as: UTF8.self)
}

/// A user with something of everything that an export must bring across.
private func filledDesk() async throws -> TrustDesk {
  let desk = try TrustDesk()
  try await desk.append(.messageAdded(MessageAdded(role: .user, content: "Grüße 🙂 \u{0} \"quoted\"")), session: "s-1")
  try await desk.append(.messageAdded(MessageAdded(role: .user, content: "of ann")), to: desk.ann, session: "s-1")
  try await desk.append(
    .factLearned(FactLearned(fact: "Owns a cat", category: "pets", confidence: 0.25, tags: ["a", "b"])),
    .preferenceUpdated(PreferenceUpdated(key: "theme", value: JSONText(canonical: Array(#"{"a":1.50,"b":[]}"#.utf8)))),
    session: "s-2")
  try await desk.append(.custom(CustomEvent(type: "Acme.Ping", data: JSONText(canonical: Array(#"{"n":1e2}"#.utf8)))))
  try await desk.append(.custom(CustomEvent(type: "Acme.Bytes", bytes: [0, 255, 7])))
  try await desk.append(.messageAdded(MessageAdded(role: .user, content: "to be removed")), session: "s-3")
  let now = desk.clock.now
  try await desk.store.append(
    [
      // In the first form that the type had, and with fields of an application's own.
      FormatFixture.firstForm(
        EventData(.factLearned(FactLearned(fact: "Old", category: "home", confidence: 0.9)), id: .number(1))),
      Diary.custom("fields of its own", named: "Acme.Fields", id: .number(2)),
      Diary.unheardOf("a code that is not known", id: .number(3)),
      EventData(.messageAdded(MessageAdded(role: .tool, content: "late")), id: .number(4)).inSession(.named("s-1"))
        .occurring(at: now.advanced(byMicroseconds: -5_000_000)).with(metadata: #"{"agent":"web"}"#),
    ], to: desk.bob)
  try desk.store.log.redact(6, of: desk.bob)
  return desk
}

@Suite struct `An export` {
  @Test func `begins after the last erasure`() async throws {
    let desk = try TrustDesk()
    for content in ["one", "two", "three"] {
      try await desk.append(.messageAdded(MessageAdded(role: .user, content: content)))
      if content != "three" { try await desk.store.erase(desk.bob, by: "the office") }
    }
    let lines = try exported(desk.bob, from: desk.store)
    #expect(lines.count == 3)
    #expect(lines[1].contains(#""content":"three""#))
    let report = try check(lines)
    #expect(report.isSound && report.first == 5 && report.last == 5 && report.events == 1)
    let other = try TrustDesk()
    #expect(try importLines(lines, into: other.store).appended == 1)
  }

  @Test func `of somebody of whom nothing is left is empty, and sound`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "one")))
    try await desk.store.erase(desk.bob, by: "the office")
    let lines = try exported(desk.bob, from: desk.store)
    #expect(lines.count == 2)
    let report = try check(lines)
    #expect(report.isSound && report.events == 0 && report.last == 2)
    #expect(throws: MemoirError.self) { try desk.store.export(of: .named("nobody")) }
  }

  @Test func `proves itself, wherever it is`() async throws {
    let desk = try await filledDesk()
    let lines = try exported(desk.bob, from: desk.store)
    let report = try check(lines)
    #expect(report.problem == nil)
    #expect(report.user == desk.bob && report.storeID == desk.store.log.storeID)
    #expect(report.first == 1 && report.last == 10 && report.events == 10 && report.redacted == 1)
    let key = try #require(try desk.store.storeKey()).publicKey
    #expect(report.publicKey == key)
    #expect(try check(lines, pinned: key).isSound)
    let other = try PublicKey(String(repeating: "ab", count: 32))
    #expect(try check(lines, pinned: other).problem?.line == 1)
    // The same again, as long as nothing is appended.
    #expect(try exported(desk.bob, from: desk.store) == lines)
  }

  @Test func `comes in again with the same state and the same chain`() async throws {
    let desk = try await filledDesk()
    let lines = try exported(desk.bob, from: desk.store)
    #expect(!lines.joined().contains("to be removed"))
    let other = try TrustDesk()
    // Somebody else is there already, so positions and stream numbers differ.
    try await other.append(.messageAdded(MessageAdded(role: .user, content: "of ann")), to: other.ann)
    let first = try importLines(lines, into: other.store)
    #expect(first.appended == 10 && first.duplicates == 0)
    #expect(try other.store.log.proof(of: desk.bob, from: 1) == desk.store.log.proof(of: desk.bob, from: 1))
    #expect(try state(of: desk.bob, in: other.store) == state(of: desk.bob, in: desk.store))
    #expect(try other.store.log.verify().isSound)
    #expect(try other.store.log.verify().redacted == 1)
    // Twice doubles nothing, here or where it comes from.
    for store in [other.store, desk.store] {
      let again = try importLines(lines, into: store)
      #expect(again.appended == 0 && again.duplicates == 10)
    }
    try other.reopen()
    let report = try check(exported(desk.bob, from: other.store))
    #expect(report.isSound && report.events == 10 && report.redacted == 1)
  }

  @Test(arguments: ["ada", "grace", "acme/ada"]) func `of a store of the first format does, too`(name: String)
    async throws
  {
    let fixture = try FormatFixture(1)
    // Its folder goes with it.
    defer { withExtendedLifetime(fixture) {} }
    let user = FormatFixture.stream(name)
    try fixture.log.close()
    var options = EventLog.Options()
    options.clock = { FormatFixture.now }
    options.mapSize = 1 << 30
    let store = try MemoirStore(folder: fixture.log.folder, options: options)
    let lines = try exported(user, from: store)
    let report = try check(lines)
    #expect(report.problem == nil)
    #expect(report.events == lines.count - 2)
    let other = try TrustDesk()
    #expect(try importLines(lines, into: other.store).appended == report.events)
    #expect(try other.store.log.proof(of: user, from: 1) == store.log.proof(of: user, from: 1))
    try store.close()
  }

  @Test func `of which any line is changed, left out, moved, doubled or put in is found, and the line named`()
    async throws
  {
    let desk = try await filledDesk()
    let lines = try exported(desk.bob, from: desk.store)
    let others = try exported(desk.ann, from: desk.store)
    func problem(_ changed: [String]) -> ExportReport.Problem? {
      do throws(MemoirError) { return try check(changed).problem } catch {
        return ExportReport.Problem(line: 1, reason: error.message)
      }
    }
    for index in lines.indices {
      var changed = lines
      changed.remove(at: index)
      #expect(problem(changed)?.line == index + 1, "line \(index + 1) left out")
      changed = lines
      changed.insert(lines[index], at: index)
      #expect(problem(changed)?.line == index + 2, "line \(index + 1) doubled")
      for next in lines.indices where next > index {
        changed = lines
        changed.swapAt(index, next)
        #expect(problem(changed)?.line == index + 1, "lines \(index + 1) and \(next + 1) swapped")
      }
      for other in others {
        changed = lines
        changed[index] = other
        let line = try #require(problem(changed)?.line, "line \(index + 1) of another export")
        #expect(line == index + 1 || index == 0 && line == 2)
      }
      var bytes = Array(lines[index].utf8)
      for place in stride(from: index % 3, to: bytes.count, by: 3) {
        bytes[place] ^= 1
        changed = lines
        changed[index] = String(decoding: bytes, as: UTF8.self)
        let found = problem(changed)
        #expect(found != nil, "line \(index + 1), byte \(place)")
        // The first line says what all others are bound to.
        if index > 0 { #expect(found?.line == index + 1) }
        bytes[place] ^= 1
      }
      changed = lines
      changed[index] += " "
      #expect(problem(changed) != nil)
    }
    for count in 0..<lines.count { #expect(problem(Array(lines[..<count]))?.line == count + 1) }
    #expect(problem(lines + [""])?.line == lines.count + 1)
    #expect(problem(lines + others)?.line == lines.count + 1)
  }

  @Test func `of which the lines are bound anew, without the key, is refused`() async throws {
    let desk = try await filledDesk()
    let lines = try exported(desk.bob, from: desk.store)
    let forger = try TrustDesk()
    let key = try forger.store.signingKey()
    func bound(_ header: String, _ events: [String]) -> [String] { MemoirTests.bound(header, events, by: key) }
    let events = Array(lines[1..<lines.count - 1])
    let changed = events.map { $0.replacing("Owns a cat", with: "Owns a dog") }
    try #require(changed != events)
    // Under the store's name: the signature is not the store's.
    #expect(try check(bound(lines[0], events)).problem?.reason.contains("not signed") == true)
    // Under the forger's: what it says is of another chain, unless nothing was changed.
    let name = try desk.store.signingKey().description
    let own = lines[0].replacing(name, with: key.description)
    try #require(own != lines[0])
    #expect(try check(bound(own, changed)).problem?.reason.contains("stream's chain") == true)
    #expect(try check(bound(own, Array(events.dropLast()))).problem?.reason.contains("last one") == true)
    #expect(try check(bound(own, Array(events.dropFirst()))).problem?.line == 2)
    #expect(try check(bound(own, events)).isSound)
    #expect(try check(bound(own, events), pinned: desk.store.storeKey()?.publicKey).problem?.line == 1)
  }

  @Test(arguments: [
    "", "hello", "{}", #"{"memoir_export":2}"#, #"{"memoir_export":1}"#, #"{"memoir_export":1,"namespace":"default"}"#,
  ]) func `is refused where it is none`(line: String) {
    #expect(performing: { try check([line]) }, throws: { ($0 as? MemoirError)?.code == .invalidArgument })
  }

  /// What only the store says of somebody.
  private static let erased =
    #"{"id":"01990000-0000-7000-8000-000000000001","user":"bob","type":"UserErased","occurred_at":"2026-01-01T00:00:00Z""#

  @Test func `that is appended says which line cannot be accepted`() async throws {
    let desk = try TrustDesk()
    for line in [
      #"{"memoir_export":1,"user":"bob"}"#, #"{"memoir_export_end":1}"#, #"{"memoir_export":1"#,
    ] {
      var reader = ExportReader()
      #expect(throws: MemoirError.self) { try reader.take(Array(line.utf8)) }
    }
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "one")), session: "s")
    let header = try exported(desk.bob, from: desk.store)[0]
    var reader = ExportReader()
    #expect(try reader.take(Array(header.utf8)))
    for line in [
      #"{"redacted":true}"#, #"{"redacted":true,"payload_digest":"x","type_version":1,"id":"1","type":"Custom"}"#,
      #"{"stored":{},"data":{}}"#, #"{"stored":{"payload":"!","type_version":1},"data":{}}"#,
      #"{"stored":{"payload":"","type_version":70000},"data":{}}"#, #"{"type":"X"}"#,
      Self.erased + #","redacted":true,"payload_digest":"\#(String(repeating: "0", count: 64))","type_version":1}"#,
      Self.erased + #","stored":{"payload":"","type_version":1},"data":{}}"#,
    ] {
      #expect(
        performing: { try reader.read(Array(line.utf8), with: JSONParser(), now: desk.clock.now) },
        throws: {
          ($0 as? MemoirError)?.code == .invalidArgument
        })
    }
  }

  @Test func `with a stored form that says something else than is shown comes in as it is shown`() async throws {
    let desk = try await filledDesk()
    var lines = try exported(desk.bob, from: desk.store)
    let old = try #require(lines.firstIndex { $0.contains(#""fact":"Old""#) })
    try #require(lines[old].contains(#""stored":{"#))
    lines[old] = lines[old].replacing(#""fact":"Old""#, with: #""fact":"New""#)
    let other = try TrustDesk()
    // Whoever has a key of their own can bind and sign what they like.
    let key = try other.store.signingKey()
    let header = lines[0].replacing(try desk.store.signingKey().description, with: key.description)
    lines = bound(header, Array(lines[1..<lines.count - 1]), by: key)
    _ = try importLines(lines, into: other.store)
    #expect(try state(of: desk.bob, in: other.store).contains(#""fact":"New""#))
    #expect(try other.store.log.verify().isSound)
  }

  @Test func `that is not what was exported is not taken, and the rest of the file is read on its own`() async throws {
    let desk = try await filledDesk()
    let lines = try exported(desk.bob, from: desk.store)
    func error(_ lines: [String]) -> MemoirError? {
      var reader = ExportReader()
      do {
        for line in lines { _ = try reader.take(Array(line.utf8)) }
        try reader.finish()
        return nil
      } catch {
        return error
      }
    }
    let plain = #"{"user":"bob","type":"SessionStarted","session":"s","data":{}}"#
    #expect(error([plain] + lines + [plain] + lines + ["", plain]) == nil)
    for index in lines.indices {
      var changed = lines
      changed.remove(at: index)
      #expect(error(changed)?.code == .corrupt, "line \(index + 1) left out")
      changed = lines
      changed.insert(plain, at: index)
      #expect(index == 0 || error(changed)?.code == .corrupt, "line \(index + 1) put in")
      changed = lines
      changed.insert(lines[index], at: index)
      #expect(error(changed)?.code == .corrupt, "line \(index + 1) doubled")
    }
    #expect(error(lines.dropLast() + lines)?.code == .corrupt)
  }

  @Test func `into a stream that has other events keeps its own secret there`() async throws {
    let desk = try await filledDesk(), other = try TrustDesk()
    try await other.append(.messageAdded(MessageAdded(role: .user, content: "was here before")))
    let lines = try exported(desk.bob, from: desk.store)
    #expect(try importLines(lines, into: other.store).appended == 10)
    #expect(try importLines(lines, into: other.store).duplicates == 10)
    #expect(try other.store.log.version(of: desk.bob) == 11)
    #expect(try other.store.log.verify().isSound)
  }
}
