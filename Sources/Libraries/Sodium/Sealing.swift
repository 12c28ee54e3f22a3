// Authenticated encryption from libsodium: AES-256-GCM where the processor has it, else XChaCha20-Poly1305.
//
//   sealed  nonce (12 or 24), what was sealed, tag (16)
//
// What is sealed is bound to some bytes that are not in it, e.g. the place it is meant for: with others it does not open.
internal import Bytes
internal import CMemoirSodium

/// How something is sealed.
public enum SealingAlgorithm: UInt8, CaseIterable, Sendable {
  /// Needs a processor with instructions for it.
  case aes256GCM = 1
  /// Runs everywhere, at a third of the speed.
  case xChaCha20Poly1305 = 2

  /// Whether this processor can do it.
  public var isAvailable: Bool {
    precondition(Bytes32.isLibraryReady, "libsodium cannot start")
    return switch self {
    case .aes256GCM: crypto_aead_aes256gcm_is_available() == 1
    case .xChaCha20Poly1305: true
    }
  }

  /// The fastest one that this processor can do.
  public static var fastest: SealingAlgorithm { aes256GCM.isAvailable ? .aes256GCM : .xChaCha20Poly1305 }

  /// Its name as people write it.
  public var name: String {
    switch self {
    case .aes256GCM: "AES-256-GCM"
    case .xChaCha20Poly1305: "XChaCha20-Poly1305"
    }
  }

  /// The bytes of a nonce.
  public var nonceSize: Int {
    switch self {
    case .aes256GCM: 12
    case .xChaCha20Poly1305: 24
    }
  }

  /// The bytes of a tag.
  public static let tagSize = 16

  /// How many bytes longer than its content something sealed is.
  public var overhead: Int { nonceSize + Self.tagSize }
}

/// A key made ready to seal and open with: AES's rounds are worked out once.
@safe public final class SealingKey: @unchecked Sendable {
  /// How it seals.
  public let algorithm: SealingAlgorithm
  // Written once, before anybody else has it: so any thread may read it.
  private let state: UnsafeMutableRawPointer
  private let stateSize: Int

  /// Makes a key ready.
  ///
  /// - Parameter algorithm: One that is available.
  /// - Complexity: About 150 ns for AES.
  public init(_ key: Bytes32, _ algorithm: SealingAlgorithm) {
    precondition(algorithm.isAvailable, "this processor has no \(algorithm.name)")
    self.algorithm = algorithm
    stateSize = algorithm == .aes256GCM ? crypto_aead_aes256gcm_statebytes() : 32
    unsafe state = UnsafeMutableRawPointer.allocate(byteCount: stateSize, alignment: 16)
    unsafe withUnsafePointer(to: key.littleEndian) { key in
      let key = unsafe UnsafeRawPointer(key).assumingMemoryBound(to: UInt8.self)
      switch algorithm {
      case .aes256GCM: _ = unsafe crypto_aead_aes256gcm_beforenm(aes, key)
      case .xChaCha20Poly1305: unsafe state.copyMemory(from: key, byteCount: 32)
      }
    }
  }

  deinit {
    unsafe sodium_memzero(state, stateSize)
    unsafe state.deallocate()
  }

  private var aes: UnsafeMutablePointer<crypto_aead_aes256gcm_state> {
    unsafe state.assumingMemoryBound(to: crypto_aead_aes256gcm_state.self)
  }

  private var key: UnsafePointer<UInt8> { unsafe UnsafePointer(state.assumingMemoryBound(to: UInt8.self)) }

  /// Appends `content`, sealed.
  ///
  /// - Parameters:
  ///   - nonce: Never the same again with this key, save for the same content and the same binding. Its first bytes
  ///     count, as many as the algorithm takes.
  ///   - binding: What it takes to open it again.
  /// - Complexity: O(n); AES about 150 ns for a hundred bytes.
  public func seal(_ content: RawSpan, nonce: Bytes32, binding: RawSpan, into bytes: inout [UInt8]) {
    let (size, nonceSize) = (content.byteCount, algorithm.nonceSize)
    bytes.append(addingCapacity: size + algorithm.overhead) { output in
      unsafe output.withUnsafeMutableBufferPointer { room, count in
        guard let room = room.baseAddress else { preconditionFailure("there is room for a nonce and a tag") }
        let start = unsafe room + count
        unsafe withUnsafePointer(to: nonce.littleEndian) { nonce in
          unsafe UnsafeMutableRawPointer(start).copyMemory(from: nonce, byteCount: nonceSize)
        }
        unsafe content.withUnsafeBytes { content in
          unsafe binding.withUnsafeBytes { binding in
            let content = unsafe content.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let binding = unsafe (start: binding.baseAddress?.assumingMemoryBound(to: UInt8.self), size: binding.count)
            let code =
              switch algorithm {
              case .aes256GCM:
                unsafe crypto_aead_aes256gcm_encrypt_afternm(
                  start + nonceSize, nil, content, UInt64(size), binding.start, UInt64(binding.size), nil, start, aes)
              case .xChaCha20Poly1305:
                unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                  start + nonceSize, nil, content, UInt64(size), binding.start, UInt64(binding.size), nil, start, key)
              }
            precondition(code == 0, "sealing refuses only sizes that are never passed here")
          }
        }
        count += size + nonceSize + SealingAlgorithm.tagSize
      }
    }
  }

  /// Opens something sealed, and puts what it holds in the place of `bytes`.
  ///
  /// - Returns: Whether it opened: nothing of it was changed, and it was sealed with this key and for this binding. Where
  ///   not, `bytes` are empty.
  /// - Complexity: O(n); AES about 150 ns for a hundred bytes.
  public func open(_ sealed: RawSpan, binding: RawSpan, into bytes: inout [UInt8]) -> Bool {
    bytes.removeAll(keepingCapacity: true)
    let (size, nonceSize) = (sealed.byteCount - algorithm.overhead, algorithm.nonceSize)
    guard size >= 0 else { return false }
    var isOpen = false
    // Room for one more, so that there is a place also where there is nothing in it.
    bytes.append(addingCapacity: size + 1) { output in
      unsafe output.withUnsafeMutableBufferPointer { room, count in
        unsafe sealed.withUnsafeBytes { sealed in
          unsafe binding.withUnsafeBytes { binding in
            // Neither is empty.
            guard let sealed = unsafe sealed.baseAddress?.assumingMemoryBound(to: UInt8.self),
              let room = room.baseAddress
            else { return }
            let binding = unsafe (start: binding.baseAddress?.assumingMemoryBound(to: UInt8.self), size: binding.count)
            let sealedSize = UInt64(size + SealingAlgorithm.tagSize)
            let code =
              switch algorithm {
              case .aes256GCM:
                unsafe crypto_aead_aes256gcm_decrypt_afternm(
                  room, nil, nil, sealed + nonceSize, sealedSize, binding.start, UInt64(binding.size), sealed, aes)
              case .xChaCha20Poly1305:
                unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                  room, nil, nil, sealed + nonceSize, sealedSize, binding.start, UInt64(binding.size), sealed, key)
              }
            isOpen = code == 0
          }
        }
        if isOpen { count += size }
      }
    }
    return isOpen
  }
}
