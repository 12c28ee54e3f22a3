// A store with somebody in it, and everybody who might ask about them: for tests of who is answered what.
import EventStore
import HTTPServer
import JSON
import Memoir
import TestSupport
import Testing

@testable import MemoirServer

/// A store with somebody in two namespaces, and everybody who might ask about them.
final class AccessWorld {
  /// What is found of ann in a namespace.
  private struct Things {
    var receipt: String
    var event: String
  }

  let served: ServedStore
  /// The OpenAPI document.
  let document: LoopbackReply
  private(set) var holders: [AccessHolder] = []
  private var things: [String: Things] = [:]
  private var count = 0
  /// Operations and statuses that were found in the document.
  private var described: Set<String> = []

  init() async throws {
    served = try ServedStore()
    document = try await served.get("/openapi.json")
    for namespace in ["default", "other"] {
      let ann = StreamName(try UserID("ann"), in: try Namespace(namespace))
      let store = served.store
      try await store.append(
        [.messageAdded(MessageAdded(role: .user, content: "secret of \(namespace)"))], to: ann,
        session: SessionID("s-1"))
      try await store.append(
        [.factLearned(FactLearned(fact: "secret", category: "x", confidence: 1, factID: FactID("m-1")))], to: ann)
      try await store.startSession(SessionID("ann:1"), of: ann, context: nil)
      _ = try store.log.makeSubscription(named: namespace == "default" ? "feed" : "\(namespace):feed")
      let receipt = try await #require(store.contextWithReceipt(ContextRequest("x"), for: ann).receipt)
      let event = try #require(try store.log.event(at: 1, of: ann))
      things[namespace] = Things(receipt: receipt.id.description, event: event.id.description)
    }
    holders = try await makeHolders()
  }

  // MARK: Who asks

