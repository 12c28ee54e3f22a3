// The head of a request as libmicrohttpd has it, and what it lets through that could be read in two ways.
internal import CMemoirHTTPD

/// The first line of a request.
@unsafe
struct RequestLine {
  let path: UnsafePointer<CChar>
  let method: UnsafePointer<CChar>
  let version: UnsafePointer<CChar>
}

extension RequestHead {
  /// Reads a head.
  ///
  /// - Parameter isTargetReadable: Whether the first line had as many parts as it should.
  /// - Returns: The fault that it has, where it has one; what could be read is there all the same.
  static func read(
    from connection: OpaquePointer, _ line: RequestLine, isTargetReadable: Bool, peer: String
  ) -> (head: RequestHead, fault: HTTPFault?) {
    let lines = Lines(isHead: true)
    let query = Lines(isHead: false)
    unsafe lines.fill(from: connection, .HEADER_KIND)
    unsafe query.fill(from: connection, .GET_ARGUMENT_KIND)
    var headers = HTTPHeaders()
    for line in lines.all { headers.add(line.name, line.value ?? "") }
    let path = unsafe String(validatingCString: line.path)
    let head = unsafe RequestHead(
      method: String(cString: line.method), path: path ?? "", query: query.all, headers: headers, peer: peer)
    var reason = lines.fault ?? query.fault.map { _ in "the query is no UTF-8" } ?? headers.fault
    if path == nil { reason = "the path is no UTF-8" }
    if !isTargetReadable { reason = "there is a space or a control character in its path or query" }
    // Only the first version of HTTP did without.
    if reason == nil, headers["host"] == nil, unsafe String(cString: line.version) != "HTTP/1.0" {
      reason = "there is no header host"
    }
    return (head, reason.map { .malformed(reason: $0) })
  }
}

/// Names and values, read one after the other.
private final class Lines {
  let isHead: Bool
  var all: [(name: String, value: String?)] = []
  var fault: String?

  init(isHead: Bool) { self.isHead = isHead }

  func fill(from connection: OpaquePointer, _ kind: MHD_ValueKind) {
    let owner = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe MHD_get_connection_values_n(
      connection, kind,
      { owner, _, name, nameCount, value, valueCount in
        guard let owner = unsafe owner else { return .NO }
        let lines = unsafe Unmanaged<Lines>.fromOpaque(owner).takeUnretainedValue()
        // A line that goes on in the next one: libmicrohttpd adds that one to the *name*, which it moves behind the rest
        // for it, so that Content-Length would be unheard of.
        if lines.isHead, let name = unsafe name, let value = unsafe value, unsafe name + nameCount >= value {
          lines.fault = lines.fault ?? "a header goes on in the next line"
        }
        unsafe lines.add(
          UnsafeRawBufferPointer(start: name, count: name == nil ? 0 : nameCount),
          unsafe value == nil ? nil : UnsafeRawBufferPointer(start: value, count: valueCount))
        return .YES
      }, owner)
  }

  private func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
    let text = unsafe String(validating: name, as: UTF8.self)
    let valueText = unsafe value.map { unsafe String(validating: $0, as: UTF8.self) }
    guard let text, valueText != .some(nil) else {
      fault = fault ?? "a header is no UTF-8"
      return
    }
    all.append((text, valueText ?? nil))
  }
}

extension HTTPHeaders {
  /// What a server and a proxy before it could read differently, or no client of good will sends.
  var fault: String? {
    for (name, value) in fields {
      guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenCharacter) else {
        return "the header name \(name.debugDescription) has a character that no name has"
      }
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
        return "the header \(name) has a control character"
      }
    }
    for name in ["content-length", "transfer-encoding", "host", "authorization", "content-type"]
    where values(of: name).count > 1 {
      return "there is more than one header \(name)"
    }
    if let length = self["content-length"] {
      guard !length.isEmpty, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), UInt64(length) != nil else {
        return "content-length is no number of bytes"
      }
      if self["transfer-encoding"] != nil { return "there are both content-length and transfer-encoding" }
    }
    if let encoding = self["transfer-encoding"], encoding.lowercased() != "chunked" {
      return "transfer-encoding is not chunked"
    }
    return nil
  }
}

extension UInt8 {
  /// RFC 9110, 5.6.2.
  fileprivate var isTokenCharacter: Bool {
    switch self {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(self)
    }
  }
}
