// Who may do what with whose memory: the rule against a plain one, and what comes of grants.
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `Whether something may be done` {
  private static let namespaces = ["a", "b"].map { Namespace(unchecked: $0) }
  private static let users = ["ann", "bob", "bobby", "team-1"].map { UserID(unchecked: $0) }

  /// The rule again, as sentences.
  private static func isAllowed(
    _ operation: AccessScope, _ key: APIKey, _ namespace: Namespace, _ user: UserID?, _ grants: [Grant],
    _ now: Timestamp
  ) -> Bool {
    let isGood = key.revokedAt == nil && key.expiresAt.map { $0 > now } ?? true
    let isHere = key.namespaces.names == ["*"] || key.namespaces.names.contains(namespace.description)
    let patterns = key.users?.map(\.description) ?? ["*"]
    let isMeant = patterns.contains { pattern in
      guard let name = user?.description else { return key.users == nil }
      return pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }
    let isPersons = patterns == [user?.description]
    let isGranted = grants.contains { grant in
      let isTheirs =
        switch grant.grantee {
        case .key(let id): id == key.id
        case .person(let person): patterns == [person.description]
        }
      return isTheirs && grant.owner.namespace == namespace && grant.owner.user == user
        && grant.operations.contains(operation) && grant.revokedAt == nil && grant.until.map { $0 > now } ?? true
    }
    let mayDo = key.scopes.contains(operation) || key.scopes.contains(.admin)
    return isGood && isHere && (isMeant || isGranted) && (mayDo || operation == .read && isPersons)
  }

  @Test(arguments: 1...30) func `is what the plain rule says`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    func pick<Item>(_ items: [Item]) -> Item { items[Int.random(in: 0..<items.count, using: &random)] }
    func some(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }
    let start = Timestamp(clamping: 1_000_000)
    func time() -> Timestamp { start.advanced(byMicroseconds: Int64.random(in: 0...3, using: &random)) }
    let ids = ["0", "1", "2"].map { APIKeyID(unchecked: String(repeating: $0, count: 12)) }
    let patterns = try ["ann", "bob", "bob*", "team-*", "*"].map { try UserPattern($0) }
    let keys = (0..<8).map { _ in
      APIKey(
        id: pick(ids), name: "k",
        namespaces: some(0.2) ? .all : .only(Self.namespaces.filter { _ in some(0.6) }),
        scopes: Set(AccessScope.allCases.filter { scope in some(scope == .admin ? 0.15 : 0.5) }),
        users: some(0.3) ? nil : some(0.5) ? [pick(patterns)] : patterns.filter { _ in some(0.4) }, createdAt: start,
        expiresAt: some(0.3) ? time() : nil, revokedAt: some(0.1) ? start : nil, secrets: [])
    }
    let grants = (0..<12).map { number in
      Grant(
        id: GrantID(.number(number)), owner: StreamName(pick(Self.users), in: pick(Self.namespaces)),
        grantee: some(0.5) ? .key(pick(ids)) : .person(pick(Self.users)),
        operations: Set([AccessScope.append, .read, .recall, .erase].filter { _ in some(0.5) }), createdAt: start,
        createdBy: .local, until: some(0.5) ? time() : nil, revokedAt: some(0.2) ? start : nil)
    }
    var counts = (allowed: 0, denied: 0)
    for key in keys {
      for operation in AccessScope.allCases {
        for namespace in Self.namespaces {
          for user in Self.users.map(Optional.some) + [nil] {
            for step in 0...4 {
              let now = start.advanced(byMicroseconds: Int64(step))
              let owned = grants.filter { $0.owner.namespace == namespace && $0.owner.user == user }
              let decision = try AccessDecision.decide(operation, by: key, in: namespace, user: user, at: now) { owned }
              #expect(
                decision.isAllowed == Self.isAllowed(operation, key, namespace, user, grants, now),
                "seed \(seed): \(operation) by \(key) in \(namespace) on \(String(describing: user)) at \(now): \(decision)"
              )
              if decision.isAllowed { counts.allowed += 1 } else { counts.denied += 1 }
            }
          }
        }
      }
    }
    #expect(counts.allowed > 0 && counts.denied > 0)
  }

  @Test func `is told with the first thing that stands in the way`() async throws {
    let desk = try TrustDesk()
    let (key, _) = try await desk.store.keys.create(.of([.recall], users: [.exactly(desk.bob.user)]))
    func decide(_ operation: AccessScope, _ namespace: Namespace, _ user: StreamName?) throws -> AccessDecision {
      try desk.store.decide(operation, by: key, in: namespace, user: user?.user)
    }
    #expect(try decide(.recall, .default, desk.bob) == .allowed(.key))
    #expect(try decide(.read, .default, desk.bob) == .allowed(.own))
    #expect(try decide(.append, .default, desk.bob) == .denied(.scope))
    #expect(try decide(.append, .default, desk.ann) == .denied(.user))
    #expect(try decide(.recall, .default, nil) == .denied(.user))
    #expect(try decide(.append, Namespace("other"), desk.bob) == .denied(.namespace))
    let revoked = try await desk.store.keys.revoke(key.id)
    #expect(try desk.store.decide(.recall, by: revoked, in: .default, user: desk.bob.user) == .denied(.key))
  }

  @Test func `a key administers those within its own namespaces`() async throws {
    let desk = try TrustDesk()
    let keys = desk.store.keys
    let (a, b) = (Namespace(unchecked: "a"), Namespace(unchecked: "b"))
    let root = try await keys.create(APIKeyDraft("root", namespaces: .all, scopes: [.admin])).key
    let admin = try await keys.create(APIKeyDraft("admin", namespaces: .only([a]), scopes: [.admin])).key
    let both = try await keys.create(APIKeyDraft("both", namespaces: .only([a, b]), scopes: [.read])).key
    let one = try await keys.create(APIKeyDraft("one", namespaces: .only([a]), scopes: [.read])).key
    #expect(root.mayAdminister(both) && root.mayAdminister(.all))
    #expect(admin.mayAdminister(one) && !admin.mayAdminister(both) && !admin.mayAdminister(root))
    #expect(!both.mayAdminister(one))
    #expect(one.namespaces.single == a && both.namespaces.single == nil && root.namespaces.single == nil)
  }
}

