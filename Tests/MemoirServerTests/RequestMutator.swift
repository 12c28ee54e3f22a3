// Valid requests, changed at random, and the sending of such on a connection of its own.
import Glibc
import Platform
import TestSupport

/// Changes valid requests at random.
struct RequestMutator {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// Requests that are answered well.
  static let requests: [[UInt8]] = [
    request("GET", "/healthz"), request("GET", "/readyz"), request("GET", "/"), request("GET", "/metrics"),
    request("POST", "/v1/users/bob/events", body: message),
    request("POST", "/v1/users/bob/events?namespace=default", body: many),
    request("POST", "/v1/users/an%20id/events", body: fact, headers: ["Accept-Encoding: gzip;q=0.5"]),
    request("GET", "/v1/users/bob/state"), request("GET", "/v1/users/bob/state?at_version=1"),
    request("GET", "/v1/users/bob/state?recorded_at=2026-01-01T00:00:00Z"),
    request("GET", "/v1/users/bob/state?occurred_at=2026-01-01T00:00:00%2B02:00", headers: ["X-Request-Id: a-1"]),
    request("HEAD", "/v1/users/bob/state"), request("GET", "/v1/users/bob/state?include=messages"),
    request("GET", "/v1/users/bob/events?from_version=1&to_version=9&direction=backward&limit=3&type=MessageAdded"),
    request("GET", "/v1/events?after_position=0&limit=10"), request("GET", "/v1/users"),
    request("GET", "/v1/users/bob/diff?from=start&to=now"),
    request("GET", "/v1/users/bob/recall?query=where%20do%20I%20live&top_k=3&kind=fact&kind=message"),
    request("GET", "/v1/users/bob/context?query=home&budget=200"),
    request("POST", "/v1/events", body: several), request("PUT", "/v1/subscriptions/feed?after_position=0"),
    request("GET", "/v1/subscriptions/feed/events?limit=5"),
    request("POST", "/v1/subscriptions/feed/ack", body: #"{"position":1}"#),
    request("GET", "/v1/events/live?after_position=0", headers: ["Last-Event-ID: 1"]), request("GET", "/openapi.json"),
  ]

  private static let message =
    #"{"events":[{"type":"MessageAdded","session":"s","data":{"role":"user","content":"I moved to Lisbon."}}]}"#
  private static let fact = """
    {"expected_version":"any","events":[{"type":"FactLearned","data":\
    {"fact":"Lives in Lisbon","category":"home","confidence":0.9,"tags":["a","b"]},"metadata":{"agent":"web"}}]}
    """
  private static let several =
    #"{"appends":[{"user":"eve","expected_version":"any","events":[{"type":"SessionStarted","session":"t","data":{}}]}]}"#
  private static let many = """
    {"events":[{"type":"PreferenceUpdated","data":{"key":"theme","value":{"a":[1,2.5e3,null,true,"\\u00e9"]}}},\
    {"type":"app.Custom","occurred_at":"2026-01-01T00:00:00.123456Z","data":{"$bytes":"AAEC"}}]}
    """

  private static func request(
    _ method: String, _ target: String, body: String? = nil, headers: [String] = []
  ) -> [UInt8] {
    var lines = ["\(method) \(target) HTTP/1.1", "Host: localhost", "Connection: close"] + headers
    if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")).utf8)
  }

  private static let words = [
    "\r\n", "\n", "\r", "\0", " ", ":", "%", "%00", "%ff", "../", "//", "?", "&", "=", "\"", "\\", "{", "}", "[", "]",
    "\\ud800", "\\u0000", "-1", "0", "18446744073709551616", "1e400", "9999999999", "null", "NaN", "é", "\u{202e}",
    "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Host: other\r\n",
    "Upgrade: h2c\r\n", "Range: bytes=0-\r\n", "Authorization: Bearer x\r\n", "If-None-Match: *\r\n",
    "GET / HTTP/1.1\r\n\r\n", "HTTP/1.0", "HTTP/9.9", "UserErased", "SessionEnded", "expected_version", "$bytes",
    "2026-02-30T25:61:61Z", "0001-01-01T00:00:00Z", "99999-01-01T00:00:00Z",
  ].map { Array($0.utf8) }

  /// The next one.
  mutating func next() -> [UInt8] {
    var request = Self.requests.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...4, using: &random) { change(&request) }
    return request
  }

  private mutating func change(_ request: inout [UInt8]) {
    guard !request.isEmpty else { return request += Self.words.randomElement(using: &random) ?? [] }
    let place = Int.random(in: 0..<request.count, using: &random)
    let end = min(request.count, place + Int.random(in: 1...16, using: &random))
    switch Int.random(in: 0..<8, using: &random) {
    case 0: request[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
    case 1: request[place] = UInt8.random(in: 0...255, using: &random)
    case 2: request.removeSubrange(place..<end)
    case 3: request.insert(contentsOf: request[place..<end], at: place)
    case 4: request.insert(contentsOf: Self.words.randomElement(using: &random) ?? [], at: place)
    case 5: request.replaceSubrange(place..<end, with: Self.words.randomElement(using: &random) ?? [])
    case 6: request.removeSubrange(place...)
    default:
      // The end of one behind the beginning of another.
      let other = Self.requests.randomElement(using: &random) ?? []
      request.replaceSubrange(place..., with: other.suffix(other.count / 2))
    }
  }
}

/// One request on a connection of its own, half closed behind it, and the status of the first answer.
struct RawExchange {
  private let socket: Int32

  init(port: UInt16) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let socket = socket
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 ? 0 : errno
      }
    }
    guard code == 0 else {
      close(socket)
      throw PlatformError(call: "connect", code: code)
    }
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// - Returns: `nil` where the server hung up without a word.
  /// - Throws: Where it neither answers nor hangs up.
  func status(of request: [UInt8]) throws -> Int? {
    defer {
      // Without waiting: a port is free again at once, of which there are only so many.
      var now = linger(l_onoff: 1, l_linger: 0)
      unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
      close(socket)
    }
    _ = unsafe request.withUnsafeBytes {
      unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    // What is no whole request gets no answer, and its end is told apart from it: libmicrohttpd would overlook an end that
    // comes with the last bytes, and wait until their time is over.
    var event = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    if unsafe poll(&event, 1, 5) == 0 { shutdown(socket, Int32(SHUT_WR)) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4_096)
    while bytes.count < 12 {
      let count = unsafe piece.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
      if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { throw PlatformError(call: "recv", code: errno) }
      guard count > 0 else { break }
      bytes += piece.prefix(count)
    }
    // HTTP/1.1 200
    return bytes.count < 12 ? nil : Int(String(decoding: bytes[9..<12], as: UTF8.self))
  }
}
