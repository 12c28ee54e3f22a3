// Where a server listens.
internal import Glibc
internal import Platform

/// An address and a port, e.g. `127.0.0.1:3300` or `[::1]:3300`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// Why a text is none.
  public struct Invalid: Error, Hashable, Sendable {
    /// Ends a sentence that begins with the text.
    public let reason: String
  }

  /// Digits, dots and colons; `localhost` has become `127.0.0.1`.
  public let host: String
  /// 0 for any that is free.
  public let port: UInt16
  private let isVersion6: Bool

  /// Reads `HOST:PORT`, where the host is `localhost`, an IPv4 address, or an IPv6 address in brackets.
  public init(_ text: String) throws(Invalid) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw Invalid(reason: "is not HOST:PORT, e.g. 127.0.0.1:3300")
    }
    var host = String(text[..<colon])
    if host == "localhost" { host = "127.0.0.1" }
    let isVersion6 = host.hasPrefix("[") && host.hasSuffix("]")
    if isVersion6 { host = String(host.dropFirst().dropLast()) }
    var address = in6_addr()
    guard unsafe inet_pton(isVersion6 ? AF_INET6 : AF_INET, host, &address) == 1 else {
      throw Invalid(reason: "does not begin with an address: localhost, digits and dots, or IPv6 in brackets")
    }
    self.host = host
    self.port = port
    self.isVersion6 = isVersion6
  }

  /// This machine alone, at a port.
  public static func loopback(port: UInt16) -> ListenAddress { ListenAddress("127.0.0.1", isVersion6: false, port) }

  private init(_ host: String, isVersion6: Bool, _ port: UInt16) {
    self.host = host
    self.isVersion6 = isVersion6
    self.port = port
  }

  /// Whether nobody but this machine reaches it.
  public var isLoopback: Bool { isVersion6 ? host == "::1" : host.hasPrefix("127.") }

  /// `HOST:PORT`.
  public var description: String { isVersion6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Opens a socket that listens here.
  ///
  /// - Returns: Its number, and the address with the port it got.
  func listen() throws(PlatformError) -> (socket: Int32, address: ListenAddress) {
    let family = isVersion6 ? AF_INET6 : AF_INET
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = Glibc.socket(family, kind, 0)
    guard socket >= 0 else { throw PlatformError(call: "socket", code: errno) }
    var yes: Int32 = 1
    // A server that is started again at once finds its port free, whatever connections the last one left.
    unsafe setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let failure: String?
    var bound = port
    if isVersion6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      unsafe inet_pton(AF_INET6, host, &address.sin6_addr)
      failure = Self.bind(socket, &address)
      bound = UInt16(bigEndian: address.sin6_port)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      unsafe inet_pton(AF_INET, host, &address.sin_addr)
      failure = Self.bind(socket, &address)
      bound = UInt16(bigEndian: address.sin_port)
    }
    if let failure {
      let code = errno
      close(socket)
      throw PlatformError(call: failure, code: code, path: description)
    }
    return (socket, ListenAddress(host, isVersion6: isVersion6, bound))
  }

  /// - Returns: The call that failed. Afterwards `address` has the port.
  private static func bind<Address>(_ socket: Int32, _ address: inout Address) -> String? {
    var size = socklen_t(MemoryLayout<Address>.size)
    return unsafe withUnsafeMutableBytes(of: &address) { bytes in
      guard let pointer = unsafe bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return "bind" }
      if unsafe Glibc.bind(socket, pointer, size) != 0 { return "bind" }
      if Glibc.listen(socket, 1_024) != 0 { return "listen" }
      return unsafe getsockname(socket, pointer, &size) == 0 ? nil : "getsockname"
    }
  }
}
