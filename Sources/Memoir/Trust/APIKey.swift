// What a key is: whose memory it reaches, and what it may do there. Its secret is nowhere in it.
internal import Bytes
public import EventStore
internal import Sodium

/// The public name of a key: 12 hexadecimal digits.
public struct APIKeyID: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The digits.
  public let description: String

  /// Reads an id.
  ///
  /// - Throws: ``InvalidValue`` for anything but 12 lower-case hexadecimal digits.
  public init(_ text: String, field: String = "key_id") throws(InvalidValue) {
    guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.isDigit) else {
      throw InvalidValue(field: field, reason: "is no key's id: those are \(Self.length) hexadecimal digits")
    }
    description = text
  }

  init(unchecked text: String) { description = text }

  static func random() -> APIKeyID { APIKeyID(unchecked: String(Bytes32.random().hexadecimal.prefix(length))) }

  static let length = 12

  private static func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
  }

  /// By digits.
  public static func < (a: Self, b: Self) -> Bool { a.description.utf8.lexicographicallyPrecedes(b.description.utf8) }
}

/// What can be done with somebody's memory.
public enum AccessScope: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  /// Append events, remember, forget, begin and end sessions.
  case append
  /// Read events, states, differences, sessions, reports, exports.
  case read
  /// Recall memories, assemble contexts.
  case recall
  /// Erase a person.
  case erase
  /// All of these, and keys.
  case admin

  /// Its name on every surface.
  public var description: String { rawValue }

  /// What a key of the Dakera wire may do: `read`, `write` or `admin`; `nil` for another word.
  public static func scopes(ofWire word: String) -> Set<AccessScope>? {
    switch word {
    case "read": [.read, .recall]
    case "write": [.append, .read, .recall]
    case "admin": Set(allCases)
    default: nil
    }
  }

  /// What the Dakera wire calls the scopes of a key: the greatest of its words that is allowed; `nil` for less than `read`.
  public static func wireName(of scopes: Set<AccessScope>) -> String? {
    if scopes.contains(.admin) { return "admin" }
    return ["write", "read"].first { word in self.scopes(ofWire: word).map(scopes.isSuperset) ?? false }
  }

  fileprivate var bit: UInt64 { 1 << UInt64(Self.allCases.firstIndex(of: self) ?? 0) }
}

/// The namespaces of a key.
public enum KeyNamespaces: Hashable, Sendable {
  /// All there are and will be.
  case all
  /// These, by name.
  case only([Namespace])

  /// Whether a namespace is among them.
  public func contains(_ namespace: Namespace) -> Bool {
    switch self {
    case .all: true
    case .only(let names): names.contains(namespace)
    }
  }

  /// Whether all of `other` are among them.
  public func contains(allOf other: KeyNamespaces) -> Bool {
    switch (self, other) {
    case (.all, _): true
    case (.only, .all): false
    case (.only(let names), .only(let others)): Set(names).isSuperset(of: others)
    }
  }

  /// The only one, where there is one: what a request means that names none.
  public var single: Namespace? {
    if case .only(let names) = self, names.count == 1 { names[0] } else { nil }
  }

  /// The names as every surface has them: `*` for all.
  public var names: [String] {
    switch self {
    case .all: ["*"]
    case .only(let names): names.map(\.description)
    }
  }

  /// Reads names.
  ///
  /// - Throws: `invalid_argument` for none, for `*` beside others, for what is no name.
  public init(names: [String]) throws(MemoirError) {
    if names == ["*"] {
      self = .all
      return
    }
    guard !names.contains("*") else { throw .invalid(field: "namespaces", "has * beside others") }
    do throws(InvalidValue) {
      var read: [Namespace] = []
      for name in names { read.append(try Namespace(name, field: "namespaces")) }
      self = .only(read)
    } catch {
      throw MemoirError(error)
    }
  }
}

/// Users that a key is limited to: one, or all whose ids begin alike.
public enum UserPattern: Hashable, Sendable, CustomStringConvertible {
  /// One user.
  case exactly(UserID)
  /// All users whose ids begin so.
  case beginning(String)

  /// Reads a user's id, or the beginning of one with `*` behind it.
  ///
  /// - Throws: ``InvalidValue`` for what is no id, or begins none.
  public init(_ text: String, field: String = "users") throws(InvalidValue) {
    // By bytes: a mark that combines with the star would hide it.
    guard text.utf8.last == UInt8(ascii: "*") else {
      self = .exactly(try UserID(text, field: field))
      return
    }
    let beginning = String(text.unicodeScalars.dropLast())
    // `.` begins an id, though it is none.
    if !beginning.isEmpty { _ = try UserID(beginning + "_", field: field) }
    self = .beginning(beginning)
  }

  /// Reads a namespace of the Dakera wire, in which an agent's memories are: `_dakera_agent_` and the user's id, or a
  /// beginning of that with `*` behind it; `nil` for a namespace that is no agent's.
  ///
  /// - Throws: ``InvalidValue`` for what is no id, or begins none.
  public init?(wireNamespace text: String, field: String = "namespaces") throws(InvalidValue) {
    let marker = Self.wireMarker
    if text.utf8.starts(with: marker.utf8) {
      self = try UserPattern(String(text.unicodeScalars.dropFirst(marker.utf8.count)), field: field)
    } else if text.utf8.last == UInt8(ascii: "*"), marker.utf8.starts(with: text.utf8.dropLast()) {
      self = .beginning("")
    } else {
      return nil
    }
  }

  private static let wireMarker = "_dakera_agent_"

  /// Whether it is a user of these.
  public func contains(_ user: UserID) -> Bool {
    switch self {
    case .exactly(let one): one == user
    case .beginning(let text): user.description.utf8.starts(with: text.utf8)
    }
  }

