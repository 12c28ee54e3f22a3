// Signatures, as RFC 8032 has them.
import Bytes
import Sodium
import Testing

private func isValid(_ signature: Signature, of message: [UInt8], by key: Bytes32) -> Bool {
  signature.isValid(of: message.rawSpan, by: key)
}

@Suite struct `A signature` {
  /// From section 7.1 of RFC 8032: seed, public key, message, signature.
  static let examples: [(seed: String, publicKey: String, message: [UInt8], signature: String)] = [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", [],
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", [0x72],
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    ),
  ]

  @Test(arguments: examples.indices) func `is that of the standard`(index: Int) throws {
    let example = Self.examples[index]
    let key = SigningKey(seed: try #require(Bytes32(hexadecimal: example.seed)))
    #expect(key.publicKey.hexadecimal == example.publicKey)
    let signature = key.sign(example.message.rawSpan)
    #expect(signature.hexadecimal == example.signature)
    #expect(isValid(signature, of: example.message, by: key.publicKey))
  }

  @Test func `is of one message and one key`() throws {
    let key = SigningKey(seed: .random()), other = SigningKey(seed: .random())
    let message = Array("what was said".utf8)
    let signature = key.sign(message.rawSpan)
    #expect(isValid(signature, of: message, by: key.publicKey))
    #expect(!isValid(signature, of: message, by: other.publicKey))
    #expect(!isValid(signature, of: message, by: .zero))
    #expect(!isValid(signature, of: message + [0], by: key.publicKey))
    for index in message.indices {
      var changed = message
      changed[index] ^= 1
      #expect(!isValid(signature, of: changed, by: key.publicKey))
    }
  }

  @Test func `with any digit changed is none`() throws {
    let key = SigningKey(seed: .random())
    let message = Array("what was said".utf8)
    let text = Array(key.sign(message.rawSpan).hexadecimal)
    for index in text.indices {
      var changed = text
      changed[index] = changed[index] == "0" ? "1" : "0"
      let signature = try #require(Signature(hexadecimal: String(changed)))
      #expect(!isValid(signature, of: message, by: key.publicKey), "digit \(index)")
    }
  }

  @Test(arguments: ["", "ab", String(repeating: "g", count: 128), String(repeating: "a", count: 130)])
  func `is read from 128 digits only`(text: String) { #expect(Signature(hexadecimal: text) == nil) }

  @Test func `is made without the secret being shown`() {
    let seed = Bytes32.random()
    let key = SigningKey(seed: seed)
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(reflecting: key), dumped] {
      #expect(!text.contains(seed.hexadecimal))
      #expect(!text.contains("Bytes32"), "\(text)")
    }
  }
}
