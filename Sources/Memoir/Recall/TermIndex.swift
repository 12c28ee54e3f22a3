// Which texts hold which terms: grown text by text in the order of their versions, so that what it was at an earlier
// version is the part that came first.
//
// New texts gather as they come. At a closing, all since the one before become one segment for good, sorted by term; for
// questions in between, every 256 of them get a segment when somebody asks. Segments never change, so states share them.
// What is where depends on the texts alone, so equal histories have equal indexes.
internal import Bytes
internal import EventStore
internal import Synchronization

/// What kind of text a memory is.
public enum MemoryKind: UInt8, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  /// Something known of the person.
  case fact = 1
  /// Something that was said.
  case message = 2
  /// What a session was about.
  case summary = 3
  /// A task that was worked on.
  case episode = 4

  /// The word in JSON.
  public var description: String {
    switch self {
    case .fact: "fact"
    case .message: "message"
    case .summary: "summary"
    case .episode: "episode"
    }
  }
}

/// A text of the index: an event that says something.
struct IndexedText {
  var version: UInt64
  var occurredAt: Timestamp
  var kind: MemoryKind
  /// Whether it takes the place of what was said before of its session: a summary that was distilled after the end.
  var isReplacement = false
  /// The place of its session in the order of first mention, from 1; 0 for none.
  var session: UInt32
  /// The text before it in its session: its ordinal plus one; 0 where it is the first.
  var previous: UInt32
}

/// The columns of texts: what ranking needs of each besides its terms.
struct TextColumns: Sendable {
  private(set) var versions: [UInt64] = []
  private(set) var times: [Int64] = []
  private(set) var sessions: [UInt32] = []
  private(set) var previous: [UInt32] = []
  /// How many terms it has that say what it is about, at most 65,535.
  private(set) var lengths: [UInt16] = []
  /// The kind's number, and ``replacement``.
  private(set) var kinds: [UInt8] = []

  /// Set in a kind where the text takes the place of those before.
  static let replacement: UInt8 = 0x80

  var count: Int { versions.count }

  /// Their encoded bytes, each.
  static let size = 8 + 8 + 4 + 4 + 2 + 1

  mutating func append(_ text: IndexedText, length: Int) {
    versions.append(text.version)
    times.append(text.occurredAt.microseconds)
    sessions.append(text.session)
    previous.append(text.previous)
    lengths.append(UInt16(clamping: length))
    kinds.append(text.kind.rawValue | (text.isReplacement ? Self.replacement : 0))
  }

  mutating func append(contentsOf other: TextColumns) {
    versions += other.versions
    times += other.times
    sessions += other.sessions
    previous += other.previous
    lengths += other.lengths
    kinds += other.kinds
  }

  func encode(_ range: Range<Int>, into writer: inout ByteWriter) {
    writer.write(integers: Array(versions[range]))
    writer.write(integers: Array(times[range]))
    writer.write(integers: Array(sessions[range]))
    writer.write(integers: Array(previous[range]))
    writer.write(integers: Array(lengths[range]))
    writer.write(integers: Array(kinds[range]))
  }

  init() {}

  /// - Parameters:
  ///   - base: How many texts come before these.
  ///   - last: The version of the last of them.
  init(decoding reader: inout ByteReader, count: Int, base: Int, after last: UInt64) throws(DamagedBytes) {
    versions = try reader.readIntegers(count: count)
    times = try reader.readIntegers(count: count)
    sessions = try reader.readIntegers(count: count)
    previous = try reader.readIntegers(count: count)
    lengths = try reader.readIntegers(count: count)
    kinds = try reader.readIntegers(count: count)
    var last = last
    for text in 0..<count {
      guard versions[text] > last, Timestamp(microseconds: times[text]) != nil, Int(previous[text]) <= base + text,
        MemoryKind(rawValue: kinds[text] & ~Self.replacement) != nil
      else { throw DamagedBytes() }
      last = versions[text]
    }
  }
}

/// Texts that change no more, by term.
final class TermSegment: Sendable {
  /// How many texts there are.
  let count: Int
  /// Ascending.
  let terms: [Term]
  /// Where each term's texts begin in ``texts``; and the end.
  let starts: [UInt32]
  /// Texts that hold a term, by their place in the segment, ascending for each term.
  let texts: [UInt32]
  /// How often each says it, at most 255.
  let counts: [UInt8]

  /// Where the texts of a term are; empty where none has it.
  func range(of term: Term) -> Range<Int> {
    var low = 0
    var high = terms.count
    while low < high {
      let middle = (low + high) / 2
      if terms[middle] < term { low = middle + 1 } else { high = middle }
    }
    guard low < terms.count, terms[low] == term else { return 0..<0 }
    return Int(starts[low])..<Int(starts[low + 1])
  }

