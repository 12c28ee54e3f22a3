// What people, or those who answer for them, allow others besides: who, whose memory, what, until when.
//
// A grant widens whose memory a key reaches. What a key may do at all, and in which namespaces, its scopes and namespaces
// say: no grant goes beyond them.
internal import Bytes
public import EventStore

/// Who did something, or may: a key, or whoever has the store's file in hand.
public enum Accessor: Hashable, Sendable, CustomStringConvertible {
  /// The command line, the embedding application, or anybody where there are no keys.
  case local
  /// The holder of a key.
  case key(APIKeyID)

  /// `local`, or `key:` and the key's id.
  public var description: String {
    switch self {
    case .local: "local"
    case .key(let id): "key:\(id)"
    }
  }

  /// Reads ``description``.
  init(reading text: String) throws(DamagedBytes) {
    if text == "local" {
      self = .local
    } else if text.hasPrefix("key:"), let id = try? APIKeyID(String(text.dropFirst(4))) {
      self = .key(id)
    } else {
      throw DamagedBytes()
    }
  }
}

/// To whom something is granted.
public enum Grantee: Hashable, Sendable, CustomStringConvertible {
  /// The holder of a key.
  case key(APIKeyID)
  /// A person of the same namespace: whoever comes by a key of that person's own.
  case person(UserID)

  /// `key:` and the key's id, or `user:` and the person's.
  public var description: String {
    switch self {
    case .key(let id): "key:\(id)"
    case .person(let user): "user:\(user)"
    }
  }

  /// Reads ``description``.
  public init(_ text: String, field: String = "grantee") throws(InvalidValue) {
    if text.hasPrefix("key:") {
      self = .key(try APIKeyID(String(text.dropFirst(4)), field: field))
    } else if text.hasPrefix("user:") {
      self = .person(try UserID(String(text.dropFirst(5)), field: field))
    } else {
      throw InvalidValue(field: field, reason: "is neither key:ID nor user:ID")
    }
  }

  /// Whether it is who holds this key.
  public func isHolder(of key: APIKey) -> Bool {
    switch self {
    case .key(let id): key.id == id
    case .person(let user): key.person == user
    }
  }
}

/// The id of a grant: a UUIDv7, so that a person's grants lie in the order of time.
public struct GrantID: Hashable, Sendable, CustomStringConvertible {
  let id: EventID

  init(_ id: EventID) { self.id = id }

  /// Reads an id.
  ///
  /// - Throws: ``InvalidValue`` where it is no UUID.
  public init(_ text: String, field: String = "grant") throws(InvalidValue) { id = try EventID(text, field: field) }

  /// As it is printed.
  public var description: String { id.description }
}

/// What somebody is allowed to do with another person's memory.
public struct Grant: Hashable, Sendable {
  /// Its id.
  public let id: GrantID
  /// Whose memory it is about.
  public let owner: StreamName
  /// Who is allowed.
  public let grantee: Grantee
  /// What is allowed; never `admin`.
  public let operations: Set<AccessScope>
  /// When it was made.
  public let createdAt: Timestamp
  /// Who made it.
  public let createdBy: Accessor
  /// From when on it holds no more; `nil`: until it is revoked.
  public let until: Timestamp?
  /// When it was revoked.
  public internal(set) var revokedAt: Timestamp?

  /// Whether it holds at a moment.
  public func stands(at time: Timestamp) -> Bool { revokedAt == nil && until.map { time < $0 } ?? true }

  /// Whether it lets the holder of a key do this at a moment.
  public func allows(_ operation: AccessScope, by key: APIKey, at time: Timestamp) -> Bool {
    operations.contains(operation) && grantee.isHolder(of: key) && stands(at: time)
  }
}

/// The grants of a store: ``MemoirStore/grants``.
public final class Grants: Sendable {
  /// Grants kept of a person. Beyond that the oldest that hold no more are forgotten.
  public static let limit = 1_000
  private static let patience = 100

  private let log: EventLog
  private let keys: APIKeys
  private let clock: @Sendable () -> Timestamp

  init(_ log: EventLog, _ keys: APIKeys, clock: @escaping @Sendable () -> Timestamp) {
    self.log = log
    self.keys = keys
    self.clock = clock
  }

  /// Allows somebody something. Once it returns, it is on disk and in force everywhere.
  ///
  /// - Parameters:
  ///   - owner: Whose memory it is about.
  ///   - operations: What is allowed: something at least, and not `admin`.
  ///   - until: From when on it holds no more; `nil`: until it is revoked.
  ///   - creator: Who says so.
  /// - Throws: `not_found` for a person nobody has heard of, or a key that is not there; `invalid_argument` for no
  ///   operation or `admin`, a moment that has passed, and where ``limit`` of them hold.
  @discardableResult
  public func grant(
    _ operations: Set<AccessScope>, on owner: StreamName, to grantee: Grantee, until: Timestamp? = nil,
    by creator: Accessor = .local
  ) async throws(MemoirError) -> Grant {
    let now = clock()
    guard !operations.isEmpty else { throw .invalid(field: "operations", "must not be empty") }
    guard !operations.contains(.admin) else { throw .invalid(field: "operations", "cannot be admin") }
    if let until, until <= now { throw .invalid(field: "until", "has passed: \(until)") }
    if case .key(let id) = grantee, try keys.get(id).revokedAt != nil {
      throw MemoirError(.notFound, "the key \(id) was revoked", details: .object("key_id", id.description))
    }
    do {
      guard try log.version(of: owner) > 0 else { throw MemoirError.noUser(owner) }
    } catch {
      throw MemoirError(error)
    }
    let grant = Grant(
      id: GrantID(.generate(at: now)), owner: owner, grantee: grantee, operations: operations, createdAt: now,
      createdBy: creator, until: until, revokedAt: nil)
    return try await deciding(about: owner) { grants throws(MemoirError) in
      var changes = [RecordChange.keep(grant.encoded(), at: grant.key)]
      if grants.count >= Self.limit {
        guard let ended = grants.first(where: { !$0.stands(at: now) }) else {
          throw .invalid(field: "grants", "are \(Self.limit) that hold already")
        }
        changes.append(.remove(at: ended.key))
      }
      return (changes, grant)
    }
  }

