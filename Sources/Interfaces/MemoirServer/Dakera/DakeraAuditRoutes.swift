// The audit list of the Dakera wire: what happened to memories and sessions, without what they say.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  private static let eventType = Parameter<String>.text("event_type", "Only events of this type.", maxLength: 100)
  private static let from = Parameter<Int>.integer(
    "from", "Not before: Unix milliseconds.", in: 0...253_402_300_799_999)
  private static let to = Parameter<Int>.integer("to", "Not after: Unix milliseconds.", in: 0...253_402_300_799_999)
  private static let cursor = Parameter<Int>.integer("cursor", "Where the page before ended.", in: 1...(.max))
  private static let format = Parameter<String>("format", "`json` or `csv`.", .words(["json", "csv"])) { text, field in
    guard ["json", "csv"].contains(text) else { throw MemoirError.invalid(field: field, "must be json or csv") }
    return text
  }
  private static let parameters = [
    AnyParameter(DakeraParameters.agent), AnyParameter(eventType), AnyParameter(from), AnyParameter(to),
    AnyParameter(DakeraParameters.limit),
  ]
  private static let event = Schema.object([
    .required("id", .string()), .required("event_type", .string()), .required("agent_id", .string()),
    .required("timestamp", .described(.integer(), "Unix milliseconds.")), .optional("memory_id", .string()),
    .optional("session_id", .string()), .optional("importance", DakeraSchemas.importance),
    .optional("reason", .string()),
  ])
  private static let list = Schema.object([
    .required("events", .array(event)), .required("count", .count), .optional("cursor", .nullable(.string())),
  ])

  static let dakeraAuditRoutes: [Route] = [
    Route(
      .get, "/v1/audit", "dakera_list_audit_events", access: .scope(.read), wire: .dakera,
      summary: "What happened to memories and sessions, the newest first.",
      parameters: parameters + [AnyParameter(cursor)], answers: [.json(list)],
      .later { call in
        let page = try call.audit(limit: min(call[DakeraParameters.limit] ?? 100, 1_000), before: call[cursor])
        return Reply.object(items: page.news.count) { writer in
          writer.events(page.news)
          writer.key("cursor")
          if let cursor = page.cursor { writer.string(cursor) } else { writer.null() }
        }
      }),
    Route(
      .get, "/v1/audit/export", "dakera_export_audit", access: .scope(.read), wire: .dakera,
      summary: "The same at once, as JSON or CSV.", parameters: parameters + [AnyParameter(format)],
      answers: [.json(list), .other(type: "text/csv; charset=utf-8")],
      .later { call in
        let limit = min(call[DakeraParameters.limit] ?? 10_000, 100_000)
        var news: [DakeraNews] = []
        var cursor: Int?
        repeat {
          let page = try call.audit(limit: limit - news.count, before: cursor)
          news += page.news
          cursor = page.cursor.flatMap { Int($0) }
        } while cursor != nil && news.count < limit
        guard call[format] == "csv" else { return Reply.object(items: news.count) { $0.events(news) } }
        let rows = news.map { item in
          [
            item.id, item.type, item.user.description, "\(item.milliseconds)", item.memory ?? "",
            item.session?.description ?? "", item.importance?.description ?? "", item.reason ?? "",
          ]
        }
        let header = [
          "id", "event_type", "agent_id", "timestamp", "memory_id", "session_id", "importance", "reason",
        ]
        return Reply(body: .other(type: "text/csv; charset=utf-8", CSV.write([header] + rows)), itemCount: news.count)
      }),
  ]

  /// Reads the audit's filters.
  fileprivate static func wanted(_ call: Call) -> (type: String?, from: Int64, to: Int64) {
    (call[eventType], Int64(call[from] ?? 0), Int64(call[to] ?? .max))
  }
}

extension Call {
  /// Events looked at for one page at most.
  private static let patience = 100_000

  /// A page of news, the newest first.
  ///
  /// - Parameter cursor: Only what stands before it: a version where one agent is asked about, else a position.
  fileprivate func audit(limit: Int, before cursor: Int?) throws -> (news: [DakeraNews], cursor: String?) {
    let wanted = MemoirServer.wanted(self)
    var one: StreamName?
    if let agent = self[DakeraParameters.agent] {
      let stream = try stream(agent)
      guard try reaches(stream) else { return ([], nil) }
      one = stream
    } else {
      try requireScopeAmongOthers()
    }
    let namespace = try namespace()
    var reached: [StreamName: Bool] = [:]
    var found: [DakeraNews] = []
    var place = cursor.map { UInt64($0) }
    var looked = 0
    while true {
      let (events, next) = try audited(one, in: namespace, before: place)
      for event in events {
        looked += 1
        guard let news = DakeraNews(event) else { continue }
        if news.milliseconds < wanted.from { return (found, nil) }
        guard news.milliseconds <= wanted.to, wanted.type == nil || wanted.type == news.type else { continue }
        if one == nil {
          let isReached = try reached[event.stream] ?? reaches(event.stream)
          reached[event.stream] = isReached
          guard isReached else { continue }
        }
        found.append(news)
        if found.count == limit {
          return (found, "\(one == nil ? event.position.number : event.version.number)")
        }
      }
      guard let next else { return (found, nil) }
      place = next
      if looked >= Self.patience { return (found, "\(next)") }
    }
  }

  /// Events backward, of one user or of all, and before which version or position to go on.
  private func audited(
    _ user: StreamName?, in namespace: Namespace, before place: UInt64?
  ) throws -> (events: [RecordedEvent], next: UInt64?) {
    let filter = EventFilter(types: DakeraNews.eventTypes)
    guard let user else {
      let page = try store.log.readAll(
        after: place.map { LogPosition($0) }, direction: .backward, filter: filter, namespace: namespace)
      return (page.events, page.next?.number)
    }
    if let place, place <= 1 { return ([], nil) }
    let page = try store.log.readStream(
      user, from: place.map { StreamVersion($0 - 1) }, direction: .backward, filter: filter)
    return (page.events, page.next.map { $0.number + 1 })
  }
}

extension JSONWriter {
  /// Prints `events` and `count`.
  fileprivate mutating func events(_ news: [DakeraNews]) {
    key(text: "events")
    beginArray()
    for item in news { item.writeAudit(to: &self) }
    endArray()
    member("count", news.count)
  }
}
