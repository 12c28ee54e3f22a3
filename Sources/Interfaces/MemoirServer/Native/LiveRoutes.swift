// Events as they come: live, and by subscriptions that keep their place.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  static let liveRoutes: [Route] = [
    Route(
      .get, "/v1/events/live", "live_events", access: .scope(.read),
      summary: "Events as they are appended, as server-sent events; the id of each is its position.",
      parameters: [
        AnyParameter(Parameters.namespace), AnyParameter(Parameters.afterPosition), AnyParameter(Parameters.user),
        AnyParameter(Parameters.types),
      ],
      answers: [.other(type: "text/event-stream", "Until either side ends it.")],
      .later { call in
        let namespace = try call.namespace()
        var stream: StreamName?
        if let user = call[Parameters.user] {
          let name = StreamName(user, in: namespace)
          try call.allow(name)
          stream = name
        } else {
          try call.reachNamespace(namespace)
        }
        let head = try call.store.log.lastPosition()
        let start = try lastEventID(call) ?? call[Parameters.afterPosition] ?? head
        guard start <= head else {
          throw MemoirError.invalid(field: "after_position", "is \(start), beyond the head at \(head)")
        }
        let body = LiveBody()
        follow(
          stream, in: namespace, after: start, filter: EventFilter(types: Set(call.all(Parameters.types))), call,
          into: body)
        return Reply(body: .live(type: "text/event-stream", body))
      }),
    Route(
      .put, "/v1/subscriptions/{name}", "make_subscription", access: .scope(.read),
      summary: "Make a subscription, which keeps its place in the store; or get the one there is.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(Parameters.afterPosition)],
      answers: [.json(.named("Subscription"))],
      .later { call in
        let (name, _) = try call.subscription()
        let made = try call.store.log.makeSubscription(named: name, after: call[Parameters.afterPosition] ?? 0)
        return Reply.json { $0.write(made, as: call.path("name")) }
      }),
    Route(
      .get, "/v1/subscriptions/{name}", "subscription", access: .scope(.read),
      summary: "How far a subscription has come.", parameters: [AnyParameter(Parameters.namespace)],
      answers: [.json(.named("Subscription"))],
      .later { call in
        let found = try call.foundSubscription().subscription
        return Reply.json { $0.write(found, as: call.path("name")) }
      }),
    Route(
      .delete, "/v1/subscriptions/{name}", "delete_subscription", access: .scope(.read),
      summary: "Delete a subscription. Does nothing where there is none.",
      parameters: [AnyParameter(Parameters.namespace)], answers: [Answer(status: 204, summary: "It is gone.")],
      .later { call in
        try call.store.log.deleteSubscription(named: try call.subscription().name)
        return Reply(status: 204, body: .none)
      }),
    Route(
      .get, "/v1/subscriptions/{name}/events", "subscription_events", access: .scope(.read),
      summary: "The events after a subscription's place: the same again until they are acknowledged.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(Parameters.limit), AnyParameter(Parameters.types)],
      answers: [.json(.named("LogPage"))],
      .later { call in
        let (subscription, namespace) = try call.foundSubscription()
        let page = try call.store.log.readAll(
          after: subscription.checkpoint, limit: call[Parameters.limit] ?? 1_000,
          filter: EventFilter(types: Set(call.all(Parameters.types))), namespace: namespace)
        return try Reply.write(page)
      }),
    Route(
      .post, "/v1/subscriptions/{name}/ack", "acknowledge", access: .scope(.read),
      summary: "Say that everything up to a position has been dealt with.",
      parameters: [AnyParameter(Parameters.namespace)], body: .object([.required("position", .count)]),
      answers: [.json(.named("Subscription"))],
      .later { call in
        let (_, _) = try call.foundSubscription()
        let position = try call.withBody { node in
          try node.refuseOthers(than: ["position"])
          guard let number = node["position"]?.uint64 else {
            throw MemoirError.invalid(field: "position", "must be a whole number")
          }
          return LogPosition(number)
        }
        try call.store.log.acknowledge(position, of: try call.subscription().name)
        let found = try call.foundSubscription().subscription
        return Reply.json { $0.write(found, as: call.path("name")) }
      }),
  ]

  /// How long a connection may be silent.
  static let heartbeat = Duration.seconds(15)

  private static func lastEventID(_ call: Call) throws -> LogPosition? {
    guard let text = call.request.head.headers["last-event-id"], !text.isEmpty else { return nil }
    return LogPosition(try AsOfText.number(text, field: "Last-Event-ID"))
  }

  /// Writes events as they come, for as long as somebody reads them.
  private static func follow(
    _ user: StreamName?, in namespace: Namespace, after start: LogPosition, filter: EventFilter, _ call: Call,
    into body: LiveBody
  ) {
    let store = call.store
    // At once, so that the client knows that it is connected.
    _ = body.writeIfIdle(Array(":\n\n".utf8))
    let events = Task {
      defer { body.end() }
      if let user {
        let version = try store.log.version(of: user, at: .position(start)) ?? 0
        for try await event in store.changes(of: user, after: version)
        where filter.types.isEmpty || filter.types.contains(event.typeName) {
          guard await body.write(try EventJSON.serverSent(event)) else { return }
        }
      } else {
        for try await event in store.log.subscribe(after: start, filter: filter, namespace: namespace) {
          guard await body.write(try EventJSON.serverSent(event)) else { return }
        }
      }
    }
    Task {
      while !body.isOver {
        try? await Task.sleep(for: heartbeat)
        if !body.writeIfIdle(Array(":\n\n".utf8)) { break }
      }
      events.cancel()
    }
  }
}

extension EventJSON {
  /// An event as a server-sent one.
  static func serverSent(_ event: RecordedEvent) throws -> [UInt8] {
    var writer = JSONWriter()
    try write(event, to: &writer)
    return Array("id: \(event.position)\ndata: ".utf8) + writer.finish() + Array("\n\n".utf8)
  }
}

extension Call {
  /// The name under which the store keeps the path's subscription, and the namespace that it follows.
  ///
  /// Names of other namespaces than `default` have theirs before them, so that no key comes at another's.
  func subscription() throws(MemoirError) -> (name: String, namespace: Namespace) {
    let namespace = try namespace()
    try reachNamespace(namespace)
    let name = path("name")
    guard !name.contains(":") else { throw .invalid(field: "name", "must not have a colon") }
    return (namespace == .default ? name : "\(namespace):\(name)", namespace)
  }

  func foundSubscription() throws(MemoirError) -> (subscription: DurableSubscription, namespace: Namespace) {
    let (name, namespace) = try subscription()
    let found: DurableSubscription?
    do throws(ReadError) {
      found = try store.log.subscription(named: name)
    } catch {
      throw MemoirError(error)
    }
    guard let found else {
      throw MemoirError(
        .notFound, "there is no subscription \(path("name").debugDescription)",
        details: .members(("subscription", path("name"))))
    }
    return (found, namespace)
  }
}

extension JSONWriter {
  mutating func write(_ subscription: DurableSubscription, as name: String) {
    beginObject()
    key("checkpoint")
    integer(subscription.checkpoint.number)
    member("created_at", subscription.createdAt.description)
    member("name", name)
    member("updated_at", subscription.updatedAt.description)
    endObject()
  }
}
