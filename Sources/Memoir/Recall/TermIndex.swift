// Which texts hold which terms: grown text by text in the order of their versions, so that what it was at an earlier
// version is the part that came first.
//
// New texts gather in a tail. 256 of them become a segment, sorted by term; eight segments of a size become one of the
// next (a log-structured merge: O'Neil et al., 1996). Segments never change, so states share them, and a state with one
// more text costs no copy of the index. What is where depends on the texts alone, so equal histories have equal indexes.
internal import Bytes
internal import EventStore

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
  /// How many terms it has, at most 65,535.
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

  func encode(into writer: inout ByteWriter) {
    for value in versions { writer.write(value) }
    for value in times { writer.write(UInt64(bitPattern: value)) }
    for value in sessions { writer.write(value) }
    for value in previous { writer.write(value) }
    for value in lengths { writer.write(value) }
    for value in kinds { writer.write(value) }
  }

  init() {}

  /// - Parameters:
  ///   - base: How many texts come before these.
  ///   - last: The version of the last of them.
  init(decoding reader: inout ByteReader, count: Int, base: Int, after last: UInt64) throws(DamagedBytes) {
    guard count <= reader.remaining / Self.size else { throw DamagedBytes() }
    var last = last
    versions.reserveCapacity(count)
    for _ in 0..<count {
      let version = try reader.readUInt64()
      guard version > last else { throw DamagedBytes() }
      last = version
      versions.append(version)
    }
    times.reserveCapacity(count)
    for _ in 0..<count {
      guard let time = Timestamp(microseconds: Int64(bitPattern: try reader.readUInt64())) else { throw DamagedBytes() }
      times.append(time.microseconds)
    }
    sessions.reserveCapacity(count)
    for _ in 0..<count { sessions.append(try reader.readUInt32()) }
    previous.reserveCapacity(count)
    for index in 0..<count {
      let value = try reader.readUInt32()
      guard Int(value) <= base + index else { throw DamagedBytes() }
      previous.append(value)
    }
    lengths.reserveCapacity(count)
    for _ in 0..<count { lengths.append(try reader.readUInt16()) }
    kinds.reserveCapacity(count)
    for _ in 0..<count {
      let kind = try reader.readUInt8()
      guard MemoryKind(rawValue: kind & ~Self.replacement) != nil else { throw DamagedBytes() }
      kinds.append(kind)
    }
  }
}

/// Texts that change no more, by term.
final class TermSegment: Sendable {
  let columns: TextColumns
  /// Ascending.
  let terms: [Term]
  /// Where each term's texts begin in ``texts``; and the end.
  let starts: [UInt32]
  /// Texts that hold a term, by their place in the segment, ascending for each term.
  let texts: [UInt32]
  /// How often each says it, at most 255.
  let counts: [UInt8]

  init(columns: TextColumns, terms: [Term], starts: [UInt32], texts: [UInt32], counts: [UInt8]) {
    self.columns = columns
    self.terms = terms
    self.starts = starts
    self.texts = texts
    self.counts = counts
  }

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

  /// Segments that follow each other, as one.
  init(merging segments: ArraySlice<TermSegment>) {
    var columns = TextColumns()
    var bases: [UInt32] = []
    for segment in segments {
      bases.append(UInt32(columns.count))
      columns.append(contentsOf: segment.columns)
    }
    let parts = Array(segments)
    let postings = parts.reduce(0) { $0 + $1.texts.count }
    var terms: [Term] = []
    var starts: [UInt32] = []
    var texts: [UInt32] = []
    var counts: [UInt8] = []
    terms.reserveCapacity(parts.map(\.terms.count).max() ?? 0)
    texts.reserveCapacity(postings)
    counts.reserveCapacity(postings)
    var places = [Int](repeating: 0, count: parts.count)
    // The next term of each; nothing beyond its last, since a term may be any number.
    var heads = parts.map(\.terms.first)
    while let next = heads.lazy.compactMap({ $0 }).min() {
      terms.append(next)
      starts.append(UInt32(texts.count))
      for index in parts.indices where heads[index] == next {
        let part = parts[index]
        for posting in Int(part.starts[places[index]])..<Int(part.starts[places[index] + 1]) {
          texts.append(part.texts[posting] + bases[index])
          counts.append(part.counts[posting])
        }
        places[index] += 1
        heads[index] = places[index] < part.terms.count ? part.terms[places[index]] : nil
      }
    }
    starts.append(UInt32(texts.count))
    self.columns = columns
    self.terms = terms
    self.starts = starts
    self.texts = texts
    self.counts = counts
  }

  static func encodedSize(texts: Int, terms: Int, postings: Int) -> Int {
    EncodedSize.varint(texts) + EncodedSize.varint(terms) + EncodedSize.varint(postings) + TextColumns.size * texts
      + 12 * terms + 5 * postings
  }

