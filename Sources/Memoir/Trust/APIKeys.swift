// The store's keys: made, shown once, found again by their hash, replaced and revoked.
//
// They are records of the store. A secret is kept only as its hash under a random key of the store's own, and found by
// the public id that stands in it. All keys are held in memory, together with the records' version: one look at that
// tells whether another process has changed any, so that a revoked key is void everywhere at once.
internal import Bytes
public import EventStore
internal import Sodium
internal import Synchronization

/// From when on a key is void.
public enum KeyExpiry: Hashable, Sendable {
  /// When it is revoked.
  case never
  /// At a moment that is yet to come.
  case at(Timestamp)

  var time: Timestamp? { if case .at(let time) = self { time } else { nil } }
}

/// A key to be made.
public struct APIKeyDraft: Hashable, Sendable {
  /// What people call it: 1…250 bytes.
  public var name: String
  /// Where it reaches; all of them only with the scope `admin`.
  public var namespaces: KeyNamespaces
  /// What it may do: something at least.
  public var scopes: Set<AccessScope>
  /// Whose memory it reaches; `nil`: everybody's in its namespaces.
  public var users: [UserPattern]?
  /// From when on it is void.
  public var expiry: KeyExpiry

  /// A draft.
  public init(
    _ name: String, namespaces: KeyNamespaces, scopes: Set<AccessScope>, users: [UserPattern]? = nil,
    expiry: KeyExpiry = .never
  ) {
    self.name = name
    self.namespaces = namespaces
    self.scopes = scopes
    self.users = users
    self.expiry = expiry
  }
}

/// The users of a key.
public enum KeyUsers: Hashable, Sendable {
  /// Everybody in its namespaces.
  case all
  /// These.
  case only([UserPattern])

  var patterns: [UserPattern]? { if case .only(let patterns) = self { patterns } else { nil } }
}

/// What is to become of a key. What is `nil` stays.
public struct APIKeyChanges: Hashable, Sendable {
  /// What people call it.
  public var name: String?
  /// Where it reaches.
  public var namespaces: KeyNamespaces?
  /// Whose memory it reaches there.
  public var users: KeyUsers?
  /// From when on it is void.
  public var expiry: KeyExpiry?

  /// Changes nothing yet.
  public init(
    name: String? = nil, namespaces: KeyNamespaces? = nil, users: KeyUsers? = nil, expiry: KeyExpiry? = nil
  ) {
    self.name = name
    self.namespaces = namespaces
    self.users = users
    self.expiry = expiry
  }
}

/// Who it is that shows a secret.
public enum Authentication: Hashable, Sendable {
  /// The holder of this key.
  case key(APIKey)
  /// The holder of a key, or of a secret of it, that was good once.
  case expired(APIKeyID)
  /// Nobody, or the holder of a revoked key.
  case unknown

  /// The key, where it is good.
  public var key: APIKey? { if case .key(let key) = self { key } else { nil } }
}

/// The keys of a store: ``MemoirStore/keys``.
public final class APIKeys: Sendable {
  /// Seconds that a replaced secret may stay valid at most: 30 days.
  public static let largestGrace = 30 * 86_400
  /// Secrets kept of a key: the last one, and those before it still valid.
  static let secretLimit = 4
  private static let longestName = 250, listLimit = 100
  /// Decisions taken anew since another one came first, before it is given up.
  private static let patience = 100

  private let log: EventLog
  private let clock: @Sendable () -> Timestamp
  private let remembered = Mutex<KeyRing?>(nil)

  init(_ log: EventLog, clock: @escaping @Sendable () -> Timestamp) {
    self.log = log
    self.clock = clock
  }

  // MARK: Making and changing