  private func makeHolders() async throws -> [AccessHolder] {
    let most: Set<AccessScope> = [.append, .read, .recall, .erase]
    var all = [AccessHolder("nobody")]
    all[0].isLetIn = false
    for (name, shown) in [
      ("a stranger", "Bearer dk-0123456789ab-\(String(repeating: "0", count: 64))"), ("nonsense", "Bearer x"),
      ("another scheme", "Basic YTpi"), ("nothing but a scheme", "Bearer"),
    ] {
      all.append(AccessHolder(name))
      all[all.count - 1].authorization = shown
      all[all.count - 1].isLetIn = false
    }
    for scope in AccessScope.allCases { all.append(try await key("a \(scope) key") { $0.scopes = [scope] }) }
    all.append(try await key("an administrator of everything") { ($0.scopes, $0.namespaces) = ([.admin], nil) })
    all.append(try await key("a key of another namespace") { ($0.scopes, $0.namespaces) = (most, ["other"]) })
    all.append(try await key("a key of two others") { ($0.scopes, $0.namespaces) = (most, ["other", "third"]) })
    all.append(try await key("a person's key") { ($0.scopes, $0.users) = ([.recall], ["ann"]) })
    all.append(try await key("a person's key that may do most") { ($0.scopes, $0.users) = (most, ["ann"]) })
    all.append(try await key("a key of some people") { ($0.scopes, $0.users) = (most, ["an*"]) })
    all.append(try await key("a key of others") { ($0.scopes, $0.users) = (most, ["bob", "c*"]) })
    all.append(
      try await key("a guest's key") { ($0.scopes, $0.users, $0.grants) = (most, ["bob"], [.read, .append]) })
    let revoked = try await key("a revoked key") { ($0.scopes, $0.isLetIn) = (most, false) }
    _ = try await served.store.keys.revoke(try #require(served.store.keys.list().last).id)
    let expired = try await key("an expired key", until: .at(served.clock.now.advanced(byMicroseconds: 1_000))) {
      ($0.scopes, $0.isLetIn) = (most, false)
    }
    served.clock.advance(byMicroseconds: 2_000)
    return all + [revoked, expired]
  }

  private func key(
    _ name: String, until expiry: KeyExpiry = .never, _ change: (inout AccessHolder) -> Void
  ) async throws -> AccessHolder {
    var holder = AccessHolder(name)
    change(&holder)
    let names = try holder.namespaces.map { try $0.map { try Namespace($0) } }
    served.clock.advance(byMicroseconds: 1)
    let made = try await served.store.keys.create(
      APIKeyDraft(
        name, namespaces: names.map { .only($0) } ?? .all, scopes: holder.scopes,
        users: try holder.users?.map { try UserPattern($0) }, expiry: expiry))
    if !holder.grants.isEmpty {
      try await served.store.grants.grant(
        holder.grants, on: StreamName(try UserID("ann")), to: .key(made.key.id))
    }
    holder.authorization = "Bearer \(made.secret.revealed)"
    return holder
  }

  // MARK: What is asked

  /// Where a call is held against the rule.
  func places(of one: AccessCase, _ route: Route, for holder: AccessHolder) -> [AccessPlace] {
    func place(_ namespace: String, isThere: Bool = true) -> AccessPlace {
      count += 1
      let mark = String(count + 100_000)
      // Whoever is erased is another each time: the person's own keys end with them.
      let ann = route.operation == "erase_user" ? "ann\(mark)" : "ann"
      return AccessPlace(namespace: namespace, user: isThere ? ann : "nan\(mark)", isThere: isThere, mark: mark)
    }
    switch one.demand.about {
    case .nobody, .reached: return [place(holder.usualNamespace)]
    case .namespace: return ["default", "other", "third"].map { place($0, isThere: $0 != "third") }
    case .key: return ["default", "other"].flatMap { [place($0), place($0, isThere: false)] }
    case .user, .record:
      // A call of the other wire is about the key's own namespace.
      let namespaces = route.wire == .native ? ["default", "other"] : [holder.usualNamespace]
      return namespaces.flatMap { [place($0), place($0, isThere: false)] }
    }
  }

  /// Makes anew what the call takes away: memories, or somebody.
  func prepare(_ one: AccessCase, at place: AccessPlace) async throws {
    let user = StreamName(try UserID(place.user), in: try Namespace(place.namespace))
    if place.isThere, place.user != "ann" {
      try await served.store.append([.messageAdded(MessageAdded(role: .user, content: "secret"))], to: user)
    }
    guard place.isThere, one.body?.contains(#""MARK"#) == true else { return }
    let facts = try ["1", "2"].map {
      MemoirEvent.factLearned(
        try FactLearned(
          fact: "Note \($0) of \(place.mark)", category: "note", confidence: 1,
          factID: FactID("\(place.mark)-\($0)"), tags: [place.mark]))
    }
    try await served.store.append(facts, to: user)
  }

  func filled(_ text: String, _ place: AccessPlace, key: String) -> String {
    let nowhere = "01930000-0000-7000-8000-000000\(place.mark)"
    let known = place.isThere ? things[place.namespace] : nil
    return text.replacing("USER", with: place.user).replacing("MARK", with: place.mark)
      .replacing("RECEIPT", with: known?.receipt ?? nowhere).replacing("EVENT", with: known?.event ?? nowhere)
      .replacing("KEY", with: key)
  }

  /// The id of a new key in a namespace, or one that no key has.
  func makeKey(_ place: AccessPlace) async throws -> String {
    guard place.isThere else { return "000000\(place.mark)" }
    let draft = APIKeyDraft("x", namespaces: .only([try Namespace(place.namespace)]), scopes: [.read])
    return try await served.store.keys.create(draft).key.id.description
  }

  // MARK: What is answered

  /// Whether the document says that a call may be answered so.
  func isDescribed(_ route: Route, _ status: Int) -> Bool {
    if described.contains("\(route.operation) \(status)") { return true }
    let method = route.method.rawValue.lowercased()
    guard document.json("paths", route.path, method, "responses", "\(status)") != nil else { return false }
    described.insert("\(route.operation) \(status)")
    return true
  }

  /// An answer without what names the place, and what no two answers share.
  func plain(_ reply: LoopbackReply, _ place: AccessPlace, _ key: String) -> String {
    let headers = reply.headers.filter { !["date", "x-request-id", "content-length", "etag"].contains($0.key) }
      .sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    var text = "\(reply.status) \(headers) \(reply.text)".replacing(place.user, with: "USER")
      .replacing(place.mark, with: "MARK")
    if !key.isEmpty { text = text.replacing(key, with: "KEY").replacing("000000MARK", with: "KEY") }
    if let known = things[place.namespace] {
      text = text.replacing(known.receipt, with: "ID").replacing(known.event, with: "ID")
    }
    return text.replacing("01930000-0000-7000-8000-000000MARK", with: "ID")
  }
}
