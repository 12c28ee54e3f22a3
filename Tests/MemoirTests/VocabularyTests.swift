// The events as Swift types: what they refuse, how they are kept, and how older forms become today's.
import Bytes
import JSON
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `An event made in Swift` {
  @Test func `comes back from the log as it was made`() throws {
    let fact = try FactLearned(
      fact: "Lives in Lisbon", category: "home", confidence: Fraction(text: "0.90"), factID: FactID("home"),
      importance: 0.7, memoryType: .semantic, tags: ["city"], sourceMessageID: MessageID("m-1"),
      expiresAt: History.time(60), metadata: JSONText(parsing: #"{"by":"web"}"#))
    var history = History()
    try history.append(.factLearned(fact))
    guard case .factLearned(let again) = try MemoirEvent(history.recorded(1)) else {
      Issue.record("it is no FactLearned")
      return
    }
    #expect(again.fact == "Lives in Lisbon")
    #expect(again.category == "home")
    #expect(again.confidence.description == "0.90")
    #expect(again.factID == fact.factID)
    #expect(again.importance == 0.7)
    #expect(again.memoryType == .semantic)
    #expect(again.tags == ["city"])
    #expect(again.sourceMessageID == fact.sourceMessageID)
    #expect(again.expiresAt == History.time(60))
    #expect(again.metadata == fact.metadata)
  }

  @Test func `names the field it refuses as JSON spells it`() throws {
    func field(_ body: () throws -> Void) -> String? {
      do {
        try body()
        return nil
      } catch { return (error as? InvalidValue)?.field }
    }
    let long = String(repeating: "x", count: Limits.textSize + 1)
    let id = History.id(1)
    #expect(field { _ = try MessageAdded(role: .user, content: long) } == "data.content")
    #expect(field { _ = try FactLearned(fact: "", category: "c", confidence: 1) } == "data.fact")
    #expect(
      field { _ = try FactLearned(fact: "f", category: "c", confidence: 1, metadata: .null) }
        == "data.metadata")
    #expect(field { _ = try Fraction(1.5, field: "data.confidence") } == "data.confidence")
    #expect(field { _ = try Fraction(.nan, field: "data.confidence") } == "data.confidence")
    #expect(field { _ = try SessionStarted(metadata: .null) } == "data.metadata")
    #expect(field { _ = try CustomEvent(type: "factlearned", data: .null) } == "type")
    #expect(field { _ = try CustomEvent(type: "FactLearned", data: .null) } == "type")
    #expect(field { _ = try EventData(.sessionEnded(SessionEnded()), id: id) } == "session")
    #expect(
      field { _ = try EventData(.userErased(UserErased()), id: id, metadata: JSONText(string: "m")) }
        == "metadata")
  }

  @Test func `of bytes gives the same bytes back`() throws {
    for count in 0...6 {
      let bytes = (0..<count).map { UInt8(250 + $0) }
      #expect(try CustomEvent(type: "Blob", bytes: bytes).bytes == bytes)
    }
    #expect(try CustomEvent(type: "Blob", data: JSONText(string: "x")).bytes == nil)
  }

  // AAA= and AAB= would be the same two bytes.
  @Test(arguments: ["AAB=", "AB==", "A===", "AA=A", "AAA", "AA A", "AA-_"])
  func `of bytes has one spelling`(base64: String) throws {
    let data = try JSONText(parsing: #"{"$bytes":"\#(base64)"}"#)
    #expect(throws: InvalidValue.self) { try CustomEvent(type: "Blob", data: data) }
    #expect(throws: Never.self) {
      try CustomEvent(type: "Blob", data: JSONText(parsing: #"{"$bytes":"AAA="}"#))
    }
  }

  @Test func `whose payload is gone, or whose type is another's, says nothing`() throws {
    var history = History()
    try history.append(.messageAdded(MessageAdded(role: .user, content: "x")))
    history.redact(1)
    history.append(EventData(id: History.id(2), type: EventTypeCode(99), payload: []))
    #expect(try MemoirEvent(history.recorded(1)) == nil)
    #expect(try MemoirEvent(history.recorded(2)) == nil)
  }
}

@Suite struct `The schema` {
  @Test func `gives every type the code it always had`() {
    let codes = EventSchema.memoir.types.map { "\($0.code.number) \($0.name) \($0.version)" }
    #expect(
      codes == [
        "1 SessionStarted 1", "2 MessageAdded 1", "3 FactLearned 2", "4 FactRevised 1", "5 FactForgotten 1",
        "6 PreferenceUpdated 1", "7 RelationshipLearned 1", "8 EpisodeRecorded 1", "9 SessionEnded 1",
        "10 SessionsCompacted 1", "11 UserErased 1",
      ])
  }

  @Test(arguments: [("low", "0.3"), ("medium", "0.6"), ("high", "0.9")])
  func `makes numbers of the words that confidence once was`(word: String, number: String) throws {
    var old = PayloadWriter()
    old.write("Likes tea", field: 1)
    old.write("food", field: 2)
    old.write(word, field: 3)
    old.write("0193f9a0-0000-7000-8000-000000000001", field: 4)
    old.write(History.time(0), field: 9)
    let upcaster = try #require(EventSchema.memoir.definition(of: .factLearned)?.upcasters.first)
    let today = try upcaster.transform(old.bytes.rawSpan)
    let fact = try FactLearned(payload: today.rawSpan)
    #expect(fact.confidence.description == number)
    #expect(fact.factID?.description == "0193f9a0-0000-7000-8000-000000000001")
    #expect(fact.expiresAt == History.time(0))
  }

  @Test func `finds a word that confidence never was damaged`() throws {
    var old = PayloadWriter()
    old.write("perhaps", field: 3)
    let upcaster = try #require(EventSchema.memoir.definition(of: .factLearned)?.upcasters.first)
    #expect(throws: DamagedBytes.self) { try upcaster.transform(old.bytes.rawSpan) }
  }
}

@Suite struct `Errors` {
  @Test func `have one status and one exit code each`() {
    let all = ErrorCode.allCases.map { "\($0.rawValue) \($0.httpStatus) \($0.exitCode)" }
    #expect(
      all == [
        "invalid_argument 400 2", "invalid_json 400 2", "unauthenticated 401 1", "forbidden 403 1",
        "not_found 404 3",
        "version_conflict 409 4", "id_conflict 409 4", "too_large 413 2", "rate_limited 429 1",
        "storage_full 507 1",
        "corrupt 500 5", "unavailable 503 1", "internal 500 1",
      ])
  }

  @Test func `of the engine carry the facts to act upon`() throws {
    let bob = try StreamName(UserID("bob"))
    func shown(_ error: MemoirError) -> String { "\(error.code.rawValue) \(error.details)" }
    #expect(
      shown(MemoirError(AppendError.versionConflict(stream: bob, expected: .exactly(2), actual: 3)))
        == #"version_conflict {"actual":3,"expected":2}"#)
    #expect(
      shown(MemoirError(AppendError.versionConflict(stream: bob, expected: .noStream, actual: 3)))
        == #"version_conflict {"actual":3,"expected":"no_stream"}"#)
    #expect(
      shown(MemoirError(AppendError.idConflict(stream: bob, ids: [History.id(1)], isErased: true)))
        == #"id_conflict {"erased":true,"ids":["01930000-0000-7000-8000-000000000001"]}"#)
    #expect(
      shown(MemoirError(ReadError.storage(.corrupt(reason: "gone", position: 7))))
        == #"corrupt {"position":7}"#)
  }

  @Test(arguments: [
    (StorageError.newerFormat(found: 2, supported: 1), ErrorCode.unavailable),
    (.unsupportedVersion(type: "FactLearned", version: 9, position: 1), .unavailable),
    (.stopped(reason: "EIO"), .unavailable), (.denied(reason: "EACCES"), .forbidden),
    (.failed(reason: "EIO"), .internal),
  ]) func `of the storage say whether another process, or user, could`(error: StorageError, code: ErrorCode) {
    #expect(MemoirError(error).code == code)
  }

  @Test func `are one object`() {
    let text = ErrorJSON.text(.invalid(field: "data.role", "is missing"))
    #expect(
      String(decoding: text, as: UTF8.self)
        == #"{"error":{"code":"invalid_argument","message":"data.role: is missing","details":{"field":"data.role"}}}"#
    )
  }
}
