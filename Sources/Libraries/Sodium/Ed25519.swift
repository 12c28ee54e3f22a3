// Ed25519 from libsodium: what is signed by one who keeps a secret, anybody can check who has the public key.
internal import Bytes
internal import CMemoirSodium

/// A signature: 64 bytes, the same whenever the same key signs the same bytes.
public struct Signature: Hashable, Sendable {
  private let first: Bytes32
  private let second: Bytes32

  fileprivate init(_ first: Bytes32, _ second: Bytes32) {
    self.first = first
    self.second = second
  }

  /// Reads 128 hexadecimal digits; `nil` for anything else.
  public init?(hexadecimal text: String) {
    guard text.utf8.count == 128, let first = Bytes32(hexadecimal: String(text.prefix(64))),
      let second = Bytes32(hexadecimal: String(text.dropFirst(64)))
    else { return nil }
    self.init(first, second)
  }

  /// 128 lower-case hexadecimal digits.
  public var hexadecimal: String { first.hexadecimal + second.hexadecimal }

  /// The 64 bytes.
  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    first.write(into: &writer)
    second.write(into: &writer)
    return writer.bytes
  }

  /// Whether the owner of `publicKey` has signed `message`.
  ///
  /// - Complexity: O(`byteCount`); about 50 µs for a short message.
  public func isValid(of message: RawSpan, by publicKey: Bytes32) -> Bool {
    precondition(Bytes32.isLibraryReady, "libsodium cannot start")
    return unsafe withBytes(of: (first.littleEndian, second.littleEndian)) { signature in
      unsafe withBytes(of: publicKey.littleEndian) { key in
        unsafe message.withUnsafeBytes { message in
          // Where there are no bytes, none are read.
          let start = unsafe message.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? key
          return unsafe crypto_sign_ed25519_verify_detached(signature, start, UInt64(message.count), key) == 0
        }
      }
    }
  }
}

/// A pair of keys, made of 32 secret bytes.
public struct SigningKey: Sendable {
  /// What others check signatures with.
  public let publicKey: Bytes32
  /// The seed and the public key behind it, as libsodium wants them.
  private let secret: (Bytes32, Bytes32)

  /// The pair that belongs to a seed: always the same.
  public init(seed: Bytes32) {
    var secret = (Bytes32.zero, Bytes32.zero)
    publicKey = unsafe Bytes32.filled { publicKey in
      unsafe withMutableBytes(of: &secret) { secret in
        unsafe withBytes(of: seed.littleEndian) { seed in
          let code = unsafe crypto_sign_ed25519_seed_keypair(publicKey, secret, seed)
          precondition(code == 0, "a seed of 32 bytes is never refused")
        }
      }
    }
    self.secret = secret
  }

  /// Signs a message.
  ///
  /// - Complexity: O(`byteCount`), read twice; about 25 µs for a short message.
  public func sign(_ message: RawSpan) -> Signature {
    var bytes = (Bytes32.zero, Bytes32.zero)
    unsafe withMutableBytes(of: &bytes) { signature in
      unsafe withBytes(of: secret) { secret in
        unsafe message.withUnsafeBytes { message in
          // Where there are no bytes, none are read.
          let start = unsafe message.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? secret
          let code = unsafe crypto_sign_ed25519_detached(signature, nil, start, UInt64(message.count), secret)
          precondition(code == 0, "Ed25519 signs whatever it is given")
        }
      }
    }
    return Signature(bytes.0.littleEndian, bytes.1.littleEndian)
  }
}

/// Lends the bytes of a value, of which there is at least one.
private func withBytes<Value, Result>(of value: Value, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
  unsafe withUnsafePointer(to: value) { pointer in
    unsafe UnsafeRawPointer(pointer).withMemoryRebound(to: UInt8.self, capacity: MemoryLayout<Value>.size) {
      unsafe body($0)
    }
  }
}

/// Lends the bytes of a value to be written.
private func withMutableBytes<Value>(of value: inout Value, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
  unsafe withUnsafeMutablePointer(to: &value) { pointer in
    unsafe UnsafeMutableRawPointer(pointer).withMemoryRebound(to: UInt8.self, capacity: MemoryLayout<Value>.size) {
      unsafe body($0)
    }
  }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
  /// The public key alone: the secret is never printed.
  public var description: String { publicKey.hexadecimal }
  /// The public key alone.
  public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey.hexadecimal]) }
}