@Suite struct `A grant` {
  private func desk() async throws -> TrustDesk {
    let desk = try TrustDesk()
    for user in [desk.bob, desk.ann] {
      try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")), to: user)
    }
    return desk
  }

  @Test func `lets another person in until it ends or is revoked`() async throws {
    let desk = try await desk()
    let (key, _) = try await desk.store.keys.create(.of([.read, .recall], users: [.exactly(desk.ann.user)]))
    func mayRecall() throws -> Bool {
      try desk.store.decide(.recall, by: key, in: .default, user: desk.bob.user).isAllowed
    }
    #expect(try !mayRecall())
    let grant = try await desk.store.grants.grant(
      [.recall], on: desk.bob, to: .person(desk.ann.user), until: desk.clock.now.advanced(byMicroseconds: 5_000_000))
    #expect(try desk.store.decide(.recall, by: key, in: .default, user: desk.bob.user) == .allowed(.grant(grant.id)))
    #expect(try desk.store.decide(.read, by: key, in: .default, user: desk.bob.user) == .denied(.user))
    desk.wait(seconds: 5)
    #expect(try !mayRecall())
    let again = try await desk.store.grants.grant([.recall], on: desk.bob, to: .key(key.id), by: .key(key.id))
    #expect(try mayRecall())
    try desk.reopen()
    #expect(try desk.store.grants.list(of: desk.bob) == [again])
    try await desk.store.grants.revoke(again.id, of: desk.bob)
    #expect(try !mayRecall())
    #expect(try desk.store.grants.list(of: desk.bob).isEmpty)
    #expect(try desk.store.grants.list(of: desk.bob, includingEnded: true).map(\.id) == [grant.id, again.id])
  }

  @Test func `is listed by whose and by whom, and crosses no namespace`() async throws {
    let desk = try await desk()
    let elsewhere = StreamName(desk.bob.user, in: Namespace(unchecked: "other"))
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")), to: elsewhere)
    let ann = Grantee.person(desk.ann.user)
    let here = try await desk.store.grants.grant([.read], on: desk.bob, to: ann)
    let there = try await desk.store.grants.grant([.read], on: elsewhere, to: ann)
    #expect(try desk.store.grants.list(of: desk.bob) == [here])
    #expect(try desk.store.grants.list(to: ann, in: .default) == [here])
    #expect(try desk.store.grants.list(to: ann, in: elsewhere.namespace) == [there])
    #expect(try desk.store.grants.list(to: .person(desk.bob.user), in: .default).isEmpty)
    let (key, _) = try await desk.store.keys.create(.of([.read], users: [.exactly(desk.ann.user)]))
    #expect(try desk.store.decide(.read, by: key, in: elsewhere.namespace, user: desk.bob.user) == .denied(.namespace))
  }

  // bob's grants are not those of bobby, whose name begins the same.
  @Test func `is of one person alone`() async throws {
    let desk = try await desk()
    let bobby = StreamName(UserID(unchecked: "bobby"))
    try await desk.append(.messageAdded(MessageAdded(role: .user, content: "hello")), to: bobby)
    try await desk.store.grants.grant([.read], on: bobby, to: .person(desk.ann.user))
    #expect(try desk.store.grants.list(of: desk.bob).isEmpty)
  }

  @Test func `is refused where it cannot be meant`() async throws {
    let desk = try await desk()
    let grants = desk.store.grants
    let ann = Grantee.person(desk.ann.user)
    #expect(await code { try await grants.grant([], on: desk.bob, to: ann) } == .invalidArgument)
    #expect(await code { try await grants.grant([.admin], on: desk.bob, to: ann) } == .invalidArgument)
    #expect(
      await code { try await grants.grant([.read], on: desk.bob, to: ann, until: desk.clock.now) } == .invalidArgument)
    #expect(await code { try await grants.grant([.read], on: .named("nobody"), to: ann) } == .notFound)
    #expect(
      await code { try await grants.grant([.read], on: desk.bob, to: .key(APIKeyID("000000000000"))) } == .notFound)
    #expect(await code { try await grants.revoke(GrantID(.number(1)), of: desk.bob) } == .notFound)
    let grant = try await grants.grant([.read], on: desk.bob, to: ann)
    #expect(await code { try await grants.revoke(grant.id, of: desk.ann) } == .notFound)
    #expect(throws: InvalidValue.self) { try Grantee("ann") }
    #expect(try Grantee("user:ann") == ann && Grantee(ann.description) == ann)
  }
}
