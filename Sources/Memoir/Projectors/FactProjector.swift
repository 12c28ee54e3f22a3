// Facts: learned, revised, forgotten. What was forgotten or superseded stays so for ever, known by its key alone.
public import Bytes
public import EventStore

/// What an event did to a fact.
enum FactChange {
  case none, learned, revised, superseded, forgotten
}

/// The facts that were neither forgotten nor superseded, expired ones included, and the keys of all others.
public struct FactsState: ProjectionState {
  private var live: [ItemKey: Fact] = [:]
  private var dead = KeySet()
  private var known = FactWordings()
  /// The encoded bytes of the live facts.
  private var size = 0

  init() {}

  /// The facts, expired ones included, in the order of the versions that put them there.
  ///
  /// - Complexity: O(n log n)
  public var facts: [Fact] { live.values.sorted { $0.origin < $1.origin } }

  /// What recall asks of all of them, in the order of the events that said them in their present words.
  var wordings: [FactWording] { known.of(live) }

  /// The fact that is worded so. Looked at here, it is not copied whole.
  @inline(__always)
  subscript(wording: FactWording) -> Fact { live.values[wording.place] }

  /// Facts are about to change: those of this value alone.
  private mutating func change() {
    if isKnownUniquelyReferenced(&known) { known.forget() } else { known = FactWordings() }
  }

  /// How many facts there are, expired ones included.
  public var count: Int { live.count }

  /// The fact with this id, unless it was forgotten or superseded.
  public subscript(id: FactID) -> Fact? { live[ItemKey(id.id)] }

  subscript(key key: ItemKey) -> Fact? { live[key] }

  /// Whether the fact with this id was forgotten or superseded.
  public func isGone(_ id: FactID) -> Bool { isGone(ItemKey(id.id)) }

  func isGone(_ key: ItemKey) -> Bool { dead.contains(key) }

  /// Folds an event.
  ///
  /// - Returns: The fact that the event is about, and what became of it.
  mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) -> (key: ItemKey, change: FactChange) {
    switch event.type {
    case .factLearned: try learn(event)
    case .factRevised: try revise(event)
    case .factForgotten: try forget(event)
    default: (ItemKey(event.id), .none)
    }
  }

  private mutating func learn(_ event: borrowing EventView) throws(DamagedBytes) -> (ItemKey, FactChange) {
    let key = try Self.key(in: event.payload) ?? ItemKey(event.id)
    if live[key] != nil || dead.contains(key) { return (key, .none) }
    var fields = FactFields()
    try fields.read(event.payload)
    let fact = try Fact(event, fields)
    change()
    size += fact.encodedSize
    live[key] = fact
    return (key, .learned)
  }

  private mutating func revise(_ event: borrowing EventView) throws(DamagedBytes) -> (ItemKey, FactChange) {
    guard let key = try Self.key(in: event.payload) else { throw DamagedBytes() }
    guard let index = live.index(forKey: key) else { return (key, .none) }
    var fields = FactFields()
    try fields.read(event.payload)
    if fields.supersededBy != nil {
      bury(key, at: index)
      return (key, .superseded)
    }
    change()
    size += live.values[index].revise(event, fields)
    return (key, .revised)
  }

  private mutating func forget(_ event: borrowing EventView) throws(DamagedBytes) -> (ItemKey, FactChange) {
    guard let key = try Self.key(in: event.payload) else { throw DamagedBytes() }
    guard let index = live.index(forKey: key) else { return (key, .none) }
    bury(key, at: index)
    return (key, .forgotten)
  }

  private mutating func bury(_ key: ItemKey, at index: Dictionary<ItemKey, Fact>.Index) {
    change()
    size -= live.remove(at: index).value.encodedSize
    dead.insert(key)
  }

  /// The key of the fact that a payload names.
  private static func key(in payload: RawSpan) throws(DamagedBytes) -> ItemKey? {
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      if field.number == FactField.factID { return try ItemKey(field) }
    }
    return nil
  }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int { EncodedSize.varint(live.count) + size + dead.encodedSize }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    writer.writeVarint(live.count)
    for fact in facts { fact.encode(into: &writer) }
    dead.encode(into: &writer)
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount()
    live.reserveCapacity(reader.plausible(count, ofSize: 40))
    var last: StreamVersion = 0
    for _ in 0..<count {
      let fact = try Fact(decoding: &reader)
      size += fact.encodedSize
      // In the order of the events that they come from, one each: else equal states would not encode to equal bytes.
      guard fact.origin.version > last, live.updateValue(fact, forKey: fact.key) == nil else { throw DamagedBytes() }
      last = fact.origin.version
    }
    dead = try KeySet(decoding: &reader)
  }
}

/// Folds facts.
public struct FactProjector: Projector {
  /// Its name on every surface.
  public let name = "facts"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 2

  /// Makes the projector.
  public init() {}

  /// The state before the first event.
  public func initialState() -> FactsState { FactsState() }

  /// Folds one event.
  public func apply(_ event: borrowing EventView, to state: inout FactsState) throws(DamagedBytes) {
    _ = try state.apply(event)
  }
}