  /// Of texts that came one after the other.
  init(_ said: OpenTerms, _ range: Range<Int>) {
    var entries: [Entry] = []
    entries.reserveCapacity(said.places(of: range).count)
    for text in range {
      for place in said.places(of: text..<text + 1) {
        entries.append(Entry(term: said.terms[place], text: UInt32(text - range.lowerBound)))
      }
    }
    entries.sortByTerm()
    var terms: [Term] = []
    var starts: [UInt32] = []
    var texts: [UInt32] = []
    var counts: [UInt8] = []
    texts.reserveCapacity(entries.count)
    counts.reserveCapacity(entries.count)
    for entry in entries {
      let isKnown = entry.term == terms.last
      if isKnown, entry.text == texts.last {
        if counts[counts.count - 1] < .max { counts[counts.count - 1] += 1 }
        continue
      }
      if !isKnown {
        terms.append(entry.term)
        starts.append(UInt32(texts.count))
      }
      texts.append(entry.text)
      counts.append(1)
    }
    starts.append(UInt32(texts.count))
    count = range.count
    self.terms = terms
    self.starts = starts
    self.texts = texts
    self.counts = counts
  }

  var encodedSize: Int {
    EncodedSize.varint(count) + EncodedSize.varint(terms.count) + EncodedSize.varint(texts.count) + 12 * terms.count
      + 5 * texts.count
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(count)
    writer.writeVarint(terms.count)
    writer.writeVarint(texts.count)
    writer.write(integers: terms)
    writer.write(integers: starts.dropLast())
    writer.write(integers: texts)
    writer.write(integers: counts)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    // At least a byte of its columns follows for each.
    count = try reader.readCount()
    let termCount = try reader.readCount(limit: reader.remaining / 12)
    let postingCount = try reader.readCount(limit: reader.remaining / 5)
    terms = try reader.readIntegers(count: termCount)
    var starts: [UInt32] = try reader.readIntegers(count: termCount)
    starts.append(UInt32(postingCount))
    texts = try reader.readIntegers(count: postingCount)
    counts = try reader.readIntegers(count: postingCount)
    self.starts = starts
    guard starts[0] == 0 else { throw DamagedBytes() }
    for place in 0..<termCount {
      let (start, end) = (Int(starts[place]), Int(starts[place + 1]))
      guard place == 0 || terms[place - 1] < terms[place], start < end, end <= postingCount else {
        throw DamagedBytes()
      }
      for posting in (start + 1)..<end where texts[posting - 1] >= texts[posting] { throw DamagedBytes() }
      guard texts[end - 1] < count else { throw DamagedBytes() }
    }
  }
}

/// A term of a text.
private struct Entry: Comparable {
  var term: Term
  var text: UInt32

  static func < (a: Self, b: Self) -> Bool { a.term == b.term ? a.text < b.text : a.term < b.term }
}

extension [Entry] {
  /// Sorts entries of which those of one term are in the order of their texts.
  ///
  /// Terms are hashes: once they are in the order of their first 16 bits, few are out of place.
  fileprivate mutating func sortByTerm() {
    self = dealt(by: 48).dealt(by: 56)
    var start = 0
    while start < count {
      var end = start + 1
      var isSorted = true
      while end < count, self[end].term >> 48 == self[start].term >> 48 {
        if self[end].term < self[end - 1].term { isSorted = false }
        end += 1
      }
      if !isSorted { self[start..<end].sort() }
      start = end
    }
  }

  /// In the order of eight bits of their terms; those that have these in common stay in the order they are in.
  private func dealt(by shift: UInt64) -> [Entry] {
    var next = [Int](repeating: 0, count: 256)
    for entry in self { next[Int(entry.term >> shift & 0xFF)] += 1 }
    var end = 0
    for bits in next.indices {
      let count = next[bits]
      next[bits] = end
      end += count
    }
    var dealt = [Entry](repeating: Entry(term: 0, text: 0), count: count)
    for entry in self {
      let bits = Int(entry.term >> shift & 0xFF)
      dealt[next[bits]] = entry
      next[bits] += 1
    }
    return dealt
  }
}

/// The terms of texts as they came.
struct OpenTerms: Sendable {
  /// Where each text's terms end in ``terms``.
  private(set) var ends: [UInt32] = []
  private(set) var terms: [Term] = []

  /// How many texts there are.
  var count: Int { ends.count }

  init() {}

  mutating func append(_ terms: [Term]) {
    self.terms += terms
    ends.append(UInt32(self.terms.count))
  }

  /// Where the terms of these texts are.
  func places(of texts: Range<Int>) -> Range<Int> {
    let start = texts.lowerBound > 0 ? Int(ends[texts.lowerBound - 1]) : 0
    return start..<(texts.isEmpty ? start : Int(ends[texts.upperBound - 1]))
  }

  /// Calls `body` with each text from `first` on that says `term`, and how often it does.
  @inline(__always)
  func forEachText(with term: Term, from first: Int, _ body: (_ text: Int, _ count: UInt8) -> Void) {
    for text in first..<ends.count {
      var found = 0
      for place in places(of: text..<text + 1) where terms[place] == term { found += 1 }
      if found > 0 { body(text, UInt8(clamping: found)) }
    }
  }

