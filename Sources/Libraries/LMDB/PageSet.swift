// A set of pages of a file.

/// Numbers of pages, a bit for each page that the file has.
struct PageSet {
  private var words: [UInt64]

  /// An empty set for pages with numbers below `count`. Those beyond are never in it.
  init(below count: UInt64) { words = Array(repeating: 0, count: Int((count + 63) / 64)) }

  func contains(_ number: UInt64) -> Bool {
    let word = number / 64
    return word < UInt64(words.count) && words[Int(word)] & (1 << (number % 64)) != 0
  }

  /// - Returns: Whether it was not in it before.
  @discardableResult
  mutating func insert(_ number: UInt64) -> Bool {
    let word = number / 64, bit: UInt64 = 1 << (number % 64)
    guard word < UInt64(words.count) else { return true }
    defer { words[Int(word)] |= bit }
    return words[Int(word)] & bit == 0
  }
}
