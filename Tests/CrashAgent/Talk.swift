// What people say to the store that has its chores done: anyone can make it again from two numbers, and find it by its
// mark in the bytes of a file.
import EventStore
import Glibc
import JSON
import Memoir
import TestSupport

/// A conversation that never ends, by some writers and of some people.
struct Talk {
  let work: NumberedWork

  var users: [StreamName] { (0..<work.users).map { .named("user-\($0)") } }

  func append(_ request: Int, by writer: Int) throws -> StreamAppend {
    let events = try (0..<work.group).map { try Self.event(request * work.group + $0, by: writer) }
    return StreamAppend(events, to: user(ofRequest: request, by: writer))
  }

  func user(ofRequest request: Int, by writer: Int) -> StreamName { work.user(ofRequest: request, by: writer) }

  /// In each event, and in no other.
  static func mark(_ number: Int, by writer: Int) -> String { "said-\(writer)-\(number);" }

  static func event(_ number: Int, by writer: Int) throws -> EventData {
    var random = SeededRandom(seed: UInt64(writer) << 32 | UInt64(number) ^ 0x7a1c)
    let mark = mark(number, by: writer)
    let session = SessionID.named("session-\(random.next() % 5)")
    let event: MemoirEvent
    switch random.next() % 20 {
    // On pages of its own.
    case 0: event = .messageAdded(try MessageAdded(role: .tool, content: String(repeating: mark, count: 500)))
    case 1...3:
      event = .factLearned(
        try FactLearned(fact: "\(mark) likes tea", category: "interest", confidence: Fraction(text: "0.9")))
    case 4, 5:
      event = .preferenceUpdated(
        try PreferenceUpdated(key: "key-\(random.next() % 4)", value: JSONText(string: mark)))
    case 6: event = .sessionEnded(try SessionEnded(reason: "closed", summary: mark))
    case 7: event = .custom(try CustomEvent(type: "Acme.Ping", data: JSONText(string: mark)))
    default: event = .messageAdded(try MessageAdded(role: .user, content: "\(mark) and nothing else of note"))
    }
    let isLate = random.next() % 10 == 0
    return try EventData(
      event, session: session, id: NumberedWork.id(number, by: writer),
      occurredAt: Timestamp(clamping: 1_780_000_000_000_000 + Int64(number) * 1_000 - (isLate ? 50_000 : 0)))
  }

  /// The events whose marks stand in some bytes.
  static func marks(in bytes: [UInt8]) -> Set<EventID> {
    var found: Set<EventID> = []
    let prefix = Array("said-".utf8)
    var start = 0
    while let place = bytes.place(of: prefix, from: start) {
      start = place + prefix.count
      let rest = bytes[start..<min(start + 30, bytes.count)].prefix { $0 != UInt8(ascii: ";") }
      let parts = String(decoding: rest, as: UTF8.self).split(separator: "-")
      guard parts.count == 2, let writer = Int(parts[0]), let number = Int(parts[1]) else { continue }
      found.insert(NumberedWork.id(number, by: writer))
    }
    return found
  }
}

extension [UInt8] {
  /// Where other bytes begin in these; files are too long for the plain way.
  fileprivate func place(of other: [UInt8], from start: Int) -> Int? {
    unsafe withUnsafeBytes { bytes -> Int? in
      guard let base = bytes.baseAddress else { return nil }
      var place = start
      while place + other.count <= bytes.count {
        let room = bytes.count - other.count + 1 - place
        guard let found = unsafe memchr(base + place, Int32(other[0]), room) else { return nil }
        place = unsafe UnsafeRawPointer(found) - base
        if unsafe memcmp(found, other, other.count) == 0 { return place }
        place += 1
      }
      return nil
    }
  }
}
