// The rule of access as the documentation has it, said once more and apart from the server: what it holds is held
// against this.
import Memoir

/// Somebody who asks.
struct AccessHolder: CustomStringConvertible {
  let description: String
  /// What the header `Authorization` says; `nil` for none.
  var authorization: String?
  /// Whether the key it shows lets anybody in.
  var isLetIn = true
  /// `nil` for all of them.
  var namespaces: Set<String>? = ["default"]
  var scopes: Set<AccessScope> = []
  /// The ids it is limited to, or beginnings of ids with `*`; `nil` for everybody's.
  var users: [String]?
  /// What ann of `default` allows it.
  var grants: Set<AccessScope> = []

  init(_ description: String) { self.description = description }

  func has(_ scope: AccessScope) -> Bool { scopes.contains(scope) || scopes.contains(.admin) }

  func reaches(_ namespace: String) -> Bool { namespaces?.contains(namespace) ?? true }

  func reaches(_ place: AccessPlace, for scope: AccessScope) -> Bool {
    guard reaches(place.namespace) else { return false }
    if place.user == "ann", place.namespace == "default", grants.contains(scope) { return true }
    return users?.contains { $0.hasSuffix("*") ? place.user.hasPrefix($0.dropLast()) : place.user == $0 } ?? true
  }

  /// Whether it is the key of one person.
  var isPersons: Bool { users?.count == 1 && users?.first?.hasSuffix("*") == false }

  /// Where it asks that does not say where.
  var usualNamespace: String { namespaces.flatMap { $0.count == 1 ? $0.first : nil } ?? "default" }
}

/// Whose memory is asked about.
struct AccessPlace {
  let namespace: String
  let user: String
  /// Whether there is such a one, and what is asked for of them.
  let isThere: Bool
  /// Stands in all names of this place alone that two places may not share.
  let mark: String
}

/// What a call asks of who asks it.
struct AccessDemand {
  enum Right {
    /// Nothing.
    case none
    /// Some key that lets in.
    case key
    case scope(AccessScope)
  }

  /// What it is about.
  enum About {
    /// Nobody: a scope is enough.
    case nobody
    /// All of a namespace.
    case namespace
    case user
    /// All users of a namespace that are reached: of the others nothing is told.
    case reached
    /// Something that is found by its own id, wherever it is.
    case record
    /// A key of the namespace.
    case key
  }

  let right: Right
  let about: About
  /// The status where it may be asked, and is there; where nobody has heard of it; and where it is out of reach.
  var found = 200, unknown = 404, foreign = 404
}

/// How a call is answered.
enum AccessVerdict {
  case found, unknown, foreign, unauthenticated, forbidden

  /// The rule.
  init(_ holder: AccessHolder, _ demand: AccessDemand, _ place: AccessPlace) {
    if case .none = demand.right {
      self = .found
      return
    }
    guard holder.isLetIn else {
      self = .unauthenticated
      return
    }
    guard case .scope(let scope) = demand.right else {
      self = .found
      return
    }
    // A person may always read what is kept of them.
    let isOwn = holder.isPersons && holder.users == [place.user] && scope == .read
    let mayDo = holder.has(scope)
    let isReached = holder.reaches(place, for: scope)
    let answer: Self = place.isThere ? .found : .unknown
    switch demand.about {
    case .nobody: self = mayDo ? .found : .forbidden
    case .namespace: self = mayDo && holder.reaches(place.namespace) && holder.users == nil ? answer : .forbidden
    case .reached: self = mayDo || holder.isPersons && scope == .read ? .found : .forbidden
    // A wall comes before the scope: beyond it, nothing is said of what a key may do.
    case .user: self = !isReached ? .foreign : mayDo || isOwn ? answer : .forbidden
    case .record: self = !mayDo ? .forbidden : isReached ? answer : .foreign
    case .key: self = !mayDo ? .forbidden : holder.reaches(place.namespace) ? answer : .foreign
    }
  }

  func status(_ demand: AccessDemand) -> Int {
    switch self {
    case .found: demand.found
    case .unknown: demand.unknown
    case .foreign: demand.foreign
    case .unauthenticated: 401
    case .forbidden: 403
    }
  }
}
