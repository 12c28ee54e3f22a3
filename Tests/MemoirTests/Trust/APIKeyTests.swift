// Keys: made, shown once, found, limited, rotated and revoked.
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

extension APIKeyDraft {
  /// A key for the namespace `default`.
  static func of(
    _ scopes: Set<AccessScope>, users: [UserPattern]? = nil, expiry: KeyExpiry = .never
  ) -> APIKeyDraft {
    APIKeyDraft("web", namespaces: .only([.default]), scopes: scopes, users: users, expiry: expiry)
  }
}

@Suite struct `A key` {
  @Test func `is found by its secret, and by nothing else`() async throws {
    let desk = try TrustDesk()
    #expect(try desk.store.keys.isEmpty)
    let (key, secret) = try await desk.store.keys.create(.of([.read]))
    let (other, otherSecret) = try await desk.store.keys.create(.of([.append]))
    #expect(try desk.store.keys.authenticate(secret) == .key(key))
    #expect(try desk.store.keys.authenticate(otherSecret) == .key(other))
    #expect(try !desk.store.keys.isEmpty)
    let text = secret.revealed
    let bits = text.split(separator: "-")[2]
    for wrong in [
      "", "dk-", text + "0", String(text.dropLast()), text.uppercased(), "dk-\(other.id)-\(bits)",
      "dk-000000000000-\(bits)", String(text.dropLast()) + (text.hasSuffix("0") ? "1" : "0"), " " + text,
      String(repeating: "x", count: 100_000),
    ] {
      #expect(try desk.store.keys.authenticate(SecretKey(wrong)) == .unknown, "\(wrong.prefix(100))")
    }
  }

  @Test func `has a secret of 256 bits, which no description and no file has`() async throws {
    let desk = try TrustDesk()
    let (key, secret) = try await desk.store.keys.create(.of([.read]))
    let parts = secret.revealed.split(separator: "-")
    #expect(parts.count == 3 && parts[0] == "dk" && parts[1] == key.id.description && parts[2].count == 64)
    #expect("\(secret)" == "(secret)")
    #expect(!String(reflecting: key).contains(parts[2]))
    var writer = JSONWriter()
    key.write(to: &writer)
    #expect(!String(decoding: writer.finish(), as: UTF8.self).contains(parts[2]))
    try desk.store.close()
    let file = try desk.dataFile()
    let text = Array(parts[2].utf8)
    let bits = try #require(Self.bytes(ofHexadecimal: String(parts[2])))
    #expect(!file.contains(text) && !file.contains(bits))
  }

