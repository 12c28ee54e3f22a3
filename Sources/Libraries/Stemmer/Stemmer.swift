// Snowball stemming: `cities` and `city` become one term.
internal import Bytes
internal import CMemoirStemmer

/// A stemmer of one language (Martin Porter, Snowball).
///
/// It works in a buffer of its own, so one belongs to one thread at a time.
@safe
public final class Stemmer {
  private let handle: OpaquePointer

  /// A stemmer for `language`, e.g. `english`; `nil` where there is none.
  public init?(language: String) {
    guard let handle = unsafe sb_stemmer_new(language, "UTF_8") else { return nil }
    unsafe self.handle = handle
  }

  deinit { unsafe sb_stemmer_delete(handle) }

  /// The languages there are stemmers for, by their English names.
  public static var languages: [String] {
    var names: [String] = []
    guard var next = unsafe sb_stemmer_list() else { return names }
    while let name = unsafe next.pointee {
      unsafe names.append(String(cString: name))
      unsafe next += 1
    }
    return names
  }

  /// Lends the stem of `word`, which is UTF-8 in lower case, to `body`.
  ///
  /// - Complexity: O(length); about 0.2 µs for an English word.
  public func withStem<Result>(of word: RawSpan, _ body: (RawSpan) -> Result) -> Result {
    unsafe word.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, let count = Int32(exactly: bytes.count) else { return body(word) }
      guard let stem = unsafe sb_stemmer_stem(handle, start.assumingMemoryBound(to: UInt8.self), count) else {
        // Out of memory: the word is its own stem.
        return body(word)
      }
      // The buffer stays as it is until the next call, which comes after `body` has returned.
      return unsafe body(
        UnsafeRawBufferPointer(start: stem, count: Int(sb_stemmer_length(handle))).bytes)
    }
  }
}
