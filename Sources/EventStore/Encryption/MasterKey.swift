// The key that whoever runs a store keeps beside it, and what is done with it: wrapping the store's own keys.
internal import Bytes
internal import Sodium

/// The key of an encrypted store: 32 bytes that are never in it.
///
/// Everything that people said is sealed with keys that the store holds, wrapped with this one. Without it they are
/// nothing: whoever loses the master key loses the store. It is never printed.
public struct MasterKey: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  private let key: Bytes32

  /// How many bytes it has.
  public static let size = 32

  /// Takes the bytes of a key; `nil` unless there are ``size`` of them.
  public init?(bytes: [UInt8]) {
    var reader = ByteReader(bytes.rawSpan)
    guard bytes.count == Self.size, let key = try? Bytes32(reading: &reader) else { return nil }
    self.key = key
  }

  private init(_ key: Bytes32) { self.key = key }

  /// A new key.
  public static func random() -> MasterKey { MasterKey(Bytes32.random()) }

  /// Tells it from other master keys; no secret: nothing of the key can be found from it.
  public var id: String { String(derived("memoir master key id 1").hexadecimal.prefix(16)) }

  /// 64 lower-case hexadecimal digits, to be kept where nobody else can read them.
  package var hexadecimal: String { key.hexadecimal }

  /// Its id: never the key.
  public var description: String { "master key \(id)" }
  /// Its id: never the key.
  public var customMirror: Mirror { Mirror(self, children: ["id": id]) }

  /// A key for one purpose alone.
  func derived(_ purpose: String) -> Bytes32 { BLAKE2b.digest(Array(purpose.utf8).rawSpan, key: key) }
}

/// Wraps keys with a master key, always the same way: the nonce is a keyed hash of what is wrapped and for whom, so that
/// none comes again for anything else, and the writer needs no random number for it.
struct KeyWrapping: Sendable {
  private let sealing: SealingKey
  private let nonceKey: Bytes32

  init(_ master: MasterKey) {
    sealing = SealingKey(master.derived("memoir key wrapping 1"), .xChaCha20Poly1305)
    nonceKey = master.derived("memoir key wrapping nonce 1")
  }

  func wrap(_ keys: [UInt8], binding: [UInt8]) -> [UInt8] {
    var named = ByteWriter(capacity: keys.count + binding.count + 4)
    named.writeLengthPrefixed(binding)
    named.write(contentsOf: keys)
    var wrapped: [UInt8] = []
    sealing.seal(
      keys.rawSpan, nonce: BLAKE2b.digest(named.bytes.rawSpan, key: nonceKey), binding: binding.rawSpan, into: &wrapped)
    return wrapped
  }

  /// The keys; `nil` where they were wrapped with another master key or for another place, or are damaged.
  func unwrap(_ wrapped: RawSpan, binding: [UInt8]) -> [UInt8]? {
    var keys: [UInt8] = []
    return sealing.open(wrapped, binding: binding.rawSpan, into: &keys) ? keys : nil
  }
}
