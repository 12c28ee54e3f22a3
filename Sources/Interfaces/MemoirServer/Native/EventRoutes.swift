// Events: appended, and read.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  static let eventRoutes: [Route] = [
    Route(
      .post, "/v1/users/{user}/events", "append_events", access: .scope(.append),
      summary: "Append events of one user, all or none.", parameters: [AnyParameter(Parameters.namespace)],
      body: .object([
        .optional("expected_version", .named("ExpectedVersion")),
        .required("events", .array(.named("IncomingEvent"), max: Limits.eventsPerRequest)),
        .optional("namespace", .string(minLength: 1, maxLength: 100)),
      ]),
      answers: [
        .json(.named("AppendResult"), status: 201, "Stored, and on disk."),
        .json(.named("AppendResult"), "Was stored before: the first result again."),
      ],
      .soon { call in
        let append = try call.withBody { node in
          try node.refuseOthers(than: ["events", "expected_version", "namespace"])
          return try call.append(node, to: call.user(inBody: node.namespace()), at: "")
        }
        let result = try await call.store.append(append.events, to: append.stream, expecting: append.expected)
        return Reply.json(status: result.isDuplicate ? 200 : 201) { $0.write(result) }
      }),
    Route(
      .post, "/v1/events", "append_all", access: .scope(.append),
      summary: "Append events of several users in order, all or none.",
      parameters: [AnyParameter(Parameters.namespace)],
      body: .object([
        .required(
          "appends",
          .array(
            .object([
              .optional("expected_version", .named("ExpectedVersion")),
              .required("events", .array(.named("IncomingEvent"), max: Limits.eventsPerRequest)),
              .required("user", .string(minLength: 1, maxLength: 250)),
            ]), max: Limits.eventsPerRequest)),
        .optional("namespace", .string(minLength: 1, maxLength: 100)),
      ]),
      answers: [
        .json(.object([.required("results", .array(.named("AppendResult")))]), status: 201, "Stored, and on disk."),
        .json(.object([.required("results", .array(.named("AppendResult")))]), "Was stored before."),
      ],
      refuses: [.notFound],
      .later { call in
        let appends = try call.withBody { try call.appends($0) }
        let results = try await call.store.log.append(appends)
        return Reply.object(status: results.allSatisfy(\.isDuplicate) ? 200 : 201) { writer in
          writer.key("results")
          writer.beginArray()
          for result in results { writer.write(result) }
          writer.endArray()
        }
      }),
    Route(
      .get, "/v1/users/{user}/events", "read_events", access: .scope(.read),
      summary: "A page of a user's events.",
      parameters: [
        AnyParameter(Parameters.namespace), AnyParameter(fromVersion), AnyParameter(toVersion), AnyParameter(direction),
        AnyParameter(Parameters.limit), AnyParameter(Parameters.types), AnyParameter(Parameters.session),
      ],
      answers: [.json(.named("StreamPage"))],
      .later { call in
        guard let user = try call.reachedUser() else { return try Reply.write([], next: nil) }
        let page = try call.store.log.readStream(
          user, from: call[fromVersion], to: call[toVersion], direction: call[direction] ?? .forward,
          limit: call[Parameters.limit] ?? 1_000,
          filter: EventFilter(types: Set(call.all(Parameters.types)), session: call[Parameters.session]))
        return try Reply.write(page.events, next: page.next)
      }),
    Route(
      .get, "/v1/users/{user}/events/{id}", "read_event", access: .scope(.read), summary: "One event of a user.",
      parameters: [AnyParameter(Parameters.namespace)], answers: [.json(.named("Event"))],
      .later { call in
        let user = try call.user()
        let id = try EventID(call.path("id"))
        guard try call.store.log.version(of: user) > 0 else { throw MemoirError.noUser(user) }
        guard let event = try call.store.log.event(id, of: user) else {
          throw MemoirError(
            .notFound, "there is no event \(id) of \(user.user)", details: .members(("id", id.description)))
        }
        return try Reply.json(items: 1) { try EventJSON.write(event, to: &$0) }
      }),
    Route(
      .get, "/v1/events", "read_log", access: .scope(.read),
      summary: "A page of a namespace's events, in the order of the log.",
      parameters: [
        AnyParameter(Parameters.namespace), AnyParameter(Parameters.afterPosition), AnyParameter(toPosition),
        AnyParameter(Parameters.limit), AnyParameter(Parameters.types),
      ],
      answers: [.json(.named("LogPage"))],
      .later { call in
        let namespace = try call.namespace()
        try call.reachNamespace(namespace)
        let page = try call.store.log.readAll(
          after: call[Parameters.afterPosition] ?? 0, to: call[toPosition], limit: call[Parameters.limit] ?? 1_000,
          filter: EventFilter(types: Set(call.all(Parameters.types))), namespace: namespace)
        return try Reply.write(page)
      }),
  ]

  private static let fromVersion = Parameter<StreamVersion>(
    "from_version", "The first version to look at.", .integer(min: 0)
  ) { StreamVersion(try AsOfText.number($0, field: $1)) }
  private static let toVersion = Parameter<StreamVersion>(
    "to_version", "The last version to look at.", .integer(min: 0)
  ) { StreamVersion(try AsOfText.number($0, field: $1)) }
  private static let toPosition = Parameter<LogPosition>(
    "to_position", "The last position to look at.", .integer(min: 0)
  ) { LogPosition(try AsOfText.number($0, field: $1)) }
  private static let direction = Parameter<ReadDirection>(
    "direction", "From old to new, or from new to old.", .words(["forward", "backward"])
  ) { text, field in
    switch text {
    case "forward": .forward
    case "backward": .backward
    default: throw MemoirError.invalid(field: field, "is neither forward nor backward")
    }
  }
}

