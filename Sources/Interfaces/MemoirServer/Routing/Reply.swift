// What a handler gives back.
import HTTPServer
import JSON
import Memoir

/// What a handler gives back.
struct Reply: Sendable {
  enum Body: Sendable {
    case json([UInt8])
    /// A head state, which may be kept for the next who asks.
    case state(PrintedState)
    case other(type: String, [UInt8])
    case live(type: String, LiveBody)
    case none
  }

  var status = 200
  var headers: [(name: String, value: String)] = []
  var body: Body
  /// How many things of a person it tells, for the access log.
  var itemCount = 0
  /// Whether the caller may ask for it only if it has changed.
  var hasTag = false

  /// An answer of JSON.
  static func json(
    status: Int = 200, items: Int = 0, _ body: (inout JSONWriter) throws -> Void
  ) rethrows -> Reply {
    var writer = JSONWriter()
    try body(&writer)
    return Reply(status: status, body: .json(writer.finish()), itemCount: items)
  }

  /// An answer of one JSON object.
  static func object(
    status: Int = 200, items: Int = 0, _ body: (inout JSONWriter) throws -> Void
  ) rethrows -> Reply {
    try json(status: status, items: items) { writer in
      writer.beginObject()
      try body(&writer)
      writer.endObject()
    }
  }
}
