// Tables as text (RFC 4180).
import Memoir

enum CSV {
  /// Rows as text.
  static func write(_ rows: [[String]]) -> [UInt8] {
    var bytes: [UInt8] = []
    for row in rows {
      for (index, field) in row.enumerated() {
        if index > 0 { bytes.append(comma) }
        guard field.utf8.contains(where: { [comma, quote, 0x0a, 0x0d].contains($0) }) else {
          bytes += Array(field.utf8)
          continue
        }
        bytes.append(quote)
        for byte in field.utf8 {
          if byte == quote { bytes.append(quote) }
          bytes.append(byte)
        }
        bytes.append(quote)
      }
      bytes += [0x0d, 0x0a]
    }
    return bytes
  }

  /// The rows of a text; lines end as they like, and empty ones are none.
  ///
  /// - Throws: `invalid_argument` where a quotation mark is missing, or it is no UTF-8.
  static func read(_ bytes: ArraySlice<UInt8>) throws(MemoirError) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var wasQuoted = false
    var rest = bytes
    if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
    func text() throws(MemoirError) -> String {
      guard let text = String(validating: field, as: UTF8.self) else { throw .invalid(field: "body", "is no UTF-8") }
      return text
    }
    func endRow() throws(MemoirError) {
      if row.isEmpty, field.isEmpty, !wasQuoted { return }
      row.append(try text())
      rows.append(row)
      (row, field, wasQuoted) = ([], [], false)
    }
    while let byte = rest.popFirst() {
      switch byte {
      case quote where isQuoted && rest.first == quote:
        rest.removeFirst()
        field.append(quote)
      case quote where isQuoted: isQuoted = false
      case _ where isQuoted: field.append(byte)
      case quote where field.isEmpty && !wasQuoted: (isQuoted, wasQuoted) = (true, true)
      case comma:
        row.append(try text())
        (field, wasQuoted) = ([], false)
      case 0x0d where rest.first == 0x0a: break
      case 0x0a, 0x0d: try endRow()
      default: field.append(byte)
      }
    }
    guard !isQuoted else { throw .invalid(field: "body", "is no CSV: a quotation mark is missing at its end") }
    try endRow()
    return rows
  }

  private static let comma = UInt8(ascii: ",")
  private static let quote = UInt8(ascii: "\"")
}
