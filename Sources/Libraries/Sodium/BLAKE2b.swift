// BLAKE2b-256 from libsodium: the hash of the chains, and with a key of what an erasure must make unguessable.
public import Bytes
internal import CMemoirSodium

/// A 256-bit value: a digest, a chain value or a secret key.
@frozen public struct Bytes32: Hashable, Sendable {
  /// The bytes 0…7, 8…15, 16…23 and 24…31, each read little-endian.
  @usableFromInline var a: UInt64, b: UInt64, c: UInt64, d: UInt64

  /// All zero: the value before a chain's first step.
  public static let zero = Bytes32(a: 0, b: 0, c: 0, d: 0)

  @inlinable init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
  }

  /// Reads 32 bytes.
  @inlinable public init(reading reader: inout ByteReader) throws(DamagedBytes) {
    a = try reader.readUInt64()
    b = try reader.readUInt64()
    c = try reader.readUInt64()
    d = try reader.readUInt64()
  }

  /// Appends the 32 bytes.
  @inlinable public func write(into writer: inout ByteWriter) {
    writer.write(a)
    writer.write(b)
    writer.write(c)
    writer.write(d)
  }

  /// The first four bytes, little-endian: enough to tell one value from another, not to prove anything.
  @inlinable public var prefix32: UInt32 { UInt32(truncatingIfNeeded: a) }
  /// The first eight bytes, little-endian.
  @inlinable public var prefix64: UInt64 { a }

  /// The last eight bytes, little-endian.
  @inlinable public var suffix64: UInt64 { d }

  /// The sum modulo 2⁶⁴ of each quarter: a combination that does not depend on the order.
  @inlinable public func adding(_ other: Bytes32) -> Bytes32 {
    Bytes32(a: a &+ other.a, b: b &+ other.b, c: c &+ other.c, d: d &+ other.d)
  }

  /// 64 lower-case hexadecimal digits.
  public var hexadecimal: String {
    var writer = ByteWriter(capacity: 32)
    write(into: &writer)
    return writer.bytes.hexadecimal
  }

  /// Reads 64 hexadecimal digits; `nil` for anything else.
  public init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var writer = ByteWriter(capacity: 32)
    for index in 0..<32 {
      guard let high = Self.value(ofDigit: digits[2 * index]),
        let low = Self.value(ofDigit: digits[2 * index + 1])
      else { return nil }
      writer.write(high << 4 | low)
    }
    let bytes = writer.bytes
    var reader = ByteReader(bytes.rawSpan)
    guard let value = try? Bytes32(reading: &reader) else { return nil }
    self = value
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

/// Up to 128 bytes to be hashed, in place: one block of BLAKE2b, without an allocation.
@frozen public struct HashBlock {
  @usableFromInline var words = InlineArray<16, UInt64>(repeating: 0)
  @usableFromInline var wordCount = 0
  @usableFromInline var unusedBytes = 0

  /// Begins empty.
  @inlinable public init() {}

  /// Appends eight bytes, little-endian. What no longer fits traps.
  @inlinable public mutating func append(_ word: UInt64) {
    precondition(unusedBytes == 0)
    words[wordCount] = word.littleEndian
    wordCount += 1
  }

  /// Appends 32 bytes.
  @inlinable public mutating func append(_ value: Bytes32) {
    append(value.a)
    append(value.b)
    append(value.c)
    append(value.d)
  }

  /// Appends the first `count` bytes of a word, after which nothing may follow.
  @inlinable public mutating func append(last word: UInt64, byteCount count: Int) {
    precondition(count > 0 && count <= 8)
    append(word)
    unusedBytes = 8 - count
  }
}

/// BLAKE2b with a 256-bit result (RFC 7693).
public enum BLAKE2b {
  /// The digest of a block.
  public static func digest(_ block: HashBlock) -> Bytes32 {
    let words = block.words
    return digest(unsafe words.span.bytes.extracting(first: 8 * block.wordCount - block.unusedBytes))
  }

  /// The digest of `bytes`.
  ///
  /// - Complexity: O(`byteCount`); about 100 ns for each 128 bytes.
  public static func digest(_ bytes: RawSpan) -> Bytes32 {
    unsafe Bytes32.filled { out in
      unsafe bytes.withUnsafeBytes { raw in
        let code = unsafe crypto_generichash_blake2b(out, 32, raw.baseAddress, UInt64(raw.count), nil, 0)
        precondition(code == 0, "BLAKE2b refuses only sizes that are never passed here")
      }
    }
  }

  /// The digest of `bytes` under `key`: without the key a short text cannot be guessed from it.
  public static func digest(_ bytes: RawSpan, key: Bytes32) -> Bytes32 {
    let key = key.littleEndian
    return unsafe Bytes32.filled { out in
      unsafe bytes.withUnsafeBytes { raw in
        unsafe withUnsafeBytes(of: key) { key in
          let code = unsafe crypto_generichash_blake2b(
            out, 32, raw.baseAddress, UInt64(raw.count), key.baseAddress, 32)
          precondition(code == 0, "BLAKE2b refuses only sizes that are never passed here")
        }
      }
    }
  }
}

extension Bytes32 {
  /// Whether both are the same, found out in a time that does not tell where they differ: for what an attacker guesses.
  public func isSameInConstantTime(as other: Bytes32) -> Bool {
    precondition(Self.isLibraryReady, "libsodium cannot start")
    return unsafe withUnsafeBytes(of: self) { a in
      unsafe withUnsafeBytes(of: other) { b in unsafe sodium_memcmp(a.baseAddress, b.baseAddress, 32) == 0 }
    }
  }

  /// 32 random bytes from the operating system.
  public static func random() -> Bytes32 {
    unsafe filled { out in unsafe randombytes_buf(out, 32) }
  }

  /// libsodium picks the fastest code for this processor once, on first use.
  static let isLibraryReady = sodium_init() >= 0

  /// The value whose 32 bytes `body` writes.
  static func filled(_ body: (UnsafeMutablePointer<UInt8>) -> Void) -> Bytes32 {
    precondition(isLibraryReady, "libsodium cannot start")
    var value = Bytes32.zero
    unsafe withUnsafeMutablePointer(to: &value) { pointer in
      unsafe pointer.withMemoryRebound(to: UInt8.self, capacity: 32) { bytes in unsafe body(bytes) }
    }
    return value.littleEndian
  }

  /// The same bytes read as little-endian integers, whatever the processor's order.
  var littleEndian: Bytes32 {
    Bytes32(a: a.littleEndian, b: b.littleEndian, c: c.littleEndian, d: d.littleEndian)
  }
}
