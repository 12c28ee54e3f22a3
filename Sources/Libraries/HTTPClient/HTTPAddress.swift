// Where a request goes: checked once, so that what reaches libcurl cannot mean something else to it.

/// An `http` or `https` address without user, password, query or fragment: none of these belongs into a log.
public struct HTTPAddress: Hashable, Sendable, CustomStringConvertible {
  /// The address.
  public let description: String
  /// The name or number of the host, in lower case; one of IPv6 without brackets.
  public let host: String
  /// Whether what is sent can be read on the way.
  public let isEncrypted: Bool

  /// Checks an address.
  ///
  /// - Throws: ``HTTPClientError/invalid(reason:)``, whose text does not repeat the address.
  public init(_ text: String) throws(HTTPClientError) {
    let lower = text.lowercased()
    guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix) else {
      throw .invalid(reason: "an address begins with http:// or https://")
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else {
      throw .invalid(reason: "an address has only printable ASCII characters")
    }
    let rest = lower.dropFirst(scheme.count)
    guard !rest.contains("?"), !rest.contains("#") else {
      throw .invalid(reason: "the address must not have a query or fragment")
    }
    let authority = rest.prefix { $0 != "/" }
    guard !authority.contains("@") else {
      throw .invalid(reason: "the address must not have a user or password")
    }
    let host: Substring
    let port: Substring
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      host = authority[authority.index(after: authority.startIndex)..<end]
      port = authority[authority.index(after: end)...]
    } else {
      host = authority.prefix { $0 != ":" }
      port = authority.dropFirst(host.count)
    }
    guard !host.isEmpty else { throw .invalid(reason: "the address names no host") }
    guard port.isEmpty || port.first == ":" && 1...65_535 ~= Int(port.dropFirst()) ?? 0 else {
      throw .invalid(reason: "the port must be a number from 1 to 65535")
    }
    description = text
    self.host = String(host)
    isEncrypted = scheme == "https://"
  }

  /// Whether it is this machine.
  public var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// The address of what lies below it.
  ///
  /// - Precondition: `path` is of letters, digits and slashes.
  public func appending(_ path: StaticString) -> HTTPAddress {
    var base = Substring(description)
    while base.hasSuffix("/") { base.removeLast() }
    return HTTPAddress(description: "\(base)/\(path)", host: host, isEncrypted: isEncrypted)
  }

  private init(description: String, host: String, isEncrypted: Bool) {
    self.description = description
    self.host = host
    self.isEncrypted = isEncrypted
  }
}
