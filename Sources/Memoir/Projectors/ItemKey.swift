// Items are found by 16 bytes instead of by their names: no text is made for an event that changes what is there.
internal import Bytes
internal import EventStore
internal import Sodium

/// What an item is found by: the bytes of a UUID, a short name and its length, or a digest of a longer name.
///
/// 128 bits of BLAKE2b: longer names that collide, with each other or with a short one, cannot be found.
struct ItemKey: Hashable, Sendable, Comparable {
  let high: UInt64
  let low: UInt64
  /// Whether it stands for a name; a UUID with the same bytes is another key.
  let isName: Bool

  init(high: UInt64, low: UInt64, isName: Bool) {
    self.high = high
    self.low = low
    self.isName = isName
  }

  init(_ id: EventID) { self.init(high: id.high, low: id.low, isName: false) }

  init(name: RawSpan) {
    if name.byteCount < 16 {
      var high: UInt64 = 0
      var low = UInt64(name.byteCount)
      for offset in 0..<name.byteCount {
        let byte = UInt64(name.byte(at: offset))
        if offset < 8 {
          high |= byte &<< UInt64(56 &- 8 &* offset)
        } else {
          low |= byte &<< UInt64(120 &- 8 &* offset)
        }
      }
      self.init(high: high, low: low, isName: true)
      return
    }
    let digest = BLAKE2b.digest(name)
    self.init(high: digest.prefix64, low: digest.suffix64, isName: true)
  }

  init(_ id: ItemID) {
    switch id {
    case .uuid(let id): self.init(id)
    case .name(let name):
      let bytes = Array(name.utf8)
      self.init(name: bytes.rawSpan)
    }
  }

  /// The key of a text, the same as that of a payload field which holds it.
  init(text: String) {
    let bytes = Array(text.utf8)
    // A payload holds a UUID in lower case as 16 bytes.
    if bytes.count == 36, let id = EventID(utf8: bytes.span), id.description == text {
      self.init(id)
    } else {
      self.init(name: bytes.rawSpan)
    }
  }

  /// The key of an id or another text as a payload holds it.
  init(_ field: borrowing PayloadField) throws(DamagedBytes) {
    if field.kind == .uuid {
      var reader = ByteReader(field.bytes)
      self.init(try EventID(reading: &reader))
    } else {
      self.init(name: field.bytes)
    }
  }

  static func < (a: Self, b: Self) -> Bool {
    if a.isName != b.isName { return b.isName }
    return a.high == b.high ? a.low < b.low : a.high < b.high
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(high)
    hasher.combine(low)
  }
}

/// A set of keys that only grows, 16 bytes each.
///
/// - Complexity: O(log n) to look up. An insertion moves at most ``burstLimit`` keys, and after so many of them all
///   keys once.
struct KeySet: Sendable {
  /// Sorted.
  private var keys: [ItemKey] = []
  /// Sorted; inserted lately.
  private var burst: [ItemKey] = []
  private static let burstLimit = 1_024
  /// How many of the keys are names; they come after all others.
  private var names = 0

  var count: Int { keys.count + burst.count }

  func contains(_ key: ItemKey) -> Bool {
    if keys.isEmpty, burst.isEmpty { return false }
    return Self.holds(keys, key) || Self.holds(burst, key)
  }

  /// - Precondition: The key is not in the set.
  mutating func insert(_ key: ItemKey) {
    if key.isName { names += 1 }
    burst.insert(key, at: Self.place(of: key, in: burst))
    if burst.count > Self.burstLimit {
      keys = merged()
      burst.removeAll(keepingCapacity: true)
    }
  }

  private static func place(of key: ItemKey, in keys: [ItemKey]) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func holds(_ keys: [ItemKey], _ key: ItemKey) -> Bool {
    let place = place(of: key, in: keys)
    return place < keys.count && keys[place] == key
  }

  private func merged() -> [ItemKey] {
    if burst.isEmpty { return keys }
    var all: [ItemKey] = []
    all.reserveCapacity(count)
    var index = 0
    for key in burst {
      while index < keys.count, keys[index] < key {
        all.append(keys[index])
        index += 1
      }
      all.append(key)
    }
    all.append(contentsOf: keys[index...])
    return all
  }

  var encodedSize: Int {
    EncodedSize.varint(count - names) + EncodedSize.varint(names) + 16 * count
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(count - names)
    writer.writeVarint(names)
    for key in merged() {
      writer.writeBigEndian(key.high)
      writer.writeBigEndian(key.low)
    }
  }

  init() {}

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let uuids = try reader.readCount(limit: reader.remaining / 16)
    names = try reader.readCount(limit: reader.remaining / 16)
    keys.reserveCapacity(uuids + names)
    for index in 0..<(uuids + names) {
      let key = ItemKey(
        high: try reader.readUInt64().byteSwapped, low: try reader.readUInt64().byteSwapped,
        isName: index >= uuids)
      if let last = keys.last, last >= key { throw DamagedBytes() }
      keys.append(key)
    }
  }
}