  var encodedSize: Int {
    Self.encodedSize(texts: columns.count, terms: terms.count, postings: texts.count)
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(columns.count)
    writer.writeVarint(terms.count)
    writer.writeVarint(texts.count)
    columns.encode(into: &writer)
    for term in terms { writer.write(term) }
    for start in starts.dropLast() { writer.write(start) }
    for text in texts { writer.write(text) }
    for count in counts { writer.write(count) }
  }

  init(decoding reader: inout ByteReader, base: Int, after last: UInt64) throws(DamagedBytes) {
    let count = try reader.readCount()
    let termCount = try reader.readCount(limit: reader.remaining / 12)
    let postingCount = try reader.readCount(limit: reader.remaining / 5)
    let columns = try TextColumns(decoding: &reader, count: count, base: base, after: last)
    var terms: [Term] = []
    terms.reserveCapacity(termCount)
    for _ in 0..<termCount {
      let term = try reader.readUInt64()
      guard term > terms.last ?? 0 else { throw DamagedBytes() }
      terms.append(term)
    }
    var starts: [UInt32] = []
    starts.reserveCapacity(termCount + 1)
    for _ in 0..<termCount {
      let start = try reader.readUInt32()
      guard starts.last.map({ start > $0 }) ?? (start == 0), start < postingCount else { throw DamagedBytes() }
      starts.append(start)
    }
    guard termCount > 0 || postingCount == 0 else { throw DamagedBytes() }
    starts.append(UInt32(postingCount))
    var texts: [UInt32] = []
    texts.reserveCapacity(postingCount)
    for _ in 0..<postingCount {
      let text = try reader.readUInt32()
      guard text < count else { throw DamagedBytes() }
      texts.append(text)
    }
    for index in 0..<termCount {
      for place in (Int(starts[index]) + 1)..<max(Int(starts[index + 1]), Int(starts[index]) + 1) {
        guard texts[place - 1] < texts[place] else { throw DamagedBytes() }
      }
    }
    var counts: [UInt8] = []
    counts.reserveCapacity(postingCount)
    for _ in 0..<postingCount { counts.append(try reader.readUInt8()) }
    self.columns = columns
    self.terms = terms
    self.starts = starts
    self.texts = texts
    self.counts = counts
  }
}

/// The texts that came last, as they came.
struct TermTail: Sendable {
  private(set) var columns = TextColumns()
  /// Where each text's terms end in ``terms``.
  private(set) var ends: [UInt32] = []
  /// The terms of each text, ascending.
  private(set) var terms: [Term] = []
  private(set) var counts: [UInt8] = []

  init() {}

  mutating func append(_ text: IndexedText, _ terms: [Term]) {
    columns.append(text, length: terms.count)
    let sorted = terms.count > Self.shortText ? terms.sorted() : terms.sortedByInsertion
    var index = 0
    while index < sorted.count {
      var end = index + 1
      while end < sorted.count, sorted[end] == sorted[index] { end += 1 }
      self.terms.append(sorted[index])
      counts.append(UInt8(clamping: end - index))
      index = end
    }
    ends.append(UInt32(self.terms.count))
  }

  /// Up to so many terms are put in order one by one.
  private static let shortText = 40

  /// Calls `body` with each text that holds `term`, by its place in the tail, and how often.
  @inline(__always)
  func forEach(_ term: Term, _ body: (Int, UInt8) -> Void) {
    var text = 0
    for index in terms.indices where terms[index] == term {
      while ends[text] <= index { text += 1 }
      body(text, counts[index])
    }
  }

  /// As a segment.
  func sealed() -> TermSegment {
    let entries = sortedEntries()
    var sortedTerms: [Term] = []
    var starts: [UInt32] = []
    for (index, entry) in entries.enumerated() where entry.term != sortedTerms.last {
      sortedTerms.append(entry.term)
      starts.append(UInt32(index))
    }
    starts.append(UInt32(entries.count))
    return TermSegment(
      columns: columns, terms: sortedTerms, starts: starts, texts: entries.map(\.text), counts: entries.map(\.count))
  }

  /// The entries by term, those of a term by text.
  ///
  /// Terms are hashes, so their first bits spread them evenly: once dealt out by these, hardly one is out of place.
  private func sortedEntries() -> [(term: Term, text: UInt32, count: UInt8)] {
    var starts = [Int](repeating: 0, count: 1 << 12)
    for term in terms { starts[Int(term >> 52)] += 1 }
    var next = 0
    for bucket in starts.indices {
      let count = starts[bucket]
      starts[bucket] = next
      next += count
    }
    var entries = [(term: Term, text: UInt32, count: UInt8)](repeating: (0, 0, 0), count: terms.count)
    var text = 0
    for index in terms.indices {
      while ends[text] <= index { text += 1 }
      let bucket = Int(terms[index] >> 52)
      entries[starts[bucket]] = (terms[index], UInt32(text), counts[index])
      starts[bucket] += 1
    }
    // Those of one term were dealt out by text, and stay so.
    for place in entries.indices.dropFirst() {
      let entry = entries[place]
      var free = place
      while free > 0, entries[free - 1].term > entry.term {
        entries[free] = entries[free - 1]
        free -= 1
      }
      if free < place { entries[free] = entry }
    }
    return entries
  }