  /// Makes a key.
  ///
  /// - Returns: The key, and its secret, which nobody can ask for again. Both are on disk.
  /// - Throws: `invalid_argument` for a name that is none, for no namespace or scope, for all namespaces without `admin`,
  ///   for `admin` that is limited to users, for an expiry that has passed.
  public func create(_ draft: APIKeyDraft) async throws(MemoirError) -> (key: APIKey, secret: SecretKey) {
    let now = clock()
    try Self.check(draft.name)
    let namespaces = try Self.checked(draft.namespaces, for: draft.scopes)
    let users = try Self.checked(draft.users, for: draft.scopes)
    guard !draft.scopes.isEmpty else { throw .invalid(field: "scopes", "must not be empty") }
    try Self.check(draft.expiry, at: now)
    return try await deciding { ring throws(MemoirError) in
      var id = APIKeyID.random()
      while ring.keys[id] != nil { id = .random() }
      let secret = APISecret(id, .random())
      let key = APIKey(
        id: id, name: draft.name, namespaces: namespaces, scopes: draft.scopes, users: users, createdAt: now,
        expiresAt: draft.expiry.time, revokedAt: nil,
        secrets: [APIKey.Secret(createdAt: now, validUntil: nil, hash: secret.hash(under: ring.hashKey))])
      return (key, (key, SecretKey(secret.text)))
    }
  }

  /// Changes the name, the namespaces, the users or the expiry of a key; at once, wherever it is used.
  ///
  /// - Throws: `not_found` for a key that is not there or was revoked; `invalid_argument` as ``create(_:)``.
  @discardableResult
  public func update(_ id: APIKeyID, _ changes: APIKeyChanges) async throws(MemoirError) -> APIKey {
    if let name = changes.name { try Self.check(name) }
    if let expiry = changes.expiry { try Self.check(expiry, at: clock()) }
    return try await deciding { ring throws(MemoirError) in
      var key = try ring.standing(id)
      if let name = changes.name { key.name = name }
      if let namespaces = changes.namespaces { key.namespaces = try Self.checked(namespaces, for: key.scopes) }
      if let users = changes.users { key.users = try Self.checked(users.patterns, for: key.scopes) }
      if let expiry = changes.expiry { key.expiresAt = expiry.time }
      return (key, key)
    }
  }

  /// Gives a key another secret.
  ///
  /// - Parameter grace: Seconds that the secrets before it stay valid at most; with 0 they are void at once.
  /// - Returns: The key, and its new secret, which nobody can ask for again.
  /// - Throws: `not_found` for a key that is not there or was revoked; `invalid_argument` for a grace out of range.
  public func rotate(
    _ id: APIKeyID, grace: Int = 0
  ) async throws(MemoirError) -> (key: APIKey, secret: SecretKey) {
    guard 0...Self.largestGrace ~= grace else {
      throw .invalid(field: "grace", "is \(grace); it must be 0…\(Self.largestGrace) seconds")
    }
    let now = clock()
    let end = now.advanced(byMicroseconds: Int64(grace) * 1_000_000)
    let secret = APISecret(id, .random())
    return try await deciding { ring throws(MemoirError) in
      var key = try ring.standing(id)
      for index in key.secrets.indices {
        key.secrets[index].validUntil = min(key.secrets[index].validUntil ?? .latest, end)
      }
      key.secrets.removeAll { $0.isVoid(at: now) }
      key.secrets = key.secrets.suffix(Self.secretLimit - 1)
      key.secrets.append(APIKey.Secret(createdAt: now, validUntil: nil, hash: secret.hash(under: ring.hashKey)))
      return (key, (key, SecretKey(secret.text)))
    }
  }

  /// Makes a key void for good, at once, wherever it is used. Its name stays, for the access log; its secrets' hashes go.
  ///
  /// Of a key that was revoked before, says when that was.
  /// - Throws: `not_found` for a key that is not there.
  @discardableResult
  public func revoke(_ id: APIKeyID) async throws(MemoirError) -> APIKey {
    let now = clock()
    return try await deciding { ring throws(MemoirError) in
      var key = try ring.any(id)
      if key.revokedAt != nil { return (nil, key) }
      key.revokedAt = now
      key.secrets = []
      return (key, key)
    }
  }

  // MARK: Looking

  /// All keys, the oldest first.
  ///
  /// - Throws: `corrupt` where one is damaged.
  public func list(includingRevoked: Bool = false) throws(MemoirError) -> [APIKey] {
    let ring = try ring()
    if let damage = ring.damage { throw damage }
    return ring.keys.values.filter { includingRevoked || $0.revokedAt == nil }
      .sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
  }

