// Whether an answer is compressed: where the client takes gzip, and there is enough to be worth it.
import HTTPServer

/// How answers are compressed.
enum ContentCoding {
  /// Shorter answers fit into one packet anyway.
  static let smallestBody = 1 << 10

  /// Whether a list of codings takes gzip (RFC 9110, 12.5.3): where it is named, or `*` is, with a weight above 0, and
  /// not less than what it gives to the answer as it is.
  static func acceptsGzip(_ fields: [String]) -> Bool {
    var gzip: Double?, any: Double?, identity: Double?
    for element in fields.joined(separator: ",").split(separator: ",") {
      let parts = element.split(separator: ";", omittingEmptySubsequences: false).map { trimmed($0).lowercased() }
      guard let name = parts.first, let weight = weight(of: parts.dropFirst()) else { continue }
      switch name {
      case "gzip", "x-gzip": gzip = weight
      case "*": any = weight
      case "identity": identity = weight
      default: break
      }
    }
    let weight = gzip ?? any ?? 0
    return weight > 0 && weight >= identity ?? 0
  }

  /// 1 where none is given; `nil` for what is none.
  private static func weight(of parameters: ArraySlice<String>) -> Double? {
    for parameter in parameters where parameter.hasPrefix("q=") {
      guard let weight = Double(parameter.dropFirst(2)), (0...1).contains(weight) else { return nil }
      return weight
    }
    return 1
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let start = text.drop { $0 == " " || $0 == "\t" }
    guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
    return start[...last]
  }

  /// Compresses an answer by `compress` where that is wanted, and says that it depends on what was asked for.
  static func apply(to response: inout HTTPResponse, acceptsGzip: Bool, _ compress: ([UInt8]) -> [UInt8]?) {
    guard case .bytes(let bytes) = response.body, bytes.count >= smallestBody else { return }
    response.headers.append((name: "Vary", value: "Accept-Encoding"))
    guard acceptsGzip, let compressed = compress(bytes), compressed.count < bytes.count else { return }
    response.body = .bytes(compressed)
    response.headers.append((name: "Content-Encoding", value: "gzip"))
    // Other bytes for the same thing: that is what a weak tag says.
    for index in response.headers.indices where response.headers[index].name == "ETag" {
      let tag = response.headers[index].value
      if !tag.hasPrefix("W/") { response.headers[index].value = "W/" + tag }
    }
  }
}