  /// The id, or the beginning with `*` behind it.
  public var description: String {
    switch self {
    case .exactly(let user): user.description
    case .beginning(let text): text + "*"
    }
  }

  /// As the Dakera wire names the user's namespace.
  public var wireNamespace: String { Self.wireMarker + description }
}

/// A key by which a service, or one person's program, comes in.
public struct APIKey: Hashable, Sendable {
  /// Its public name.
  public let id: APIKeyID
  /// What people call it.
  public internal(set) var name: String
  /// Where it reaches: nothing beyond, whatever is granted.
  public internal(set) var namespaces: KeyNamespaces
  /// What it may do.
  public internal(set) var scopes: Set<AccessScope>
  /// Whose memory it reaches; `nil`: everybody's in its namespaces.
  public internal(set) var users: [UserPattern]?
  /// When it was made.
  public let createdAt: Timestamp
  /// From when on it is void; `nil`: never.
  public internal(set) var expiresAt: Timestamp?
  /// Since when it is void by decision.
  public internal(set) var revokedAt: Timestamp?
  /// Its secrets, the oldest first: the last one, and those before it that a rotation left valid for a while.
  public internal(set) var secrets: [Secret]

  /// What is known of a secret: all but the secret.
  public struct Secret: Hashable, Sendable {
    /// When it was made.
    public let createdAt: Timestamp
    /// From when on it is void; `nil`: as the key.
    public internal(set) var validUntil: Timestamp?
    /// Under a key of the store's.
    let hash: Bytes32
  }

  /// The person whose own key it is: the only user it reaches.
  public var person: UserID? {
    if let users, users.count == 1, case .exactly(let user) = users[0] { user } else { nil }
  }

  /// Whether it may do this somewhere. `admin` includes everything.
  public func has(_ scope: AccessScope) -> Bool { scopes.contains(scope) || scopes.contains(.admin) }

  /// Whether it is limited to other users than this one.
  public func reaches(_ user: UserID) -> Bool { users?.contains { $0.contains(user) } ?? true }

  /// Whether it is void at a moment.
  public func isVoid(at time: Timestamp) -> Bool { revokedAt != nil || expiresAt.map { $0 <= time } ?? false }

  /// Whether it may see, change and revoke another key, or make it: where all that one reaches is within its own reach.
  public func mayAdminister(_ other: APIKey) -> Bool { mayAdminister(other.namespaces) }

  /// Whether it may make, see, change and revoke keys of these namespaces.
  public func mayAdminister(_ others: KeyNamespaces) -> Bool {
    scopes.contains(.admin) && namespaces.contains(allOf: others)
  }
}

extension Set<AccessScope> {
  /// In one order on every surface.
  public var names: [String] { AccessScope.allCases.filter(contains).map(\.rawValue) }

  var bits: UInt64 { reduce(0) { $0 | $1.bit } }

  init(bits: UInt64) { self = Set(AccessScope.allCases.filter { bits & $0.bit != 0 }) }
}

// MARK: Its record

extension APIKey {
  private static let form: UInt8 = 1

  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: 160)
    writer.write(Self.form)
    writer.writeString(name)
    switch namespaces {
    case .all: writer.writeVarint(0)
    case .only(let names):
      writer.writeVarint(names.count)
      for name in names { writer.writeString(name.description) }
    }
    writer.writeVarint(scopes.bits)
    // One more than there are: none limits, and an empty list would let in nobody.
    writer.writeVarint((users?.count ?? -1) + 1)
    for user in users ?? [] { writer.writeString(user.description) }
    writer.writeVarint(UInt64(createdAt.microseconds))
    writer.write(expiresAt)
    writer.write(revokedAt)
    writer.writeVarint(secrets.count)
    for secret in secrets {
      writer.writeVarint(UInt64(secret.createdAt.microseconds))
      writer.write(secret.validUntil)
      secret.hash.write(into: &writer)
    }
    return writer.bytes
  }

  init(_ id: APIKeyID, decoding bytes: [UInt8]) throws(DamagedBytes) {
    var reader = ByteReader(bytes.rawSpan)
    guard try reader.readUInt8() == Self.form else { throw DamagedBytes() }
    self.id = id
    name = try reader.readString()
    var names: [String] = []
    for _ in 0..<(try reader.readCount()) { names.append(try reader.readString()) }
    guard let namespaces = try? KeyNamespaces(names: names.isEmpty ? ["*"] : names) else { throw DamagedBytes() }
    self.namespaces = namespaces
    scopes = Set(bits: try reader.readVarint())
    let count = try reader.readCount()
    var users: [UserPattern] = []
    for _ in 0..<max(count - 1, 0) {
      guard let user = try? UserPattern(try reader.readString()) else { throw DamagedBytes() }
      users.append(user)
    }
    self.users = count == 0 ? nil : users
    createdAt = try reader.readTime()
    expiresAt = try reader.readOptionalTime()
    revokedAt = try reader.readOptionalTime()
    var secrets: [Secret] = []
    for _ in 0..<(try reader.readCount()) {
      let made = try reader.readTime()
      let until = try reader.readOptionalTime()
      secrets.append(Secret(createdAt: made, validUntil: until, hash: try Bytes32(reading: &reader)))
    }
    self.secrets = secrets
  }
}

extension ByteWriter {
  mutating func write(_ time: Timestamp?) { writeVarint(time.map { UInt64($0.microseconds) + 1 } ?? 0) }
}

extension ByteReader {
  @_lifetime(self: copy self)
  mutating func readOptionalTime() throws(DamagedBytes) -> Timestamp? {
    let number = try readVarint()
    if number == 0 { return nil }
    guard let time = Timestamp(microseconds: Int64(clamping: number - 1)) else { throw DamagedBytes() }
    return time
  }
}