  /// A key, also one that was revoked.
  ///
  /// - Throws: `not_found` where there is none.
  public func get(_ id: APIKeyID) throws(MemoirError) -> APIKey { try ring().any(id) }

  /// Whether no key was ever made: then nobody can come in by one. Those that were revoked count, and those that went with
  /// the person whose they were, or the end of the last one would open the door to everybody.
  public var isEmpty: Bool {
    get throws(MemoirError) {
      let ring = try ring()
      // What they are hashed with comes with the first one and stays.
      return !ring.hasHashKey && ring.keys.isEmpty && ring.damage == nil
    }
  }

  /// Finds the key of a secret. Says nothing about a secret by the time it takes.
  ///
  /// - Throws: ``MemoirError`` where the store cannot be read. A damaged key lets nobody in, and keeps nobody out.
  /// - Complexity: Some microseconds; O(keys) after a change of any.
  public func authenticate(_ secret: SecretKey) throws(MemoirError) -> Authentication {
    guard let shown = APISecret(secret.value) else { return .unknown }
    let ring = try ring()
    let now = clock()
    let hash = shown.hash(under: ring.hashKey)
    // An id that is not there takes as long as one that is.
    let key = ring.keys[shown.id]
    var isValid = false, isKnown = false
    for candidate in (key?.secrets ?? []) + [Self.nobodys] {
      let isSame = candidate.hash.isSameInConstantTime(as: hash)
      isKnown = isKnown || isSame
      isValid = isValid || isSame && !candidate.isVoid(at: now)
    }
    guard isKnown, let key, key.revokedAt == nil else { return .unknown }
    return isValid && !key.isVoid(at: now) ? .key(key) : .expired(key.id)
  }

  private static let nobodys = APIKey.Secret(createdAt: .earliest, validUntil: nil, hash: .random())

  // MARK: Records

  private func ring() throws(MemoirError) -> KeyRing {
    do throws(StorageError) {
      let version = try log.recordVersion(of: .keys)
      if let known = remembered.withLock({ $0 }), known.version == version { return known }
      let ring = try KeyRing(try log.recordSet(of: .keys))
      // A later one may have come first.
      remembered.withLock { if $0?.version ?? 0 <= ring.version { $0 = ring } }
      return ring
    } catch {
      throw MemoirError(error)
    }
  }

  /// Reads the keys, decides, and keeps what was decided unless another decision came first: then all over again.
  private func deciding<Result: Sendable>(
    _ decide: (KeyRing) throws(MemoirError) -> (changed: APIKey?, result: Result)
  ) async throws(MemoirError) -> Result {
    for _ in 0..<Self.patience {
      let ring = try ring()
      let (changed, result) = try decide(ring)
      guard let changed else { return result }
      var records = [RecordChange.keep(changed.encoded(), at: KeyRing.recordKey(changed.id))]
      if !ring.hasHashKey {
        var writer = ByteWriter(capacity: 32)
        ring.hashKey.write(into: &writer)
        records.append(.keep(writer.bytes, at: KeyRing.hashKeyKey))
      }
      do throws(StorageError) {
        if try await log.changeRecords(records, in: .keys, expecting: ring.version) { return result }
      } catch {
        throw MemoirError(error)
      }
    }
    throw MemoirError(.unavailable, "the keys are being changed without a pause; try again")
  }

  // MARK: Rules

  private static func check(_ name: String) throws(MemoirError) {
    do throws(InvalidValue) { try NameRule.check(name, longest: longestName, field: "name") } catch {
      throw MemoirError(error)
    }
  }

  private static func check(_ expiry: KeyExpiry, at now: Timestamp) throws(MemoirError) {
    if let time = expiry.time, time <= now { throw .invalid(field: "expires_at", "has passed: \(time)") }
  }

  private static func checked(
    _ namespaces: KeyNamespaces, for scopes: Set<AccessScope>
  ) throws(MemoirError) -> KeyNamespaces {
    guard case .only(let names) = namespaces else {
      if scopes.contains(.admin) { return namespaces }
      throw .invalid(field: "namespaces", "can be * only for the scope admin")
    }
    guard !names.isEmpty else { throw .invalid(field: "namespaces", "must not be empty") }
    guard names.count <= listLimit else { throw .invalid(field: "namespaces", "are more than \(listLimit)") }
    return .only(Array(Set(names)).sorted())
  }