  var encodedSize: Int {
    EncodedSize.varint(columns.count) + EncodedSize.varint(terms.count) + (TextColumns.size + 4) * columns.count
      + 9 * terms.count
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(columns.count)
    writer.writeVarint(terms.count)
    columns.encode(into: &writer)
    for end in ends { writer.write(end) }
    for term in terms { writer.write(term) }
    for count in counts { writer.write(count) }
  }

  init(decoding reader: inout ByteReader, base: Int, after last: UInt64) throws(DamagedBytes) {
    // A full one would have become a segment, and never would again.
    let count = try reader.readCount(limit: TermIndex.tailLimit - 1)
    let termCount = try reader.readCount(limit: reader.remaining / 9)
    columns = try TextColumns(decoding: &reader, count: count, base: base, after: last)
    for _ in 0..<count {
      let end = try reader.readUInt32()
      guard end >= ends.last ?? 0, end <= termCount else { throw DamagedBytes() }
      ends.append(end)
    }
    guard ends.last ?? 0 == termCount else { throw DamagedBytes() }
    for _ in 0..<termCount { terms.append(try reader.readUInt64()) }
    for _ in 0..<termCount { counts.append(try reader.readUInt8()) }
    var start = 0
    for end in ends {
      for index in start..<Int(end) where index > start {
        guard terms[index - 1] < terms[index] else { throw DamagedBytes() }
      }
      start = Int(end)
    }
  }
}

/// Texts by term, and of each what ranking needs.
struct TermIndex: Sendable {
  static let tailLimit = 256
  private static let fanIn = 8

  private(set) var segments: [TermSegment] = []
  private(set) var tail = TermTail()
  /// How many texts there are in the segments.
  private var sealedCount = 0
  private var sealedSize = 0

  init() {}

  /// How many texts there are.
  var count: Int { sealedCount + tail.columns.count }

  /// The version of the last text.
  var lastVersion: UInt64 { tail.columns.versions.last ?? segments.last?.columns.versions.last ?? 0 }

  /// Adds a text that came after all others.
  ///
  /// - Complexity: O(terms), amortized with a factor of log(texts).
  mutating func add(_ text: IndexedText, _ terms: [Term]) {
    tail.append(text, terms)
    guard tail.columns.count == Self.tailLimit else { return }
    let segment = tail.sealed()
    tail = TermTail()
    sealedCount += segment.columns.count
    sealedSize += segment.encodedSize
    segments.append(segment)
    // How large each segment is follows from how many texts there are, in base eight.
    var size = Self.tailLimit
    while segments.count >= Self.fanIn, segments.suffix(Self.fanIn).allSatisfy({ $0.columns.count == size }) {
      let parts = segments.suffix(Self.fanIn)
      let merged = TermSegment(merging: parts)
      sealedSize += merged.encodedSize - parts.reduce(0) { $0 + $1.encodedSize }
      segments.removeLast(Self.fanIn)
      segments.append(merged)
      size *= Self.fanIn
    }
  }

  /// Calls `body` with the columns of all texts, in order, and how many come before them.
  func forEachPart(_ body: (_ columns: TextColumns, _ base: Int) -> Void) {
    var base = 0
    for segment in segments {
      body(segment.columns, base)
      base += segment.columns.count
    }
    if tail.columns.count > 0 { body(tail.columns, base) }
  }

  /// Calls `body` with each text that holds `term`, in order, and how often it says it.
  @inline(__always)
  func forEachText(with term: Term, _ body: (_ text: Int, _ count: UInt8) -> Void) {
    var base = 0
    for segment in segments {
      for place in segment.range(of: term) { body(base + Int(segment.texts[place]), segment.counts[place]) }
      base += segment.columns.count
    }
    tail.forEach(term) { text, count in body(base + text, count) }
  }

  var encodedSize: Int { EncodedSize.varint(segments.count) + sealedSize + tail.encodedSize }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(segments.count)
    for segment in segments { segment.encode(into: &writer) }
    tail.encode(into: &writer)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount()
    for _ in 0..<count {
      let segment = try TermSegment(
        decoding: &reader, base: sealedCount, after: segments.last?.columns.versions.last ?? 0)
      guard segment.columns.count > 0 else { throw DamagedBytes() }
      segments.append(segment)
      sealedCount += segment.columns.count
      sealedSize += segment.encodedSize
    }
    tail = try TermTail(
      decoding: &reader, base: sealedCount, after: segments.last?.columns.versions.last ?? 0)
  }
}

extension [Term] {
  /// Ascending; faster than sorting where there are few.
  fileprivate var sortedByInsertion: [Term] {
    var sorted = self
    for place in sorted.indices.dropFirst() {
      let term = sorted[place]
      var free = place
      while free > 0, sorted[free - 1] > term {
        sorted[free] = sorted[free - 1]
        free -= 1
      }
      sorted[free] = term
    }
    return sorted
  }
}
