// From a text to the terms it is found by: Unicode-aware words, stemmed; numbers and identifiers whole.
//
// The text is folded (case, compatibility forms, diacritics), split into words, and each word becomes the 64-bit hash
// of its stem. Words joined by a hyphen, a point, a colon or the like are terms one by one, and together where they
// make an identifier: 619-275-5700, PROJ-123, user_id, 10:30, a@example.org. Scripts without spaces are indexed by
// pairs of characters. Stop words and symbols count where a text has nothing else.
internal import Bytes
internal import Stemmer
internal import Synchronization
internal import UTF8Proc

/// What a text is found by: the hash of a stem. 64 bits, so that two of a person's words practically never share one.
typealias Term = UInt64

extension RawSpan {
  fileprivate var isASCII: Bool {
    var high: UInt8 = 0
    for offset in 0..<byteCount { high |= byte(at: offset) }
    return high < 0x80
  }
}

extension Span<UInt8> {
  /// The character at `offset` of valid UTF-8, and how many bytes it takes.
  fileprivate func scalar(at offset: Int) -> (scalar: UInt32, length: Int) {
    let first = UInt32(self[offset])
    if first < 0x80 { return (first, 1) }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var scalar = first & (0x7F >> UInt32(length))
    for index in (offset + 1)..<Swift.min(offset + length, count) { scalar = scalar << 6 | UInt32(self[index] & 0x3F) }
    return (scalar, length)
  }
}

/// Analyzers at rest, so that a query or a fold finds one that knows many words already.
final class Analyzers: Sendable {
  private let language: String
  private let resting = Mutex<[TextAnalyzer]>([])

  /// Words are their own stems where there is no stemmer for `language`.
  init(language: String) { self.language = language }

  /// Lends an analyzer to `body`.
  func withAnalyzer<Result, E: Error>(_ body: (TextAnalyzer) throws(E) -> Result) throws(E) -> Result {
    let analyzer = resting.withLock { $0.popLast() } ?? TextAnalyzer(language: language)
    defer { resting.withLock { if $0.count < 16 { $0.append(analyzer) } } }
    return try body(analyzer)
  }
}

/// Makes terms of texts in one language, and keeps the stems of words it has met.
final class TextAnalyzer: Sendable {
  private let splitter: Mutex<TextSplitter>

  init(language: String) { splitter = Mutex(TextSplitter(language: language)) }

  /// The terms of `text`, in order, repeated as often as they are said.
  func terms(of text: String) -> [Term] {
    let bytes = Array(text.utf8)
    return splitter.withLock { $0.terms(of: bytes.rawSpan) }
  }

  /// What `text` is found by.
  func said(in text: String) -> SaidTerms {
    let bytes = Array(text.utf8)
    return said(in: bytes.rawSpan)
  }

  /// What a text in UTF-8 is found by; nothing where it is not UTF-8.
  func said(in text: RawSpan) -> SaidTerms {
    splitter.withLock { splitter in
      let terms = splitter.terms(of: text)
      if !terms.isEmpty { return SaidTerms(terms: terms, length: terms.count) }
      return SaidTerms(terms: splitter.terms(of: text, keepsAll: true), length: 0)
    }
  }
}

/// What a text, or a question, is found by.
struct SaidTerms {
  /// In order, repeated as often as they are said.
  let terms: [Term]
  /// How many of them say what it is about: none where it has nothing but stop words and symbols.
  let length: Int
}

/// Splits texts into words, and words into terms.
private struct TextSplitter {
  private let stemmer: Stemmer?
  /// Words met lately, each in the one place that its hash gives it: their terms, 0 for a stop word.
  private var known = [(word: UInt64, term: Term)](repeating: (0, 0), count: Self.knownCount)
  private var word = First64Bytes()
  private var compound = First64Bytes()
  /// Whether stop words and symbols are terms too.
  private var keepsAll = false
  private static let knownCount = 1 << 14

  init(language: String) { stemmer = Stemmer(language: language) }

  mutating func terms(of text: RawSpan, keepsAll: Bool = false) -> [Term] {
    self.keepsAll = keepsAll
    var terms: [Term] = []
    terms.reserveCapacity(text.byteCount / 6)
    if text.isASCII {
      split(ascii: text, into: &terms)
    } else if let folded = UnicodeFolding.folded(text) {
      split(folded: folded.span, into: &terms)
    }
    return terms
  }

  // MARK: Splitting

  private mutating func split(ascii text: RawSpan, into terms: inout [Term]) {
    var offset = 0
    while offset < text.byteCount {
      var end = offset
      while end < text.byteCount, Self.isLowercaseWord(text.byte(at: end)) { end += 1 }
      // Most words stand alone, and are looked up where they are.
      if word.isEmpty, compound.isEmpty, 1...64 ~= end - offset, Self.endsWord(at: end, of: text) {
        add(text.extracting(offset..<end), to: &terms)
        offset = end
        continue
      }
      // A long word is taken byte by byte to its end, or its rest would be looked through for each of them.
      for place in offset..<max(end, offset + 1) {
        var byte = text.byte(at: place)
        if byte &- 0x41 < 26 { byte |= 0x20 }
        take(byte, into: &terms) { place + 1 < text.byteCount ? text.byte(at: place + 1) : 0x20 }
      }
      offset = max(end, offset + 1)
    }
    endCompound(into: &terms)
  }

