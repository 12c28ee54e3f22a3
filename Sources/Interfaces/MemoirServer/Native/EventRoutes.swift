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
      .later { call in
        let append = try call.withBody { node in
          try call.append(node, named: ["events", "expected_version", "namespace"])
        }
        let result = try await call.store.append(append.events, to: append.stream, expecting: append.expected)
        return Reply.json(status: result.isDuplicate ? 200 : 201) { $0.write(result) }
      })
  ]
}

extension Call {
  /// Reads what is to be appended to the path's user.
  fileprivate func append(_ node: JSONNode, named known: [String]) throws -> StreamAppend {
    try node.refuseOthers(than: known)
    let stream = try user(inBody: node.namespace())
    guard let events = node["events"], events.kind == .array else {
      throw MemoirError.invalid(field: "events", "must be an array of events")
    }
    return StreamAppend(
      try incoming(events, to: stream, at: "events"), to: stream, expecting: try node.expectedVersion())
  }

  /// Reads events that must be this user's where they say whose they are.
  fileprivate func incoming(_ events: JSONNode, to stream: StreamName, at place: String) throws -> [EventData] {
    guard (1...Limits.eventsPerRequest).contains(events.count) else {
      throw MemoirError.invalid(field: place, "has \(events.count) events, not 1…\(Limits.eventsPerRequest)")
    }
    let now = store.clock()
    var result: [EventData] = []
    var elements = events.elements
    while let element = elements.next() {
      let field = "\(place)[\(result.count)]"
      do {
        let incoming = try EventJSON.read(element, now: now)
        if let user = incoming.user, user != stream.user {
          throw MemoirError.invalid(field: "user", "is \(user), and the events are of \(stream.user)")
        }
        if let namespace = incoming.namespace, namespace != stream.namespace {
          throw MemoirError.invalid(field: "namespace", "is \(namespace), and the events go to \(stream.namespace)")
        }
        result.append(incoming.event)
      } catch let error as MemoirError {
        throw error.inside(field)
      }
    }
    return result
  }
}

extension JSONNode {
  /// - Throws: `invalid_argument` naming members of an object that mean nothing.
  func refuseOthers(than known: [String]) throws(MemoirError) {
    var unknown: [String] = []
    var members = self.members
    while let member = members.next() {
      let name = member.key.string ?? ""
      if !known.contains(name) { unknown.append(name) }
    }
    if !unknown.isEmpty { throw .unknownFields(unknown) }
  }

  func namespace() throws(MemoirError) -> Namespace? {
    guard let value = self["namespace"], !value.isNull else { return nil }
    guard let text = value.string else { throw .invalid(field: "namespace", "must be a string") }
    do throws(InvalidValue) { return try Namespace(text) } catch { throw MemoirError(error) }
  }

  /// A number or a word.
  func expectedVersion() throws(MemoirError) -> ExpectedVersion {
    guard let value = self["expected_version"], !value.isNull else { return .any }
    if let number = value.uint64 { return number == 0 ? .noStream : .exactly(StreamVersion(number)) }
    guard let text = value.string else {
      throw .invalid(field: "expected_version", "must be a whole number, any, no_stream or stream_exists")
    }
    do throws(InvalidValue) { return try ExpectedVersion(text) } catch { throw MemoirError(error) }
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

extension JSONWriter {
  /// `{"first_version","last_version","first_position","last_position","recorded_at","duplicate"}`
  mutating func write(_ result: AppendResult) {
    beginObject()
    key("first_version")
    integer(result.firstVersion.number)
    key("last_version")
    integer(result.lastVersion.number)
    key("first_position")
    integer(result.firstPosition.number)
    key("last_position")
    integer(result.lastPosition.number)
    member("recorded_at", result.recordedAt.description)
    key("duplicate")
    bool(result.isDuplicate)
    endObject()
  }
}
