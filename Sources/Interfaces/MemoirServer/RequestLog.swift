// What was asked and how it went: a line of JSON each, without content or secrets.
import HTTPServer
import JSON
import Memoir
import Platform
import Synchronization

/// A request, as the log speaks of it.
struct RequestNote: Sendable {
  let began = MonotonicClock.nanoseconds
  let id: String
  let method: String
  let peer: String
  let requestBytes: Int
  /// The route's, once it is known.
  var operation: String?
  var caller: String?
  let acceptsGzip: Bool
  /// Where its caller stands, where callers are held to a rate.
  var allowance: RateLimit.Allowance?

  init(_ head: RequestHead) {
    // The caller's own, where it is fit to be printed: so its logs and ours tell of one thing by one name.
    if let given = head.headers["x-request-id"], (1...128).contains(given.utf8.count),
      given.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
    {
      id = given
    } else {
      id = EventID.generate(at: Timestamp(clamping: WallClock.microseconds)).description
    }
    acceptsGzip = ContentCoding.acceptsGzip(head.headers.values(of: "accept-encoding"))
    method = head.method
    peer = head.peer
    requestBytes = head.headers["content-length"].flatMap { Int($0) } ?? 0
  }
}

/// Writes lines of JSON.
final class RequestLog: Sendable {
  private let write: @Sendable ([UInt8]) -> Void

  /// A log whose lines `write` takes.
  init(_ write: @escaping @Sendable ([UInt8]) -> Void) { self.write = write }

  func note(_ note: RequestNote, _ response: HTTPResponse) {
    line("request") { writer in
      if let caller = note.caller { writer.member("caller", caller) }
      writer.key("duration_us")
      writer.integer((MonotonicClock.nanoseconds - note.began) / 1_000)
      writer.member("method", note.method)
      if let operation = note.operation { writer.member("operation", operation) }
      writer.member("peer", note.peer)
      writer.member("request_id", note.id)
      if case .bytes(let bytes) = response.body { writer.member("response_bytes", bytes.count) }
      writer.member("status", response.status)
    }
  }

  /// A line about something that happened.
  func line(_ event: String, level: String = "info", _ members: (inout JSONWriter) -> Void) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("time", Timestamp(clamping: WallClock.microseconds).description)
    writer.member("level", level)
    writer.member("event", event)
    members(&writer)
    writer.endObject()
    writer.endLine()
    write(writer.finish())
  }
}
