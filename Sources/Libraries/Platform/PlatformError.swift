// The one way to call the system: errno read at once, interrupted calls repeated, the call's name kept.
internal import Glibc

/// A call of the system that failed.
public struct PlatformError: Error, Hashable, Sendable {
  /// The name of the call, e.g. `open`.
  public let call: String
  /// What it left in `errno`.
  public let code: Int32
  /// What it was about, where it was about a path.
  public let path: String?

  /// An error as the system reported it.
  public init(call: String, code: Int32, path: String? = nil) {
    self.call = call
    self.code = code
    self.path = path
  }

  /// A line longer than the reader allows.
  static let lineTooLong = PlatformError(call: "read", code: EMSGSIZE)

  /// A line is longer than the reader allows.
  public var isTooLong: Bool { code == EMSGSIZE }
  /// Nothing is there by this name.
  public var isNotFound: Bool { code == ENOENT || code == ENOTDIR }
  /// No room on the disk, or none left for this user.
  public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
  /// Who read the other end went away.
  public var isBrokenPipe: Bool { code == EPIPE }
  /// The file system does not allow it.
  public var isAccessDenied: Bool { code == EACCES || code == EPERM || code == EROFS }
}

extension PlatformError: CustomStringConvertible {
  /// Why it failed, in the system's words.
  public var reason: String {
    // SAFETY: strerror is thread-safe in glibc since 2.32; copied at once.
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
  }

  /// What failed and why, e.g. `open: No such file or directory (/tmp/x)`.
  public var description: String {
    let place = path.map { " (\($0))" } ?? ""
    return "\(call): \(reason)\(place)"
  }
}

/// Makes a call that answers -1 where it fails, again where a signal interrupted it.
@inline(__always)
@discardableResult
func system<Value: SignedInteger>(
  _ call: String, path: String? = nil, _ body: () -> Value
) throws(PlatformError) -> Value {
  while true {
    let value = body()
    if value != -1 { return value }
    let code = errno
    if code != EINTR { throw PlatformError(call: call, code: code, path: path) }
  }
}

/// Makes a call of the pthread kind, which returns its error.
func check(_ call: String, _ code: Int32) throws(PlatformError) {
  if code != 0 { throw PlatformError(call: call, code: code) }
}
