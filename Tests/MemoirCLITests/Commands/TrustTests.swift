// `memoir key`, `grants`, `accesses` and `report`, run as processes; and beside a process that has the store open.
import Foundation
import Memoir
import Testing

@Suite struct `Keys on the command line` {
  @Test func `are made, and shown this once`() throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run(
      "key", "create", "web", "--namespace", "default", "--namespace", "shop", "--scope", "append", "--scope", "recall",
      "--user", "team-*", "--expires", "2100-01-01T00:00:00Z")
    #expect(run.exitCode == 0, "\(run.errors)")
    let made = try run.object()
    #expect(Set(made.keys) == ["id", "key"])
    let id = try #require(made["id"] as? String)
    let key = try #require(made["key"] as? String)
    #expect(key.hasPrefix("dk-\(id)-"))
    #expect(run.errors.contains("shown once"))
    let listed = try memoir.run("key", "list", "--json").objects()
    #expect(listed.count == 1)
    #expect(listed[0]["id"] as? String == id && listed[0]["name"] as? String == "web")
    #expect(listed[0]["namespaces"] as? [String] == ["default", "shop"])
    #expect(listed[0]["scopes"] as? [String] == ["append", "recall"])
    #expect(listed[0]["users"] as? [String] == ["team-*"])
    #expect(listed[0]["expires_at"] as? String == "2100-01-01T00:00:00.000000Z")
    let text = try memoir.run("key", "list").output
    #expect(text.contains(id) && text.contains("team-*") && !text.contains(key))
  }

  @Test func `are rotated, changed and revoked`() throws {
    let memoir = try TestProgram.withBob()
    let made = try memoir.run("key", "create", "web", "--namespace", "default", "--scope", "read", "--json").object()
    let id = try #require(made["id"] as? String)
    let rotated = try memoir.run("key", "rotate", id, "--grace", "3600").object()
    #expect(rotated["id"] as? String == id && rotated["key"] as? String != made["key"] as? String)
    let secrets = try memoir.run("key", "list", "--json").object()["secrets"] as? [[String: Any]]
    #expect(secrets?.count == 2 && secrets?[0]["valid_until"] is String && secrets?[1]["valid_until"] is NSNull)
    let changed = try memoir.run("key", "update", id, "--name", "shop", "--namespace", "shop", "--json").object()
    #expect(changed["name"] as? String == "shop" && changed["namespaces"] as? [String] == ["shop"])
    #expect(try memoir.run("key", "revoke", id).output.contains("is revoked"))
    #expect(try memoir.run("key", "list", "--json").lines.isEmpty)
    #expect(try memoir.run("key", "list", "--all", "--json").object()["revoked_at"] is String)
    #expect(try memoir.run("key", "rotate", id).exitCode == 3)
  }

  @Test func `are refused where they cannot be meant`() throws {
    let memoir = try TestProgram.withBob()
    for words in [
      ["create"], ["create", "web"], ["create", "web", "--namespace", "a"], ["create", "web", "--scope", "read"],
      ["create", "web", "--namespace", "a", "--scope", "root"],
      ["create", "web", "--namespace", "*", "--scope", "read"],
      ["create", "web", "--namespace", "a", "--scope", "admin", "--user", "bob"],
      ["create", "web", "--namespace", "a", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"],
      ["create", "web", "--namespace", "a", "--scope", "read", "--grace", "5"], ["revoke"], ["revoke", "nonsense"],
      ["list", "web"], ["rotate", "000000000000", "--grace", "-1"], ["dance"],
    ] {
      let run = try memoir.run(["key"] + words + ["--json"], input: Data())
      #expect(run.exitCode == 2, "\(words): \(run.errors)")
      #expect(try run.errorCode() == "invalid_argument", "\(words)")
    }
    #expect(try memoir.run("key", "revoke", "000000000000").exitCode == 3)
    #expect(try TestProgram().run("key", "create", "web", "--namespace", "a", "--scope", "read").exitCode == 3)
  }

  @Test func `that another process revokes are void at once`() async throws {
    let memoir = try TestProgram.withBob()
    var options = EventLog.Options()
    options.mapSize = 1 << 30
    let store = try MemoirStore(folder: memoir.store, options: options)
    let (key, secret) = try await store.keys.create(
      APIKeyDraft(
        "phone", namespaces: .only([.default]), scopes: [.recall], users: [.exactly(try UserID("ann"))]))
    let bob = StreamName(try UserID("bob"))
    #expect(try store.keys.authenticate(secret) == .key(key))
    #expect(try store.decide(.recall, by: key, in: .default, user: bob.user) == .denied(.user))
    #expect(try memoir.run("grants", "bob", "--add", "user:ann", "--operation", "recall").exitCode == 0)
    #expect(try store.decide(.recall, by: key, in: .default, user: bob.user).isAllowed)
    let grant = try #require(try store.grants.list(of: bob).first)
    #expect(try memoir.run("grants", "bob", "--revoke", grant.id.description).exitCode == 0)
    #expect(try store.decide(.recall, by: key, in: .default, user: bob.user) == .denied(.user))
    let rotated = try memoir.run("key", "rotate", key.id.description).object()
    #expect(try store.keys.authenticate(secret) == .unknown)
    let newSecret = SecretKey(try #require(rotated["key"] as? String))
    #expect(try store.keys.authenticate(newSecret).key?.id == key.id)
    #expect(try memoir.run("key", "revoke", key.id.description).exitCode == 0)
    #expect(try store.keys.authenticate(newSecret) == .unknown)
    try store.close()
  }
}

@Suite struct `A person's access on the command line` {
  @Test func `has grants that are added, listed and revoked`() throws {
    let memoir = try TestProgram.withBob()
    #expect(try memoir.run("grants", "bob").output.contains("Nothing is granted"))
    let added = try memoir.run(
      "grants", "bob", "--add", "user:ann", "--operation", "recall", "--operation", "read", "--until",
      "2100-01-01T00:00:00Z", "--json"
    ).object()
    let id = try #require(added["grant"] as? String)
    #expect(added["operations"] as? [String] == ["read", "recall"] && added["grantee"] as? String == "user:ann")
    #expect(try memoir.run("grants", "bob").output.contains(id))
    #expect(try memoir.run("report", "bob").output.contains("user:ann: read, recall"))
    #expect(try memoir.run("grants", "bob", "--revoke", id).output.contains("holds no more"))
    #expect(try memoir.run("grants", "bob", "--json").lines.isEmpty)
    #expect(try memoir.run("grants", "bob", "--all", "--json").object()["revoked_at"] is String)
    #expect(try memoir.run("grants", "bob", "--revoke", "00000000-0000-7000-8000-000000000000").exitCode == 3)
    #expect(try memoir.run("grants", "nobody", "--add", "user:ann", "--operation", "read").exitCode == 3)
    for words in [
      ["--add", "ann"], ["--add", "user:ann"], ["--add", "user:ann", "--operation", "admin"], ["--until", "x"],
    ] {
      #expect(try memoir.run(["grants", "bob"] + words, input: Data()).exitCode == 2, "\(words)")
    }
  }

  @Test func `is shown, and told in the report`() async throws {
    let memoir = try TestProgram.withBob()
    #expect(try memoir.run("accesses", "bob").output.contains("No access is noted"))
    var options = EventLog.Options()
    options.mapSize = 1 << 30
    let store = try MemoirStore(folder: memoir.store, options: options)
    let (key, _) = try await store.keys.create(
      APIKeyDraft("web", namespaces: .only([.default]), scopes: [.read]))
    for number in 1...3 {
      try await store.accesses.note(
        Access(
          "GET /v1/users/{user}/state", by: .key(key.id), in: .default, user: UserID("bob"),
          at: Timestamp("2026-05-01T10:00:0\(number)Z"),
          items: number, bytes: 1_000, requestID: "r-\(number)"))
    }
    try store.close()
    let page = try memoir.run("accesses", "bob", "--limit", "2", "--json").object()
    let accesses = try #require(page["accesses"] as? [[String: Any]])
    #expect(accesses.map { $0["items"] as? Int } == [3, 2])
    #expect(accesses[0]["reader"] as? String == "key:\(key.id)" && accesses[0]["request_id"] as? String == "r-3")
    #expect(page["next"] as? Int == 2)
    let rest = try memoir.run("accesses", "bob", "--before", "2", "--json").object()
    #expect((rest["accesses"] as? [Any])?.count == 1 && rest["next"] is NSNull)
    #expect(try memoir.run("accesses", "bob").output.contains("GET /v1/users/{user}/state"))
    let report = try memoir.run("report", "bob", "--json").object()
    let readers = try #require(report["readers"] as? [[String: Any]])
    #expect(readers.count == 1 && readers[0]["answered"] as? Int == 3 && readers[0]["name"] as? String == "web")
    #expect(try memoir.run("report", "bob").output.contains("web: 3 answers"))
    let verified = try memoir.run("verify", "--json").object()
    #expect(verified["accesses"] as? Int == 3 && verified["sound"] as? Bool == true)
    #expect(try memoir.run("verify").output.contains("3 accesses"))
    // A command is not an access: who runs it has the file in hand.
    #expect(try memoir.run("accesses", "bob", "--json").object()["accesses"] as? [Any] != nil)
    #expect(try memoir.run("verify", "--json").object()["accesses"] as? Int == 3)
  }

  @Test func `of a person nobody has heard of has no report`() throws {
    let memoir = try TestProgram.withBob()
    #expect(try memoir.run("report", "nobody", "--json").errorCode() == "not_found")
    #expect(try memoir.run("report", "nobody").exitCode == 3)
  }

  @Test func `is reported with totals, categories, sessions, and what can be done`() throws {
    let memoir = try TestProgram.withBob()
    let report = try memoir.run("report", "bob", "--json").object()
    let totals = try #require(report["totals"] as? [String: Int])
    #expect(
      totals == [
        "events": 8, "messages": 1, "facts": 2, "preferences": 1, "relationships": 0, "sessions": 2, "episodes": 0,
      ])
    #expect(report["memory_since"] as? String == "2026-03-02T09:00:00.000000Z")
    #expect(report["facts_by_category"] as? [String: Int] == ["home": 1, "pets": 1])
    #expect((report["recent_sessions"] as? [[String: Any]])?.map { $0["session"] as? String } == ["s-2", "s-1"])
    let howTo = try #require(report["how_to"] as? [String: [String: String]])
    #expect(howTo["export"] == ["command": "memoir export bob", "request": "GET /v1/users/bob/export"])
    #expect(howTo["erase"] == ["command": "memoir erase --yes bob", "request": "DELETE /v1/users/bob"])
    let text = try memoir.run("report", "bob").output
    for part in ["memory since 2026-03-02", "8 events", "pets", "memoir export bob"] {
      #expect(text.contains(part), "\(part)")
    }
    // What it tells to do is a command line that works.
    #expect(try memoir.shell(howTo["export"]?["command"] ?? "").lines.count == 10)
  }
}
