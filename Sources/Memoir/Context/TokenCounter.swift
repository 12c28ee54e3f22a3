// How many tokens of a language model a text takes. Every model counts its own way, so it is an estimate, and replaceable.

/// Counts the tokens of a text, for budgets.
///
/// An application that knows its model's tokenizer brings its own. The count of a text must not be less than that of a
/// beginning of it.
public protocol TokenCounter: Sendable {
  /// Its name, which receipts keep.
  var name: String { get }
  /// How many tokens `text` takes.
  func count(_ text: String) -> Int
}

/// Estimates tokens without a tokenizer: four ASCII characters are one, and any other character is one.
///
/// English prose comes out at or a little above what the common byte-pair tokenizers count; Chinese, Japanese, Arabic and
/// the like well above. So a budget may be used less than fully, and hardly overrun.
public struct EstimatedTokens: TokenCounter {
  /// `estimate`.
  public let name = "estimate"

  /// Makes the counter.
  public init() {}

  /// - Complexity: O(length)
  public func count(_ text: String) -> Int {
    var quarters = 0
    for byte in text.utf8 {
      // The first byte of a longer character counts for all of it.
      if byte < 0x80 { quarters += 1 } else if byte >= 0xC0 { quarters += 4 }
    }
    return (quarters + 3) / 4
  }
}
