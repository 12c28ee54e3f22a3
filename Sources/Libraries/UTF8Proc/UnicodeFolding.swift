// What makes two spellings one word in any script: case folding and decomposition; and which characters words are of.
internal import Bytes
internal import CMemoirUTF8Proc

/// Unicode's own tables, from utf8proc.
public enum UnicodeFolding {
  /// Compatibility-decomposed and case-folded UTF-8 (Unicode's NFKD and full case folding); invisible characters are
  /// dropped. `nil` where `text` is not UTF-8.
  ///
  /// Several marks on one letter stay in the order they came: to sort them, as NFKD does, takes time in the square of how
  /// many stand together, and a text may be nothing but marks.
  /// - Complexity: O(length)
  public static func folded(_ text: RawSpan) -> [UInt8]? {
    let options = utf8proc_option_t(
      rawValue: UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_COMPAT.rawValue | UTF8PROC_CASEFOLD.rawValue
        | UTF8PROC_IGNORE.rawValue)
    var result: [UInt8] = []
    result.reserveCapacity(text.byteCount)
    // No character has more than 18 parts.
    var parts = [Int32](repeating: 0, count: 32)
    var encoded = [UInt8](repeating: 0, count: 4)
    return unsafe text.withUnsafeBytes { bytes in
      guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return [] }
      var offset = 0
      while offset < bytes.count {
        var scalar: Int32 = 0
        let length = unsafe utf8proc_iterate(start + offset, bytes.count - offset, &scalar)
        guard length > 0 else { return nil }
        offset += length
        let count = unsafe utf8proc_decompose_char(scalar, &parts, parts.count, options, nil)
        guard (0...parts.count).contains(count) else { return nil }
        for part in parts[..<count] {
          let size = unsafe utf8proc_encode_char(part, &encoded)
          result.append(contentsOf: encoded[..<size])
        }
      }
      return result
    }
  }

  /// What a character is to a word.
  public enum Role: Sendable {
    /// It stands between words.
    case separator
    /// A letter, a digit, or a mark on one of them.
    case word
    /// A mark that sets a letter apart from its plain form, as in é.
    case diacritic
    /// Of a script that writes words without spaces between them.
    case ideograph
    /// It stands between words, and for something: an emoji, say.
    case symbol
  }

  /// What `scalar` is to a word, after folding.
  public static func role(of scalar: UInt32) -> Role {
    switch scalar {
    case 0x0300...0x036F: return .diacritic
    // Thai, Lao; Myanmar; Khmer; kana; Han, the supplementary planes' included.
    case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xF900...0xFAFF, 0x20000...0x3FFFF:
      switch utf8proc_category(Int32(bitPattern: scalar)) {
      case UTF8PROC_CATEGORY_LO, UTF8PROC_CATEGORY_LM, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC: return .ideograph
      case UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NL, UTF8PROC_CATEGORY_NO: return .word
      default: return .separator
      }
    default:
      switch utf8proc_category(Int32(bitPattern: scalar)) {
      case UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LL, UTF8PROC_CATEGORY_LT, UTF8PROC_CATEGORY_LM,
        UTF8PROC_CATEGORY_LO, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC, UTF8PROC_CATEGORY_ME, UTF8PROC_CATEGORY_ND,
        UTF8PROC_CATEGORY_NL, UTF8PROC_CATEGORY_NO:
        return .word
      case UTF8PROC_CATEGORY_SO: return .symbol
      default: return .separator
      }
    }
  }
}
