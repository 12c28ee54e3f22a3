// Keys on the Dakera wire: made, listed, changed, rotated, revoked.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let keyProperties: [Schema.Property] = [
    .required("key_id", .string()), .required("name", .string()), .required("scope", .string()),
    .required("namespaces", .nullable(.array(.string()))), .required("created_at", DakeraSchemas.seconds),
    .required("expires_at", .nullable(DakeraSchemas.seconds)), .required("active", .boolean),
  ]
  private static let key = Schema.object(keyProperties)
  private static let made = Schema.object(
    keyProperties + [.required("key", .string()), .required("warning", .string())])

  private static let revoked = Answer.json(.named("DakeraError"), status: 409, "It was revoked.")

  static let dakeraKeyRoutes: [Route] = [
    Route(
      .get, "/v1/auth/whoami", "dakera_whoami", access: .anyKey, wire: .dakera, summary: "The key that asks.",
      answers: [
        .json(
          .object([
            .required("key_id", .string()), .required("name", .string()), .required("scope", .string()),
            .required("namespaces", .nullable(.array(.string()))), .required("unrestricted", .boolean),
            .required("expires_at", .nullable(DakeraSchemas.seconds)), .required("auth_enabled", .boolean),
          ]))
      ],
      .quick { call in
        let key = call.caller.key
        return Reply.object { writer in
          writer.member("key_id", key?.id.description ?? "")
          writer.member("name", key?.name ?? "local")
          writer.member("scope", key.map(\.wireScope) ?? "admin")
          writer.key("namespaces")
          if let names = key?.wireNamespaces { writer.strings(names) } else { writer.null() }
          writer.key("unrestricted")
          writer.bool(key?.wireNamespaces == nil)
          writer.member("expires_at", key?.expiresAt)
          writer.key("auth_enabled")
          writer.bool(key != nil)
        }
      }),
    Route(
      .post, "/admin/keys", "dakera_create_key", access: .scope(.admin), wire: .dakera,
      summary: "Make a key. Its secret is shown once. One for a single person names `_dakera_agent_<id>`.",
      body: .object([
        .required("name", .string(minLength: 1, maxLength: 250)),
        .required("scope", .words(["read", "write", "admin"])),
        .optional("namespaces", .nullable(.array(.string()))),
        .optional("expires_in_days", .integer(min: 1, max: 36_500)),
      ]),
      answers: [.json(made, status: 201), .json(.named("DakeraError"), status: 422, "It has unknown fields.")],
      .later { call in
        let draft = try call.withWireBody { node in
          let unknown = node.others(than: ["expires_in_days", "name", "namespaces", "scope"])
          guard unknown.isEmpty else {
            throw MemoirError(
              .invalidArgument, "unknown fields: \(unknown.sorted().joined(separator: ", "))",
              details: .members(
                ("fields", unknown.sorted().joined(separator: ", ")), ("reason", "UNPROCESSABLE_CONTENT"),
                ("status", "422")))
          }
          return try call.keyDraft(node)
        }
        let (key, secret) = try await call.store.keys.create(draft)
        return Reply.object(status: 201, items: 1) { writer in
          writer.member("key", secret.revealed)
          writer.members(key, at: call.store.clock())
          writer.member("warning", "Keep it: nobody can ask for it again.")
        }
      }),
    Route(
      .get, "/admin/keys", "dakera_list_keys", access: .scope(.admin), wire: .dakera,
      summary: "The keys, the oldest first, without their secrets.",
      answers: [.json(.object([.required("keys", .array(key)), .required("count", .count)]))],
      .quick { call in
        try call.allowKeys()
        let keys = try call.store.keys.list().filter(call.mayAdminister)
        return Reply.object(items: keys.count) { writer in
          writer.key("keys")
          writer.beginArray()
          for key in keys { writer.key(key, at: call.store.clock()) }
          writer.endArray()
          writer.member("count", keys.count)
        }
      }),
    Route(
      .get, "/admin/keys/{key_id}", "dakera_get_key", access: .scope(.admin), wire: .dakera,
      summary: "A key, without its secret; also one that was revoked.", answers: [.json(key)],
      .quick { call in
        let key = try call.administered()
        return Reply.json(items: 1) { $0.key(key, at: call.store.clock()) }
      }),
    Route(
      .patch, "/admin/keys/{key_id}", "dakera_update_key", access: .scope(.admin), wire: .dakera,
      summary: "Give a key another name, or other agents' namespaces; null is for all of them.",
      body: .object(
        [
          .optional("name", .string(minLength: 1, maxLength: 250)),
          .optional("namespaces", .nullable(.array(.string()))),
        ], isOpen: true),
      answers: [.json(key), revoked],
      .later { call in
        let known = try call.standing()
        let changes = try call.withWireBody { try Call.keyChanges($0) }
        let key = try await call.store.keys.update(known.id, changes)
        return Reply.json(items: 1) { $0.key(key, at: call.store.clock()) }
      }),
    Route(
      .delete, "/admin/keys/{key_id}", "dakera_delete_key", access: .scope(.admin), wire: .dakera,
      summary: "Revoke a key, at once and for good.",
      answers: [.json(.object([.required("success", .boolean), .required("key_id", .string())]))],
      .later { try await revoke($0) }),
    Route(
      .post, "/admin/keys/{key_id}/deactivate", "dakera_deactivate_key", access: .scope(.admin), wire: .dakera,
      summary: "The same.",
      answers: [.json(.object([.required("success", .boolean), .required("key_id", .string())]))],
      .later { try await revoke($0) }),
    Route(
      .post, "/admin/keys/{key_id}/rotate", "dakera_rotate_key", access: .scope(.admin), wire: .dakera,
      summary: "Give a key another secret, shown once; the one before stays good for a while if that is said.",
      body: .object([.optional("grace_secs", .integer(min: 0, max: Int64(APIKeys.largestGrace)))], isOpen: true),
      answers: [
        .json(
          .object([
            .required("new_key", .string()), .required("key_id", .string()), .required("warning", .string()),
            .required("old_key_id", .string()), .required("old_key_expires_at", .nullable(DakeraSchemas.seconds)),
          ])), revoked,
      ],
      .later { call in
        let known = try call.standing()
        let grace = try call.withWireBody { node in
          Int(try node.wireInteger("grace_secs", in: 0...Int64(APIKeys.largestGrace)) ?? 0)
        }
        let now = call.store.clock()
        let (key, secret) = try await call.store.keys.rotate(known.id, grace: grace)
        return Reply.object(items: 1) { writer in
          writer.member("new_key", secret.revealed)
          writer.member("key_id", key.id.description)
          writer.member("old_key_id", key.id.description)
          writer.member(
            "old_key_expires_at", grace == 0 ? nil : now.advanced(byMicroseconds: Int64(grace) * 1_000_000))
          writer.member("warning", "Keep it: nobody can ask for it again.")
        }
      }),
  ]

  private static func revoke(_ call: Call) async throws -> Reply {
    let key = try call.administered()
    guard key.revokedAt == nil else { throw MemoirError.noWireKey(key.id.description) }
    try await call.store.keys.revoke(key.id)
    return Reply.object(items: 1) { writer in
      writer.key("success")
      writer.bool(true)
      writer.member("key_id", key.id.description)
    }
  }
}

