// What makes two spellings one word in any script: case folding and decomposition; and which characters words are of.
internal import Bytes
internal import CMemoirUTF8Proc
internal import Glibc

/// Unicode's own tables, from utf8proc.
public enum UnicodeFolding {
  /// Compatibility-decomposed and case-folded UTF-8 (Unicode's NFKD and full case folding); invisible characters are
  /// dropped. `nil` where `text` is not UTF-8.
  ///
  /// - Complexity: O(length)
  public static func folded(_ text: RawSpan) -> [UInt8]? {
    unsafe text.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return [] }
      var result: UnsafeMutablePointer<UInt8>? = nil
      let options = utf8proc_option_t(
        rawValue: UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_COMPAT.rawValue | UTF8PROC_CASEFOLD.rawValue
          | UTF8PROC_IGNORE.rawValue)
      let count = unsafe utf8proc_map(
        start.assumingMemoryBound(to: UInt8.self), bytes.count, &result, options)
      guard count >= 0, let result = unsafe result else { return nil }
      defer { unsafe free(result) }
      return unsafe [UInt8](UnsafeBufferPointer(start: result, count: count))
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
      default: return .separator
      }
    }
  }
}