  /// Ends a grant, at once. Of one that was revoked before, says when that was.
  ///
  /// - Throws: `not_found` for a grant that the person has not.
  @discardableResult
  public func revoke(_ id: GrantID, of owner: StreamName) async throws(MemoirError) -> Grant {
    let now = clock()
    return try await deciding(about: owner) { grants throws(MemoirError) in
      guard var grant = grants.first(where: { $0.id == id }) else {
        throw MemoirError(.notFound, "there is no grant \(id)", details: .object("grant", id.description))
      }
      if grant.revokedAt != nil { return ([], grant) }
      grant.revokedAt = now
      return ([.keep(grant.encoded(), at: grant.key)], grant)
    }
  }

  /// What a person has granted, the oldest first.
  ///
  /// - Parameter includingEnded: Also what holds no more.
  /// - Throws: `corrupt` where one is damaged.
  /// - Complexity: O(grants of the person).
  public func list(of owner: StreamName, includingEnded: Bool = false) throws(MemoirError) -> [Grant] {
    try list(prefix: Grant.prefix(of: owner), includingEnded: includingEnded)
  }

  /// What somebody was granted, by whom.
  ///
  /// - Parameter namespace: Where: of persons, one of the same name in each namespace is another person.
  /// - Throws: `corrupt` where one is damaged.
  /// - Complexity: O(grants of the namespace).
  public func list(
    to grantee: Grantee, in namespace: Namespace, includingEnded: Bool = false
  ) throws(MemoirError) -> [Grant] {
    try list(prefix: Grant.prefix(of: namespace), includingEnded: includingEnded).filter { $0.grantee == grantee }
  }

  private func list(prefix: [UInt8], includingEnded: Bool) throws(MemoirError) -> [Grant] {
    let now = clock()
    return try read(prefix).grants.filter { includingEnded || $0.stands(at: now) }
  }

  private func read(_ prefix: [UInt8]) throws(MemoirError) -> (grants: [Grant], version: UInt64) {
    do {
      let set = try log.recordSet(of: .grants, prefix: prefix)
      var grants: [Grant] = []
      for record in set.records {
        guard let value = record.value else { throw DamagedBytes() }
        grants.append(try Grant(key: record.key, decoding: value))
      }
      return (grants, set.version)
    } catch is DamagedBytes {
      throw MemoirError(.corrupt, "a grant is damaged")
    } catch {
      throw MemoirError(error)
    }
  }

  /// Reads a person's grants, decides, and keeps what was decided unless another decision came first: then all over again.
  private func deciding(
    about owner: StreamName, _ decide: ([Grant]) throws(MemoirError) -> (changes: [RecordChange], result: Grant)
  ) async throws(MemoirError) -> Grant {
    for _ in 0..<Self.patience {
      let (grants, version) = try read(Grant.prefix(of: owner))
      let (changes, result) = try decide(grants)
      if changes.isEmpty { return result }
      do throws(StorageError) {
        if try await log.changeRecords(changes, in: .grants, expecting: version) { return result }
      } catch {
        throw MemoirError(error)
      }
    }
    throw MemoirError(.unavailable, "the grants are being changed without a pause; try again")
  }
}

// MARK: Its record

extension Grant {
  private static let form: UInt8 = 1
  /// Before every name, so that no key is the counter's.
  private static let byte: UInt8 = 1

  static func prefix(of namespace: Namespace) -> [UInt8] { [byte] + Array(namespace.description.utf8) + [0] }

  static func prefix(of owner: StreamName) -> [UInt8] {
    prefix(of: owner.namespace) + Array(owner.user.description.utf8) + [0]
  }

  var key: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.write(contentsOf: Self.prefix(of: owner))
    id.id.write(into: &writer)
    return writer.bytes
  }

  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.write(Self.form)
    writer.writeString(grantee.description)
    writer.writeVarint(operations.bits)
    writer.writeVarint(UInt64(createdAt.microseconds))
    writer.writeString(createdBy.description)
    writer.write(until)
    writer.write(revokedAt)
    return writer.bytes
  }

  init(key: [UInt8], decoding value: [UInt8]) throws(DamagedBytes) {
    guard key.count > 18 else { throw DamagedBytes() }
    // Names have no 0 in them; an id may.
    let names = key[1..<key.count - 17].split(separator: 0, omittingEmptySubsequences: false)
    guard names.count == 2, let namespace = try? Namespace(String(decoding: names[0], as: UTF8.self)),
      let user = try? UserID(String(decoding: names[1], as: UTF8.self))
    else { throw DamagedBytes() }
    owner = StreamName(user, in: namespace)
    let idBytes = Array(key.suffix(16))
    var idReader = ByteReader(idBytes.rawSpan)
    id = GrantID(try EventID(reading: &idReader))
    var reader = ByteReader(value.rawSpan)
    guard try reader.readUInt8() == Self.form, let grantee = try? Grantee(try reader.readString()) else {
      throw DamagedBytes()
    }
    self.grantee = grantee
    operations = Set(bits: try reader.readVarint())
    createdAt = try reader.readTime()
    createdBy = try Accessor(reading: try reader.readString())
    until = try reader.readOptionalTime()
    revokedAt = try reader.readOptionalTime()
  }
}
