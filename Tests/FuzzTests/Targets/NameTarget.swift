// Ids: of events, namespaces, users, sessions, facts, keys; and texts as parts of an address.
import Bytes
import EventStore
import Memoir
import TestSupport

@testable import EventStore
@testable import Memoir

struct NameTarget: FuzzTarget {
  static let name = "id"

  func check(_ bytes: [UInt8]) throws -> Bool {
    try checkAddress(bytes)
    guard let text = String(validating: bytes, as: UTF8.self) else { return false }
    let isEventID = try checkEventID(text)
    let isName = try checkNames(text)
    try checkItems(text)
    return isEventID || isName
  }

  private func checkAddress(_ bytes: [UInt8]) throws {
    if let text = String(validating: bytes, as: UTF8.self) {
      try hold(PercentCoding.decode(PercentCoding.encode(text).utf8) == text, "a text comes back from an address")
    }
    guard let decoded = PercentCoding.bytes(of: bytes) else { return }
    try hold(decoded.count <= bytes.count, "an address is no shorter than what it says")
  }

  private func checkEventID(_ text: String) throws -> Bool {
    guard let id = try? EventID(text) else { return false }
    try hold(id.description == text.lowercased(), "an id is printed in lower case")
    try hold(try EventID(id.description) == id, "an id is read as it is printed")
    return true
  }

  private func checkNames(_ text: String) throws -> Bool {
    let user = try? UserID(text)
    let namespace = try? Namespace(text)
    let session = try? SessionID(text)
    // One rule; a namespace has fewer bytes.
    try hold((user == nil) == (session == nil), "a session is called as a user is")
    try hold(namespace == nil || user != nil, "whatever is a namespace is also a user")
    guard let user else { return false }
    try hold((1...250).contains(text.utf8.count), "a name has 1 to 250 bytes")
    try hold(text.unicodeScalars.allSatisfy { $0.value >= 0x20 }, "a name has no control characters")
    let stream = StreamName(user, in: namespace ?? .default)
    try hold(try Key.name(of: Key.name(stream).rawSpan) == stream, "a stream comes back from its key")
    return true
  }

  private func checkItems(_ text: String) throws {
    if let fact = try? FactID(text) {
      try hold(try FactID(fact.description) == fact, "a fact's id is read as it is printed")
      try hold(ItemKey(fact.id) == ItemKey(text: fact.description), "a fact's id has one key")
    }
    for item in (try? HistoryItem.candidates(text)) ?? [] {
      try hold(try HistoryItem.candidates(item.description) == [item], "an item is read as it is printed")
    }
    _ = (try? APIKeyID(text), try? GrantID(text), try? ReceiptID(text), try? Grantee(text))
  }

  static let words = [
    "fact:", "preference:", "session:", "%2F", "%00", "\u{202e}", "\u{200b}", "e\u{301}", ".", "..", "user:", "key:",
  ]

  static func seeds() throws -> [[UInt8]] {
    [
      "bob", "0193F9A0-0000-7000-8000-00000000000a", "fact:tea", "preference:theme", "session:s-1", "an%20id", "grün",
      "a/b c", "0123456789ab", String(repeating: "n", count: 100), String(repeating: "u", count: 250),
    ].map { Array($0.utf8) }
  }
}
