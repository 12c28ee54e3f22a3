// From older forms of events to today's. The log keeps the old bytes; each reading upcasts them anew.
internal import Bytes
internal import EventStore

enum Upcasters {
  /// `FactLearned` 1 → 2: the confidence was one of three words, and is a number since.
  static let confidenceFromWord = Upcaster(from: 1) { payload throws(DamagedBytes) in
    var writer = PayloadWriter()
    var reader = PayloadReader(payload)
    var last = -1
    while let field = try reader.next() {
      // A payload that is out of order was never written by us; the writer would trap on it.
      guard Int(field.number) > last else { throw DamagedBytes() }
      last = Int(field.number)
      if field.number == FactField.confidence {
        writer.write(try confidence(word: field.text()), field: field.number)
      } else {
        try writer.copy(field)
      }
    }
    return writer.bytes
  }

  private static func confidence(word: String) throws(DamagedBytes) -> Fraction {
    switch word {
    case "low": 0.3
    case "medium": 0.6
    case "high": 0.9
    default: throw DamagedBytes()
    }
  }
}

extension PayloadWriter {
  /// A field of another payload, as it is.
  fileprivate mutating func copy(_ field: borrowing PayloadField) throws(DamagedBytes) {
    switch field.kind {
    case .text, .uuid: write(try field.text(), field: field.number)
    case .json: write(json: field.bytes, field: field.number)
    case .integer: write(field.integer, field: field.number)
    }
  }
}
