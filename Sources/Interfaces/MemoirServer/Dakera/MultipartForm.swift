// The first file of a form (RFC 7578): small, and strict about what could be read in two ways.
import Memoir

enum MultipartForm {
  /// The bytes of the first part that is a file; without one, of the first part.
  ///
  /// - Parameter type: The request's content type, which names the boundary.
  /// - Throws: `invalid_argument` where it is no such form.
  static func firstFile(in body: [UInt8], type: String) throws(MemoirError) -> ArraySlice<UInt8> {
    let boundary = try boundary(of: type)
    let opening = Array("--\(boundary)".utf8)
    let separator = Array("\r\n--\(boundary)".utf8)
    guard body.starts(with: opening) else { throw refused("does not begin with its boundary") }
    var rest = body[opening.count...]
    var first: ArraySlice<UInt8>?
    while !rest.starts(with: Self.dashes) {
      guard rest.starts(with: Self.lineEnd) else { throw refused("has something behind its boundary") }
      guard let head = rest.firstRange(of: Self.headEnd), let end = rest[head.upperBound...].firstRange(of: separator)
      else { throw refused("ends in the middle of a part") }
      let content = rest[head.upperBound..<end.lowerBound]
      if isFile(rest[rest.startIndex + 2..<head.lowerBound]) { return content }
      first = first ?? content
      rest = rest[end.upperBound...]
    }
    guard let first else { throw refused("has no part") }
    return first
  }

  private static let dashes = Array("--".utf8)
  private static let lineEnd = Array("\r\n".utf8)
  private static let headEnd = Array("\r\n\r\n".utf8)

  private static func isFile(_ head: ArraySlice<UInt8>) -> Bool {
    String(decoding: head, as: UTF8.self).lowercased().contains("filename")
  }

  private static func boundary(of type: String) throws(MemoirError) -> String {
    let parts = type.split(separator: ";")
    guard parts.first?.lowercased() == "multipart/form-data" else {
      throw MemoirError(
        .invalidArgument, "content-type: must be multipart/form-data",
        details: .members(("field", "content-type"), ("reason", "UNSUPPORTED_MEDIA_TYPE"), ("status", "415")))
    }
    for part in parts.dropFirst() {
      let pair = part.drop { $0 == " " }
      guard pair.lowercased().hasPrefix("boundary=") else { continue }
      var name = pair.dropFirst("boundary=".count)
      if name.hasPrefix("\""), name.hasSuffix("\""), name.count > 2 { name = name.dropFirst().dropLast() }
      // As RFC 2046 has it.
      guard (1...70).contains(name.utf8.count), name.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else { break }
      return String(name)
    }
    throw .invalid(field: "content-type", "names no boundary")
  }

  private static func refused(_ reason: String) -> MemoirError { .invalid(field: "body", "is no form: it \(reason)") }
}

extension ArraySlice<UInt8> {
  /// Where bytes are first.
  fileprivate func firstRange(of bytes: [UInt8]) -> Range<Int>? {
    var start = startIndex
    while start + bytes.count <= endIndex {
      guard let candidate = self[start...].firstIndex(of: bytes[0]), candidate + bytes.count <= endIndex else {
        return nil
      }
      if self[candidate..<candidate + bytes.count].elementsEqual(bytes) { return candidate..<candidate + bytes.count }
      start = candidate + 1
    }
    return nil
  }
}
