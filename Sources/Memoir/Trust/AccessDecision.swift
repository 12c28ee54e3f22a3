// Who may do what with whose memory: the one rule that every door asks.
public import EventStore

/// What the rule says.
public enum AccessDecision: Hashable, Sendable {
  /// It may be done.
  case allowed(Ground)
  /// It may not.
  case denied(Refusal)

  /// On what ground.
  public enum Ground: Hashable, Sendable {
    /// The key's own reach and scopes.
    case key
    /// It is the person's own memory.
    case own
    /// Another person's word.
    case grant(GrantID)
  }

  /// What stands in the way: the first of these in this order.
  public enum Refusal: String, CaseIterable, Hashable, Sendable {
    /// The key was revoked or has expired.
    case key
    /// The key does not reach into the namespace. To its holder what is there is as if it were not.
    case namespace
    /// The key does not reach the person, nor does a grant. To its holder the person is as if they were not.
    case user
    /// The key may not do this.
    case scope
  }

  /// Whether it may be done.
  public var isAllowed: Bool { if case .allowed = self { true } else { false } }

  /// Decides.
  ///
  /// A key does what its scopes say (`admin` says everything), in its namespaces, with the users it is limited to; and with
  /// another person's memory, as far as a grant says so too. A person's own key may always read that person's memory.
  ///
  /// - Parameters:
  ///   - user: Whose memory; `nil`: of the namespace as a whole, which no key reaches that is limited to users.
  ///   - grants: The person's grants, asked for only where it is up to them.
  public static func decide(
    _ operation: AccessScope, by key: APIKey, in namespace: Namespace, user: UserID?, at time: Timestamp,
    grants: () throws(MemoirError) -> [Grant]
  ) throws(MemoirError) -> AccessDecision {
    if key.isVoid(at: time) { return .denied(.key) }
    guard key.namespaces.contains(namespace) else { return .denied(.namespace) }
    var ground = Ground.key
    if let user {
      if !key.reaches(user) {
        guard let grant = try grants().first(where: { $0.allows(operation, by: key, at: time) }) else {
          return .denied(.user)
        }
        ground = .grant(grant.id)
      }
    } else if key.users != nil {
      return .denied(.user)
    }
    if key.has(operation) { return .allowed(ground) }
    if operation == .read, let user, key.person == user { return .allowed(.own) }
    return .denied(.scope)
  }
}

extension MemoirStore {
  /// Whether the holder of a key may do this now; every door asks here.
  ///
  /// - Parameter user: Whose memory; `nil`: of the namespace as a whole.
  /// - Throws: ``MemoirError`` only where grants cannot be read.
  public func decide(
    _ operation: AccessScope, by key: APIKey, in namespace: Namespace, user: UserID?
  ) throws(MemoirError) -> AccessDecision {
    try AccessDecision.decide(operation, by: key, in: namespace, user: user, at: clock()) { () throws(MemoirError) in
      guard let user else { return [] }
      return try grants.list(of: StreamName(user, in: namespace))
    }
  }
}
