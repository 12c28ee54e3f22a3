// What recall looks texts up in, as it is stored: terms of texts, their columns, and vectors.
//
// An input is a byte that chooses, and its bytes.
import Bytes
import EventStore
import Memoir
import TestSupport

@testable import EventStore
@testable import Memoir

struct SegmentTarget: FuzzTarget {
  static let name = "segment"

  func check(_ bytes: [UInt8]) throws -> Bool {
    guard let first = bytes.first else { return false }
    let rest = Array(bytes.dropFirst())
    return switch first % 4 {
    case 0: try checkIndex(rest)
    case 1: try checkSegment(rest)
    case 2: try checkPart(rest)
    default: try checkVector(rest)
    }
  }

  private func checkIndex(_ bytes: [UInt8]) throws -> Bool {
    var reader = ByteReader(bytes.rawSpan)
    guard let index = try? RecallIndex(decoding: &reader) else { return false }
    let once = index.encoded()
    try hold(once.count == index.encodedSize, "an index has the size that it says")
    var again = ByteReader(once.rawSpan)
    let second = try RecallIndex(decoding: &again)
    try hold(again.isAtEnd && second.encoded() == once, "an index that was read and written is not what it was")
    for texts in [index.messages, index.memories] {
      for term in [0, 1, Term.max] {
        var last = -1
        var isInOrder = true
        texts.forEachText(with: term) { text, _ in
          isInOrder = isInOrder && text > last && text < texts.count
          last = text
        }
        try hold(isInOrder, "texts of a term come in their order")
      }
    }
    return reader.isAtEnd
  }

  private func checkSegment(_ bytes: [UInt8]) throws -> Bool {
    var reader = ByteReader(bytes.rawSpan)
    guard let segment = try? TermSegment(decoding: &reader) else { return false }
    var writer = ByteWriter()
    segment.encode(into: &writer)
    try hold(writer.count == segment.encodedSize, "a segment has the size that it says")
    // Columns follow: of each text a byte at least.
    writer.write(contentsOf: [UInt8](repeating: 0, count: segment.count))
    var again = ByteReader(writer.bytes.rawSpan)
    let second = try TermSegment(decoding: &again)
    for (place, term) in segment.terms.enumerated() {
      let range = segment.range(of: term)
      try hold(
        range == second.range(of: term) && range.lowerBound == Int(segment.starts[place])
          && range.upperBound <= segment.texts.count, "a term is found where it stands")
      for text in segment.texts[range] { try hold(text < segment.count, "a text is one of the segment") }
    }
    return reader.isAtEnd
  }

  private func checkPart(_ bytes: [UInt8]) throws -> Bool {
    var index = RecallIndex()
    let before = index.encoded()
    var reader = ByteReader(bytes.rawSpan)
    do throws(DamagedBytes) { try index.add(partDecoding: &reader) } catch {
      try hold(index.encoded() == before, "a part that is none leaves the index as it was")
      return false
    }
    try hold(index.encoded().count == index.encodedSize, "an index has the size that it says")
    return true
  }

  private func checkVector(_ bytes: [UInt8]) throws -> Bool {
    var reader = ByteReader(bytes.rawSpan)
    do throws(DamagedBytes) {
      guard let (kind, scale) = try StoredVector.read(&reader) else { return true }
      guard scale > 0, scale.isFinite, MemoryKind.allCases.contains(kind) else { return false }
    } catch { return false }
    let rest = reader.readRest()
    try hold(rest.byteCount > 0 && rest.byteCount < bytes.count, "a vector has numbers, and they are its own")
    return true
  }

  static func seeds() throws -> [[UInt8]] {
    let projector = RecallProjector()
    let indexes = try FoldTarget.seeds().map { story in
      var state = projector.initialState()
      var folding = Folding(projector, story)
      try folding.run(&state)
      return [0] + state.encoded()
    }
    var said = OpenTerms()
    for terms in [[1, 2, 2, 9], [2], [], [1, Term.max]] as [[Term]] { said.append(terms) }
    var writer = ByteWriter()
    TermSegment(said, 0..<said.count).encode(into: &writer)
    let vector = QuantizedVector([0.5, -0.25, 1, 0]).map { StoredVector.bytes(.fact, $0) } ?? []
    // A part is of so many texts that none is small.
    return indexes + [[1] + writer.bytes, [3] + vector, [3] + StoredVector.refused]
  }
}