  private static func checked(
    _ users: [UserPattern]?, for scopes: Set<AccessScope>
  ) throws(MemoirError) -> [UserPattern]? {
    guard let users else { return nil }
    guard !users.isEmpty else { throw .invalid(field: "users", "must not be empty") }
    guard users.count <= listLimit else { throw .invalid(field: "users", "are more than \(listLimit)") }
    guard !scopes.contains(.admin) else {
      throw .invalid(field: "users", "cannot limit a key of the scope admin, which reaches whole namespaces")
    }
    return Array(Set(users)).sorted { $0.description.utf8.lexicographicallyPrecedes($1.description.utf8) }
  }
}

extension APIKey.Secret {
  func isVoid(at time: Timestamp) -> Bool { validUntil.map { $0 <= time } ?? false }
}

/// All keys at one moment.
private struct KeyRing: Sendable {
  let version: UInt64
  /// What secrets are hashed under.
  let hashKey: Bytes32
  let hasHashKey: Bool
  let keys: [APIKeyID: APIKey]
  /// What is wrong, where one of them is damaged.
  let damage: MemoirError?

  /// Its first byte comes before those of keys.
  static let hashKeyKey: [UInt8] = [1]
  private static let keyByte: UInt8 = 2

  static func recordKey(_ id: APIKeyID) -> [UInt8] { [keyByte] + Array(id.description.utf8) }

  init(_ set: RecordSet) throws(StorageError) {
    version = set.version
    var hashKey: Bytes32?
    var keys: [APIKeyID: APIKey] = [:]
    var damaged: String?
    for record in set.records {
      if record.key == Self.hashKeyKey {
        guard let value = record.value else { throw Self.lostHashKey }
        var reader = ByteReader(value.rawSpan)
        guard let read = try? Bytes32(reading: &reader) else { throw Self.lostHashKey }
        hashKey = read
        continue
      }
      let text = String(decoding: record.key.dropFirst(), as: UTF8.self)
      if record.key.first == Self.keyByte, let id = try? APIKeyID(text), let value = record.value,
        let key = try? APIKey(id, decoding: value)
      {
        keys[id] = key
      } else {
        damaged = text
      }
    }
    guard hashKey != nil || keys.isEmpty else { throw Self.lostHashKey }
    self.hashKey = hashKey ?? .random()
    hasHashKey = hashKey != nil
    self.keys = keys
    damage = damaged.map { MemoirError(.corrupt, "the key \($0) is damaged") }
  }

  private static var lostHashKey: StorageError {
    .corrupt(reason: "what keys are hashed with is damaged; restore a backup", position: nil)
  }

  func any(_ id: APIKeyID) throws(MemoirError) -> APIKey {
    guard let key = keys[id] else {
      throw MemoirError(.notFound, "there is no key \(id)", details: .object("key_id", id.description))
    }
    return key
  }

  func standing(_ id: APIKeyID) throws(MemoirError) -> APIKey {
    let key = try any(id)
    guard key.revokedAt == nil else {
      throw MemoirError(.notFound, "the key \(id) was revoked", details: .object("key_id", id.description))
    }
    return key
  }
}

/// What the holder of a key shows: `dk-`, the key's id, `-`, 256 random bits in hexadecimal digits.
private struct APISecret {
  let id: APIKeyID
  private let bits: Bytes32

  init(_ id: APIKeyID, _ bits: Bytes32) {
    self.id = id
    self.bits = bits
  }

  /// Reads a text; `nil` for one of another form.
  init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "dk", let id = try? APIKeyID(String(parts[1])),
      let bits = Bytes32(hexadecimal: String(parts[2]))
    else { return nil }
    self.init(id, bits)
  }

  var text: String { "dk-\(id)-\(bits.hexadecimal)" }

  func hash(under key: Bytes32) -> Bytes32 { BLAKE2b.digest(Array(text.utf8).rawSpan, key: key) }
}