  /// Whether a word that goes up to `end` is neither continued nor joined to another.
  @inline(__always)
  private static func endsWord(at end: Int, of text: RawSpan) -> Bool {
    guard end < text.byteCount else { return true }
    let byte = text.byte(at: end)
    if isWord(byte) || byte == 0x2B || byte == 0x23 { return false }
    return !joins(byte) || end + 1 == text.byteCount || !isWord(text.byte(at: end + 1))
  }

  private mutating func split(folded text: Span<UInt8>, into terms: inout [Term]) {
    var pair: UInt32?
    var offset = 0
    while offset < text.count {
      let (scalar, length) = text.scalar(at: offset)
      defer { offset += length }
      if scalar < 0x80 {
        pair = nil
        take(UInt8(scalar), into: &terms) { offset + 1 < text.count ? text[offset + 1] : 0x20 }
        continue
      }
      switch UnicodeFolding.role(of: scalar) {
      case .diacritic: break
      case .word:
        pair = nil
        for index in offset..<(offset + length) { word.append(text[index]) }
      case .ideograph:
        endCompound(into: &terms)
        // A character alone is found too: names and verbs of one character are common.
        terms.append(Self.term(of: scalar, and: 0))
        if let pair { terms.append(Self.term(of: pair, and: scalar)) }
        pair = scalar
      case .symbol:
        pair = nil
        endCompound(into: &terms)
        if keepsAll { terms.append(Self.term(of: scalar, and: 0)) }
      case .separator:
        pair = nil
        // ’ is how many keyboards spell an apostrophe.
        if scalar == 0x2019 {
          take(0x27, into: &terms) { offset + length < text.count ? text[offset + length] : 0x20 }
        } else {
          endCompound(into: &terms)
        }
      }
    }
    endCompound(into: &terms)
  }

  /// One ASCII character in lower case.
  @inline(__always)
  private mutating func take(_ byte: UInt8, into terms: inout [Term], next: () -> UInt8) {
    if Self.isWord(byte) {
      word.append(byte)
    } else if !word.isEmpty || !compound.isEmpty {
      if Self.joins(byte), Self.isWord(next()) || next() >= 0x80 {
        endPart(joinedBy: byte, into: &terms)
      } else if byte == 0x2B || byte == 0x23, compound.isEmpty, word.count <= 2, !Self.isWord(next()) {
        // C++ and C#.
        word.append(byte)
      } else {
        endCompound(into: &terms)
      }
    }
  }

  @inline(__always)
  private static func isLowercaseWord(_ byte: UInt8) -> Bool {
    byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5F
  }

  @inline(__always)
  private static func isWord(_ byte: UInt8) -> Bool { isLowercaseWord(byte) || byte &- 0x41 < 26 }

  /// `- . : / @ '` and the comma of 1,200.
  @inline(__always)
  private static func joins(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2D, 0x2E, 0x3A, 0x2F, 0x40, 0x27, 0x2C: true
    default: false
    }
  }

  /// A word ends at a character that joins it to the next.
  private mutating func endPart(joinedBy byte: UInt8, into terms: inout [Term]) {
    // don't, o'clock, 1,200: one word.
    if byte == 0x27 { return }
    if byte == 0x2C {
      if let last = word.last, last &- 0x30 < 10 { return }
      return endCompound(into: &terms)
    }
    compound.append(word)
    compound.append(byte)
    endWord(into: &terms)
  }

  private mutating func endCompound(into terms: inout [Term]) {
    if !compound.isEmpty {
      compound.append(word)
      // Of plain words, each is enough: what is both hyphenated and not would else be counted as rarer than it is.
      if compound.contains(where: { $0 &- 0x30 < 10 || $0 == 0x5F || $0 == 0x40 }) {
        terms.append(XXH3.hash(compound.rawSpan))
      }
      compound.removeAll()
    }
    endWord(into: &terms)
  }

  private mutating func endWord(into terms: inout [Term]) {
    guard !word.isEmpty else { return }
    let word = word
    add(word.rawSpan, to: &terms)
    self.word.removeAll()
  }

  /// Adds the term of a word.
  private mutating func add(_ word: RawSpan, to terms: inout [Term]) {
    let hash = XXH3.hash(word)
    let place = Int(hash % UInt64(Self.knownCount))
    // The hash of no word is 0, or one place would know a word it has never met.
    if known[place].word != hash || hash == 0 { known[place] = (hash, term(of: word, hash)) }
    let term = known[place].term
    if term != 0 || keepsAll { terms.append(term != 0 ? term : hash) }
  }

  /// The term of a word with this hash; 0 for a stop word.
  private func term(of word: RawSpan, _ hash: UInt64) -> Term {
    if StopWords.english.contains(hash) { return 0 }
    guard let stemmer else { return hash }
    for offset in 0..<word.byteCount {
      let byte = word.byte(at: offset)
      if byte &- 0x30 < 10 || byte == 0x5F { return hash }
    }
    return stemmer.withStem(of: word) { XXH3.hash($0) }
  }

  private static func term(of first: UInt32, and second: UInt32) -> Term {
    let key = BigEndianKey(UInt64(first), UInt64(second))
    return XXH3.hash(key.rawSpan)
  }
}