extension Call {
  /// Holds the caller to keys of its own namespaces.
  fileprivate func mayAdminister(_ key: APIKey) -> Bool { caller.key?.mayAdminister(key) ?? true }

  fileprivate func allowKeys() throws(MemoirError) {
    guard caller.key?.has(.admin) ?? true else {
      throw MemoirError(
        .forbidden, "the key may not do this: it needs the scope admin",
        details: .members(("reason", "INSUFFICIENT_SCOPE"), ("scope", "admin")))
    }
  }

  /// The key of the path; what the caller may not administer is not there.
  fileprivate func administered() throws -> APIKey {
    try allowKeys()
    let text = path("key_id")
    guard let id = try? APIKeyID(text), let key = try? store.keys.get(id), mayAdminister(key) else {
      throw MemoirError.noWireKey(text)
    }
    return key
  }

  /// The same, unless it was revoked.
  fileprivate func standing() throws -> APIKey {
    let key = try administered()
    guard key.revokedAt == nil else {
      throw MemoirError(
        .notFound, "the key \(key.id) was revoked",
        details: .members(
          ("key_id", key.id.description), ("reason", "CONFLICT"), ("resource", "key"), ("status", "409")))
    }
    return key
  }

  fileprivate static func keyChanges(_ node: JSONNode) throws(MemoirError) -> APIKeyChanges {
    var changes = APIKeyChanges(name: try node.wireText("name"))
    if let namespaces = node["namespaces"] {
      changes.users = namespaces.isNull ? .all : .only(try users(try node.wireTexts("namespaces") ?? []))
    }
    if node.hasMember("scope") {
      throw .invalid(field: "scope", "stays as it is; make another key and revoke this one")
    }
    guard changes != APIKeyChanges() else { throw .invalid(field: "name", "is missing, and so is namespaces") }
    return changes
  }

