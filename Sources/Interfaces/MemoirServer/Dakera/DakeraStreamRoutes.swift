// The live events of the Dakera wire.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  static let dakeraStreamRoutes: [Route] = [
    Route(
      .get, "/v1/events/stream", "dakera_stream_events", access: .scope(.read), wire: .dakera,
      summary: "What happens to memories and sessions from now on, as server-sent events.",
      parameters: [AnyParameter(DakeraParameters.agent)],
      answers: [.other(type: "text/event-stream", "For as long as somebody reads.")],
      .quick { call in
        let one = try call[DakeraParameters.agent].map { try call.stream($0) }
        if let one { try call.allow(one) } else { try call.requireScopeAmongOthers() }
        let stream = DakeraStream(call, of: one, in: try call.namespace(), after: try call.store.log.lastPosition())
        Task { await stream.run() }
        return Reply(body: .live(type: "text/event-stream; charset=utf-8", stream.body))
      })
  ]
}

/// Tells one client what happens.
private struct DakeraStream: Sendable {
  let body = LiveBody()
  private let call: Call
  private let user: StreamName?
  private let namespace: Namespace
  private let start: LogPosition

  /// A sign of life where nothing happens.
  private static let silence: Duration = .seconds(15)

  init(_ call: Call, of user: StreamName?, in namespace: Namespace, after position: LogPosition) {
    self.call = call
    self.user = user
    self.namespace = namespace
    start = position
  }

  func run() async {
    // Whatever goes wrong, the client comes again and is told of it then.
    try? await tell()
    body.end()
  }

  private func tell() async throws {
    var position = start
    let log = call.store.log
    var goesOn = await body.write(
      Self.event { writer in
        writer.member("type", "connected")
        writer.key("timestamp")
        writer.integer(call.store.clock().microseconds / 1_000)
      })
    var spoke = ContinuousClock.now
    while goesOn, !body.isOver {
      let page = try log.readAll(
        after: position, limit: 256, filter: EventFilter(types: DakeraNews.eventTypes), namespace: namespace)
      let reached = page.next ?? max(page.head, position)
      for event in page.events where goesOn {
        guard user == nil || user == event.stream, let news = DakeraNews(event), try call.reaches(event.stream) else {
          continue
        }
        var writer = JSONWriter()
        news.writeLive(to: &writer)
        goesOn = await body.write(Self.line(writer.finish()))
        spoke = .now
      }
      if reached > position {
        position = reached
        continue
      }
      if spoke + Self.silence <= .now {
        goesOn = await body.write(Array(":\n\n".utf8))
        spoke = .now
      }
      await log.waitForEvents(after: position, until: spoke + Self.silence)
    }
  }

  private static func event(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    members(&writer)
    writer.endObject()
    return line(writer.finish())
  }

  private static func line(_ json: [UInt8]) -> [UInt8] { Array("data: ".utf8) + json + Array("\n\n".utf8) }
}