  var encodedSize: Int { EncodedSize.varint(count) + EncodedSize.varint(terms.count) + 4 * count + 8 * terms.count }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(count)
    writer.writeVarint(terms.count)
    writer.write(integers: ends)
    writer.write(integers: terms)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount(limit: reader.remaining / 4)
    let termCount = try reader.readCount(limit: reader.remaining / 8)
    ends = try reader.readIntegers(count: count)
    terms = try reader.readIntegers(count: termCount)
    var last: UInt32 = 0
    for end in ends {
      guard end >= last else { throw DamagedBytes() }
      last = end
    }
    guard last == termCount else { throw DamagedBytes() }
  }
}

/// Of texts that are not closed yet: segments of 256 texts each, made when somebody asks.
private final class OpenSegments: Sendable {
  private static let textsOfSegment = 256
  private let made: Mutex<[TermSegment]>

  init(_ made: [TermSegment] = []) { self.made = Mutex(made) }

  /// All there can be. The last few texts are of none.
  func of(_ said: OpenTerms) -> [TermSegment] {
    made.withLock { made in
      while (made.count + 1) * Self.textsOfSegment <= said.count {
        let first = made.count * Self.textsOfSegment
        made.append(TermSegment(said, first..<first + Self.textsOfSegment))
      }
      return made
    }
  }

  /// The same for texts that may go on otherwise.
  func copy() -> OpenSegments { OpenSegments(made.withLock { $0 }) }
}

/// Texts by term, and of each what ranking needs.
struct TermIndex: Sendable {
  /// Of all texts.
  private(set) var columns = TextColumns()
  /// What closings made, one each.
  private var closings: [TermSegment] = []
  /// Of the texts since the last closing.
  private var said = OpenTerms()
  private var segments = OpenSegments()

  init() {}

  /// How many texts there are.
  var count: Int { columns.count }

  /// How many texts came since the last closing.
  var openCount: Int { said.count }

  /// The version of the last text.
  private var lastVersion: UInt64 { columns.versions.last ?? 0 }

  /// Adds a text that came after all others.
  ///
  /// - Complexity: O(terms)
  mutating func add(_ text: IndexedText, _ said: SaidTerms) {
    if !isKnownUniquelyReferenced(&segments) { segments = segments.copy() }
    columns.append(text, length: said.length)
    self.said.append(said.terms)
  }

  /// Makes one segment for good of all texts since the last closing, be there none.
  mutating func close() {
    closings.append(TermSegment(said, 0..<said.count))
    said = OpenTerms()
    segments = OpenSegments()
  }

  /// Calls `body` with each text that holds `term`, in order, and how often it says it.
  @inline(__always)
  func forEachText(with term: Term, _ body: (_ text: Int, _ count: UInt8) -> Void) {
    var base = 0
    for segment in closings + segments.of(said) {
      for place in segment.range(of: term) { body(base + Int(segment.texts[place]), segment.counts[place]) }
      base += segment.count
    }
    let closed = count - openCount
    said.forEachText(with: term, from: base - closed) { text, count in body(closed + text, count) }
  }

  // MARK: Coding

  func encodedSize(closing number: Int) -> Int {
    closings[number].encodedSize + TextColumns.size * closings[number].count
  }

  /// Appends what a closing made.
  func encode(closing number: Int, into writer: inout ByteWriter) {
    let base = closings[..<number].reduce(0) { $0 + $1.count }
    closings[number].encode(into: &writer)
    columns.encode(base..<base + closings[number].count, into: &writer)
  }

  /// What the closing after those of `before` made.
  init(closingAfter before: TermIndex, decoding reader: inout ByteReader) throws(DamagedBytes) {
    closings = [try TermSegment(decoding: &reader)]
    columns = try TextColumns(
      decoding: &reader, count: closings[0].count, base: before.count, after: before.lastVersion)
  }

  /// Adds what a closing made to those before.
  mutating func add(closing: TermIndex) {
    columns.append(contentsOf: closing.columns)
    closings += closing.closings
  }

  /// Of what came since the last closing.
  var openEncodedSize: Int { said.encodedSize + TextColumns.size * openCount }

  /// Appends what came since the last closing.
  func encodeOpen(into writer: inout ByteWriter) {
    said.encode(into: &writer)
    columns.encode(count - openCount..<count, into: &writer)
  }

  /// Adds what came after the last closing.
  ///
  /// - Returns: The columns of the texts.
  mutating func addOpen(decoding reader: inout ByteReader) throws(DamagedBytes) -> TextColumns {
    said = try OpenTerms(decoding: &reader)
    let open = try TextColumns(decoding: &reader, count: said.count, base: count, after: lastVersion)
    columns.append(contentsOf: open)
    return open
  }
}