  fileprivate func keyDraft(_ node: JSONNode) throws(MemoirError) -> APIKeyDraft {
    try allowKeys()
    guard let name = try node.wireText("name") else { throw .invalid(field: "name", "is missing") }
    guard let word = try node.wireText("scope") else { throw .invalid(field: "scope", "is missing") }
    guard let scopes = AccessScope.scopes(ofWire: word) else {
      throw .invalid(field: "scope", "must be read, write or admin")
    }
    var expiry = KeyExpiry.never
    if let days = try node.wireInteger("expires_in_days", in: 1...36_500) {
      expiry = .at(store.clock().advanced(byMicroseconds: days * 86_400_000_000))
    }
    // Of the namespace that the caller itself asks in; an administrator of all makes administrators of all.
    var namespaces = KeyNamespaces.only([try namespace()])
    if scopes.contains(.admin), caller.key?.namespaces ?? .all == .all { namespaces = .all }
    let users = try node.wireTexts("namespaces").map { names throws(MemoirError) in try Self.users(names) }
    guard caller.key?.mayAdminister(namespaces) ?? true else {
      throw MemoirError(
        .forbidden, "the key does not reach the namespace of the key to be made",
        details: .members(("reason", "NAMESPACE_ACCESS_DENIED")))
    }
    return APIKeyDraft(name, namespaces: namespaces, scopes: scopes, users: users, expiry: expiry)
  }

  /// The users whose namespaces are named.
  private static func users(_ names: [String]) throws(MemoirError) -> [UserPattern] {
    var users: [UserPattern] = []
    do throws(InvalidValue) {
      for name in names {
        guard let pattern = try UserPattern(wireNamespace: name) else {
          throw InvalidValue(
            field: "namespaces", reason: "has \(name); they are _dakera_agent_ID, or the beginning of one and *")
        }
        users.append(pattern)
      }
    } catch {
      throw MemoirError(error)
    }
    return users
  }
}

extension APIKey {
  /// What the wire calls what it may do; its scopes by name where the wire has no word.
  fileprivate var wireScope: String { AccessScope.wireName(of: scopes) ?? scopes.names.joined(separator: ",") }

  /// The agents' namespaces that it reaches; `nil` for all.
  fileprivate var wireNamespaces: [String]? { users?.map(\.wireNamespace) }
}

extension JSONWriter {
  fileprivate mutating func key(_ key: APIKey, at now: Timestamp) {
    beginObject()
    members(key, at: now)
    endObject()
  }

  fileprivate mutating func members(_ key: APIKey, at now: Timestamp) {
    member("key_id", key.id.description)
    member("name", key.name)
    member("scope", key.wireScope)
    self.key("namespaces")
    if let names = key.wireNamespaces { strings(names) } else { null() }
    member("created_at", key.createdAt)
    member("expires_at", key.expiresAt)
    self.key("active")
    bool(!key.isVoid(at: now))
  }
}

extension MemoirError {
  /// 404: there is no such key for this caller, for whatever reason.
  fileprivate static func noWireKey(_ id: String) -> MemoirError {
    MemoirError(
      .notFound, "there is no key \(id)",
      details: .members(("key_id", id), ("reason", "API_KEY_NOT_FOUND"), ("resource", "key")))
  }
}