  private static func bytes(ofHexadecimal text: String) -> [UInt8]? {
    let digits = Array(text)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 }
  }

  @Test func `is there after the store was closed, and in a backup of it`() async throws {
    let desk = try TrustDesk()
    let (key, secret) = try await desk.store.keys.create(
      .of([.read, .erase], users: [.exactly(desk.bob.user), .beginning("team-")], expiry: .at(.latest)))
    try desk.reopen()
    #expect(try desk.store.keys.authenticate(secret) == .key(key))
    _ = try desk.store.log.backup(to: desk.folder.path + "/copy")
    _ = try EventLog.restore(from: desk.folder.path + "/copy", to: desk.folder.path + "/restored", schema: .memoir)
    let restored = try TrustDesk.open(desk.folder.path + "/restored", desk.clock)
    #expect(try restored.keys.authenticate(secret) == .key(key))
    try restored.close()
  }

  @Test func `is left alone by a repair of what is derived`() async throws {
    let desk = try TrustDesk()
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")))
    let (key, secret) = try await desk.store.keys.create(.of([.read]))
    try desk.store.log.repairDerived()
    #expect(try desk.store.keys.authenticate(secret) == .key(key))
  }

  @Test func `is void from its expiry on`() async throws {
    let desk = try TrustDesk()
    let end = desk.clock.now.advanced(byMicroseconds: 10_000_000)
    let (key, secret) = try await desk.store.keys.create(.of([.read], expiry: .at(end)))
    desk.wait(seconds: 9)
    #expect(try desk.store.keys.authenticate(secret) == .key(key))
    desk.wait(seconds: 1)
    #expect(try desk.store.keys.authenticate(secret) == .expired(key.id))
    let longer = try await desk.store.keys.update(key.id, APIKeyChanges(expiry: .never))
    #expect(try desk.store.keys.authenticate(secret) == .key(longer))
  }

  @Test func `that was revoked is void for good, and still has its name`() async throws {
    let desk = try TrustDesk()
    let (key, secret) = try await desk.store.keys.create(.of([.read]))
    let revoked = try await desk.store.keys.revoke(key.id)
    #expect(revoked.revokedAt == desk.clock.now)
    #expect(try desk.store.keys.authenticate(secret) == .unknown)
    #expect(try desk.store.keys.list().isEmpty)
    #expect(try desk.store.keys.list(includingRevoked: true).map(\.name) == ["web"])
    #expect(try !desk.store.keys.isEmpty, "or revoking the last key would open the door")
    desk.wait(seconds: 5)
    #expect(try await desk.store.keys.revoke(key.id) == revoked)
    #expect(await code { _ = try await desk.store.keys.rotate(key.id) } == .notFound)
    #expect(await code { try await desk.store.keys.update(key.id, APIKeyChanges(name: "x")) } == .notFound)
  }

  @Test func `has a new secret once rotated, and the old one as long as it was told`() async throws {
    let desk = try TrustDesk()
    let (key, first) = try await desk.store.keys.create(.of([.read]))
    let (rotated, second) = try await desk.store.keys.rotate(key.id, grace: 60)
    #expect(rotated.secrets.map(\.validUntil) == [desk.clock.now.advanced(byMicroseconds: 60_000_000), nil])
    for secret in [first, second] { #expect(try desk.store.keys.authenticate(secret).key?.id == key.id) }
    desk.wait(seconds: 60)
    #expect(try desk.store.keys.authenticate(first) == .expired(key.id))
    #expect(try desk.store.keys.authenticate(second).key?.id == key.id)
    let (now, third) = try await desk.store.keys.rotate(key.id)
    #expect(now.secrets.count == 1)
    #expect(try desk.store.keys.authenticate(second) == .unknown)
    #expect(try desk.store.keys.authenticate(third) == .key(now))
  }

  // A rotation because of a leak must end every secret there is.
  @Test func `without grace loses also what an earlier rotation had left valid`() async throws {
    let desk = try TrustDesk()
    let (key, first) = try await desk.store.keys.create(.of([.read]))
    let (_, second) = try await desk.store.keys.rotate(key.id, grace: 3_600)
    let (_, third) = try await desk.store.keys.rotate(key.id, grace: 0)
    #expect(try desk.store.keys.authenticate(first) == .unknown)
    #expect(try desk.store.keys.authenticate(second) == .unknown)
    #expect(try desk.store.keys.authenticate(third).key?.id == key.id)
  }

  @Test func `is refused where it cannot be meant, naming the field`() async throws {
    let desk = try TrustDesk()
    let bob = [UserPattern.exactly(desk.bob.user)]
    let past = KeyExpiry.at(desk.clock.now)
    for (draft, field) in [
      (APIKeyDraft("", namespaces: .only([.default]), scopes: [.read]), "name"),
      (APIKeyDraft("a\u{1b}", namespaces: .only([.default]), scopes: [.read]), "name"),
      (APIKeyDraft("a", namespaces: .only([]), scopes: [.read]), "namespaces"),
      (APIKeyDraft("a", namespaces: .all, scopes: [.read, .append]), "namespaces"),
      (APIKeyDraft("a", namespaces: .only([.default]), scopes: []), "scopes"),
      (APIKeyDraft("a", namespaces: .only([.default]), scopes: [.read], users: []), "users"),
      (APIKeyDraft("a", namespaces: .only([.default]), scopes: [.admin], users: bob), "users"),
      (APIKeyDraft("a", namespaces: .only([.default]), scopes: [.read], expiry: past), "expires_at"),
    ] {
      await #expect {
        _ = try await desk.store.keys.create(draft)
      } throws: { error in
        let error = error as? MemoirError
        return error?.code == .invalidArgument && error?.details.description == #"{"field":"\#(field)"}"#
      }
    }
    #expect(try desk.store.keys.isEmpty)
    let (key, _) = try await desk.store.keys.create(.of([.read]))
    #expect(
      await code { try await desk.store.keys.update(key.id, APIKeyChanges(namespaces: .all)) } == .invalidArgument)
    #expect(await code { _ = try await desk.store.keys.rotate(key.id, grace: -1) } == .invalidArgument)
    #expect(await code { _ = try await desk.store.keys.rotate(APIKeyID("000000000000")) } == .notFound)
    #expect(throws: InvalidValue.self) { try APIKeyID("../../etc/pw") }
  }

  @Test func `in a store that can only be read is found and not made`() async throws {
    let desk = try TrustDesk()
    let (key, secret) = try await desk.store.keys.create(.of([.read]))
    try desk.store.close()
    let reading = try TrustDesk.open(desk.path, desk.clock, readOnly: true)
    #expect(try reading.keys.authenticate(secret) == .key(key))
    #expect(await code { _ = try await reading.keys.create(.of([.read])) } == .forbidden)
    #expect(
      await code { try await reading.accesses.note(Access("x", by: .local, in: .default, user: nil, at: .earliest)) }
        == .forbidden)
    try reading.close()
  }

  @Test func `made by many at once is never lost`() async throws {
    let desk = try TrustDesk()
    let store = desk.store
    let secrets = try await withThrowingTaskGroup(of: SecretKey.self) { group in
      for _ in 0..<12 { group.addTask { try await store.keys.create(.of([.read])).secret } }
      var all: [SecretKey] = []
      for try await secret in group { all.append(secret) }
      return all
    }
    #expect(try store.keys.list().count == 12)
    for secret in secrets { #expect(try store.keys.authenticate(secret).key != nil) }
  }
}

