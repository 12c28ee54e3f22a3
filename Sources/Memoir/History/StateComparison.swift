// The dry run of a built-in projector: which users' states it would change, and in which items.
public import EventStore
public import JSON

/// An item that two states of a user do not agree on.
public struct ItemDifference: Sendable {
  /// What became of it.
  public enum Change: String, Sendable {
    /// Only the state after has it.
    case added
    /// Only the state before has it.
    case removed
    /// Both have it, and say other things of it.
    case changed
  }

  /// A member of the item that is another.
  public struct Field: Sendable {
    /// Its key.
    public let key: String
    /// What the state before says; `nil` where it says nothing.
    public let from: JSONText?
    /// What the state after says; `nil` where it says nothing.
    public let to: JSONText?
  }

  /// `fact:ID`, `preference:KEY`, `session:ID` and the like.
  public let item: String
  /// What became of it.
  public let change: Change
  /// What the item says, for people: after, or before where it is gone.
  public let text: String
  /// The event that put it there; `nil` for counts.
  public let version: StreamVersion?
  /// The members that are others, by key; of an item that only one state has, all.
  public let fields: [Field]
}

/// Two states of a user that are not the same.
public struct StateDifference: Sendable {
  /// Whose they are.
  public let user: StreamName
  /// The highest version that both are folded from.
  public let version: StreamVersion
  /// Whose snapshot the state before is; `nil` where it was folded.
  public let snapshot: ProjectorIdentity?
  /// What they do not agree on; empty where it is nothing that any surface shows. `nil` where the state before is in a
  /// form that this program cannot read.
  public let items: [ItemDifference]?
}

/// The snapshots that stand, beside what a built-in projector folds the same events to; see ``Comparison``.
public struct StateComparison: Sendable {
  private var comparison: any ItemizedComparison

  init(_ comparison: some ItemizedComparison) { self.comparison = comparison }

  /// How far it has come, and what was found.
  public var checkpoint: ComparisonCheckpoint { comparison.checkpoint }
  /// The projector that is tried.
  public var projector: ProjectorIdentity { comparison.projector }

  /// Goes on where another comparison had come to; see ``Comparison/resume(from:)``.
  @discardableResult
  public mutating func resume(from checkpoint: ComparisonCheckpoint) -> Bool {
    comparison.resume(from: checkpoint)
  }

  /// Compares the next users.
  ///
  /// - Returns: Those that differ, by name; `nil` once all were compared.
  /// - Throws: `corrupt` where the log is damaged; `invalid_argument` for a point beyond its end.
  public mutating func next() throws(MemoirError) -> [StateDifference]? {
    do { return try comparison.nextItemized() } catch { throw MemoirError(error) }
  }

  /// Compares one user again; `nil` where nothing differs.
  public func difference(of user: StreamName) throws(MemoirError) -> StateDifference? {
    do { return try comparison.itemizedDifference(of: user) } catch { throw MemoirError(error) }
  }
}

/// A comparison of states with items, whatever their type.
protocol ItemizedComparison: Sendable {
  var checkpoint: ComparisonCheckpoint { get }
  var projector: ProjectorIdentity { get }
  mutating func resume(from checkpoint: ComparisonCheckpoint) -> Bool
  mutating func nextItemized() throws(ReadError) -> [StateDifference]?
  func itemizedDifference(of user: StreamName) throws(ReadError) -> StateDifference?
}

extension Comparison: ItemizedComparison where Before == After, After: ItemizedState {
  mutating func nextItemized() throws(ReadError) -> [StateDifference]? { try next()?.map(Self.itemized) }

  func itemizedDifference(of user: StreamName) throws(ReadError) -> StateDifference? {
    try difference(of: user).map(Self.itemized)
  }

  private static func itemized(_ stream: ComparedStream<Before, After>) -> StateDifference {
    StateDifference(
      user: stream.name, version: stream.version, snapshot: stream.snapshot,
      items: stream.before.map { ItemDifference.between($0.items, stream.after.items) })
  }
}

extension ItemDifference {
  /// What two lists do not agree on: what is gone first, then the others in the order after.
  ///
  /// - Complexity: O(n) in the items, and parsing of those that differ.
  static func between(_ before: [StateItem], _ after: [StateItem]) -> [ItemDifference] {
    // By their bytes: names that only look the same are different items.
    let known = Dictionary(before.map { (Array($0.name.utf8), $0) }) { $1 }
    let names = Set(after.map { Array($0.name.utf8) })
    var differences: [ItemDifference] = []
    for item in before where !names.contains(Array(item.name.utf8)) {
      differences.append(ItemDifference(.removed, item, from: item.json, to: nil))
    }
    for item in after {
      guard let old = known[Array(item.name.utf8)] else {
        differences.append(ItemDifference(.added, item, from: nil, to: item.json))
        continue
      }
      if old.json != item.json { differences.append(ItemDifference(.changed, item, from: old.json, to: item.json)) }
    }
    return differences
  }

  private init(_ change: Change, _ item: StateItem, from: JSONText?, to: JSONText?) {
    self.init(
      item: item.name, change: change, text: item.text, version: item.version,
      fields: Field.between(from?.fields ?? [:], to?.fields ?? [:]))
  }
}

extension ItemDifference.Field {
  fileprivate static func between(_ before: [String: JSONText], _ after: [String: JSONText]) -> [Self] {
    Set(before.keys).union(after.keys).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { key in
      before[key] == after[key] ? nil : Self(key: key, from: before[key], to: after[key])
    }
  }
}

extension JSONText {
  /// The members of an object that was printed here.
  fileprivate var fields: [String: JSONText] {
    let found = try? JSONParser().parse(utf8) { node in
      var fields: [String: JSONText] = [:]
      var members = node.members
      while let member = members.next() { fields[member.key.string ?? ""] = JSONText(member.value) }
      return fields
    }
    return found ?? [:]
  }
}

extension JSONWriter {
  /// Prints a difference: `{"items":[{"change","from","item","to","version"}],"namespace","snapshot","user","version"}`.
  /// `items` is `null` where the snapshot cannot be read.
  public mutating func write(_ difference: StateDifference) {
    beginObject()
    key("items")
    if let items = difference.items { array(items) { $0.write($1) } } else { null() }
    key("namespace")
    string(difference.user.namespace.description)
    if let snapshot = difference.snapshot {
      key("snapshot")
      write(snapshot)
    }
    key("user")
    string(difference.user.user.description)
    key("version")
    integer(difference.version.number)
    endObject()
  }

  /// Prints `{"parameters","projector","version"}`, and `users` where it is given.
  public mutating func write(_ projector: ProjectorIdentity, users: Int? = nil) {
    beginObject()
    key("parameters")
    string(projector.parameters)
    key("projector")
    string(projector.name)
    if let users {
      key("users")
      integer(users)
    }
    key("version")
    integer(projector.version)
    endObject()
  }

  private mutating func write(_ item: ItemDifference) {
    beginObject()
    key("change")
    string(item.change.rawValue)
    write("from", item.fields, \.from)
    key("item")
    string(item.item)
    write("to", item.fields, \.to)
    if let version = item.version {
      key("version")
      integer(version.number)
    }
    endObject()
  }

  private mutating func write(
    _ side: StaticString, _ fields: [ItemDifference.Field], _ value: (ItemDifference.Field) -> JSONText?
  ) {
    key(side)
    beginObject()
    for field in fields {
      guard let text = value(field) else { continue }
      key(text: field.key)
      self.value(text)
    }
    endObject()
  }
}
