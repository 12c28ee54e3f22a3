// Keys, grants and accesses as JSON, the same on every surface. Keys are sorted; no secret is in it.
internal import EventStore
public import JSON

extension APIKey {
  /// Prints `{"created_at","expires_at","id","name","namespaces","revoked_at","scopes","secrets","users"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("created_at")
    writer.write(createdAt)
    writer.key("expires_at")
    writer.write(expiresAt)
    writer.key("id")
    writer.string(id.description)
    writer.key("name")
    writer.string(name)
    writer.key("namespaces")
    writer.array(namespaces.names) { $0.string($1) }
    if let revokedAt {
      writer.key("revoked_at")
      writer.write(revokedAt)
    }
    writer.key("scopes")
    writer.array(scopes.names) { $0.string($1) }
    writer.key("secrets")
    writer.array(secrets) { writer, secret in
      writer.beginObject()
      writer.key("created_at")
      writer.write(secret.createdAt)
      writer.key("valid_until")
      writer.write(secret.validUntil)
      writer.endObject()
    }
    writer.key("users")
    if let users { writer.array(users) { $0.string($1.description) } } else { writer.null() }
    writer.endObject()
  }
}

extension Grant {
  /// Prints `{"created_at","created_by","grant","grantee","namespace","operations","until","user"}`, and `revoked_at` where
  /// it was revoked.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("created_at")
    writer.write(createdAt)
    writer.key("created_by")
    writer.string(createdBy.description)
    writer.key("grant")
    writer.string(id.description)
    writer.key("grantee")
    writer.string(grantee.description)
    writer.key("namespace")
    writer.string(owner.namespace.description)
    writer.key("operations")
    writer.array(operations.names) { $0.string($1) }
    if let revokedAt {
      writer.key("revoked_at")
      writer.write(revokedAt)
    }
    writer.key("until")
    writer.write(until)
    writer.key("user")
    writer.string(owner.user.description)
    writer.endObject()
  }
}

extension AccessEntry {
  /// Prints `{"at","bytes","entry","items","namespace","operation","outcome","reader","user"}`, and `request_id` where there
  /// is one.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("at")
    writer.write(access.time)
    writer.key("bytes")
    writer.integer(access.bytes)
    writer.key("entry")
    writer.integer(number)
    writer.key("items")
    writer.integer(access.items)
    writer.key("namespace")
    writer.string(access.namespace.description)
    writer.key("operation")
    writer.string(access.operation)
    writer.key("outcome")
    writer.string(access.outcome.rawValue)
    writer.key("reader")
    writer.string(access.reader.description)
    if let id = access.requestID {
      writer.key("request_id")
      writer.string(id)
    }
    if let user = access.user {
      writer.key("user")
      writer.string(user.description)
    }
    writer.endObject()
  }
}

extension AccessPage {
  /// Prints `{"accesses","next"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("accesses")
    writer.array(entries) { $1.write(to: &$0) }
    writer.key("next")
    if let next { writer.integer(next) } else { writer.null() }
    writer.endObject()
  }
}

extension JSONWriter {
  /// A time, or null.
  fileprivate mutating func write(_ time: Timestamp?) {
    if let time { write(time) } else { null() }
  }
}