@Suite struct `Words of the Dakera wire` {
  @Test func `stand for scopes, and scopes for them`() {
    for word in ["read", "write", "admin"] {
      #expect(AccessScope.scopes(ofWire: word).flatMap(AccessScope.wireName) == word)
    }
    #expect(AccessScope.scopes(ofWire: "root") == nil)
    #expect(AccessScope.wireName(of: [.read]) == nil)
    #expect(AccessScope.scopes(ofWire: "write") == [.append, .read, .recall])
  }

  @Test func `name users, one or all that begin alike`() throws {
    let bob = try #require(try UserPattern(wireNamespace: "_dakera_agent_bob"))
    #expect(bob == .exactly(UserID(unchecked: "bob")) && bob.wireNamespace == "_dakera_agent_bob")
    let team = try #require(try UserPattern(wireNamespace: "_dakera_agent_team-*"))
    #expect(team.contains(UserID(unchecked: "team-1")) && !team.contains(UserID(unchecked: "tea")))
    for all in ["_dakera_agent_*", "_dakera_*", "*"] {
      #expect(try UserPattern(wireNamespace: all) == .beginning(""), "\(all)")
    }
    #expect(try UserPattern(wireNamespace: "shop") == nil)
    #expect(throws: InvalidValue.self) { try UserPattern(wireNamespace: "_dakera_agent_") }
    #expect(throws: InvalidValue.self) { try UserPattern("\u{202e}x*") }
  }

  // x-918 must never see x-9182.
  @Test func `that name one user do not name those whose ids go on`() throws {
    let pattern = try UserPattern("x-918")
    #expect(!pattern.contains(UserID(unchecked: "x-9182")))
    #expect(try UserPattern("x-918*").contains(UserID(unchecked: "x-9182")))
  }
}