extension Call {
  /// Reads what is to be appended to a user.
  ///
  /// - Parameter place: What stands before the names of fields in errors, e.g. `appends[2].`.
  fileprivate func append(_ node: JSONNode, to stream: StreamName, at place: String) throws -> StreamAppend {
    guard let events = node["events"], events.kind == .array else {
      throw MemoirError.invalid(field: place + "events", "must be an array of events")
    }
    return StreamAppend(
      try incoming(events, to: stream, at: place + "events"), to: stream, expecting: try node.expectedVersion(at: place)
    )
  }

  /// Reads what is to be appended to several users.
  fileprivate func appends(_ node: JSONNode) throws -> [StreamAppend] {
    try node.refuseOthers(than: ["appends", "namespace"])
    let namespace = try namespace(inBody: node.namespace())
    guard let appends = node["appends"], appends.kind == .array, appends.count > 0 else {
      throw MemoirError.invalid(field: "appends", "must be an array of at least one append")
    }
    var result: [StreamAppend] = []
    var count = 0
    var elements = appends.elements
    while let element = elements.next() {
      let place = "appends[\(result.count)]"
      guard element.kind == .object else { throw MemoirError.invalid(field: place, "must be an object") }
      do throws(MemoirError) {
        try element.refuseOthers(than: ["events", "expected_version", "user"])
      } catch {
        throw error.inside(place)
      }
      guard let text = element["user"]?.string else {
        throw MemoirError.invalid(field: "\(place).user", "must be a string")
      }
      let stream = StreamName(try UserID(text, field: "\(place).user"), in: namespace)
      try allow(stream)
      count += element["events"]?.count ?? 0
      guard count <= Limits.eventsPerRequest else {
        throw MemoirError.invalid(field: "appends", "have more than \(Limits.eventsPerRequest) events together")
      }
      result.append(try append(element, to: stream, at: place + "."))
    }
    return result
  }

  /// Reads events that must be this user's where they say whose they are.
  private func incoming(_ events: JSONNode, to stream: StreamName, at place: String) throws -> [EventData] {
    guard (1...Limits.eventsPerRequest).contains(events.count) else {
      throw MemoirError.invalid(field: place, "has \(events.count) events, not 1…\(Limits.eventsPerRequest)")
    }
    let now = store.clock()
    var result: [EventData] = []
    var elements = events.elements
    while let element = elements.next() {
      do throws(MemoirError) {
        let incoming = try EventJSON.read(element, now: now)
        if let user = incoming.user, user != stream.user {
          throw .invalid(field: "user", "is \(user), and the events are of \(stream.user)")
        }
        if let namespace = incoming.namespace, namespace != stream.namespace {
          throw .invalid(field: "namespace", "is \(namespace), and the events go to \(stream.namespace)")
        }
        result.append(incoming.event)
      } catch {
        throw error.inside("\(place)[\(result.count)]")
      }
    }
    return result
  }
}

extension JSONNode {
  func namespace() throws(MemoirError) -> Namespace? {
    guard let value = self["namespace"], !value.isNull else { return nil }
    guard let text = value.string else { throw .invalid(field: "namespace", "must be a string") }
    do throws(InvalidValue) { return try Namespace(text) } catch { throw MemoirError(error) }
  }

  /// A number or a word.
  func expectedVersion(at place: String) throws(MemoirError) -> ExpectedVersion {
    let field = place + "expected_version"
    guard let value = self["expected_version"], !value.isNull else { return .any }
    if let number = value.uint64 { return number == 0 ? .noStream : .exactly(StreamVersion(number)) }
    guard let text = value.string else {
      throw .invalid(field: field, "must be a whole number, any, no_stream or stream_exists")
    }
    do throws(InvalidValue) { return try ExpectedVersion(text, field: field) } catch { throw MemoirError(error) }
  }
}

extension MemoirError {
  /// The same about a value within another: its field's name says where.
  func inside(_ place: String) -> MemoirError {
    guard let field = details.member("field"), message.hasPrefix(field) else {
      return MemoirError(code, "\(place): \(message)", details: .members(("field", place)))
    }
    return MemoirError(code, "\(place).\(message)", details: .members(("field", "\(place).\(field)")))
  }
}

extension Reply {
  static func write(_ events: [RecordedEvent], next: StreamVersion?) throws -> Reply {
    try object(items: events.count) { writer in
      try writer.write(events)
      writer.key("next_version")
      if let next { writer.integer(next.number) } else { writer.null() }
    }
  }

  static func write(_ page: LogPage) throws -> Reply {
    try object(items: page.events.count) { writer in
      try writer.write(page.events)
      writer.key("head_position")
      writer.integer(page.head.number)
      writer.key("next_position")
      if let next = page.next { writer.integer(next.number) } else { writer.null() }
    }
  }
}

extension JSONWriter {
  /// The member `events`.
  mutating func write(_ events: [RecordedEvent]) throws {
    key("events")
    beginArray()
    for event in events { try EventJSON.write(event, to: &self) }
    endArray()
  }

  /// `{"duplicate","first_position","first_version","last_position","last_version","recorded_at"}`
  mutating func write(_ result: AppendResult) {
    beginObject()
    key("duplicate")
    bool(result.isDuplicate)
    key("first_position")
    integer(result.firstPosition.number)
    key("first_version")
    integer(result.firstVersion.number)
    key("last_position")
    integer(result.lastPosition.number)
    key("last_version")
    integer(result.lastVersion.number)
    member("recorded_at", result.recordedAt.description)
    endObject()
  }
}
