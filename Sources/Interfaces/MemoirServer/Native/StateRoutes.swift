// States: who there is, what is known of them, now or as it was, and what changed between.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  static let stateRoutes: [Route] = [
    Route(
      .get, "/v1/users", "list_users", access: .scope(.read), summary: "The users of a namespace, by their ids.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(after), AnyParameter(Parameters.limit)],
      answers: [
        .json(
          .object([
            .required("next_after", .nullable(.string())), .required("users", .array(.named("UserHead"))),
          ]))
      ],
      .later { call in
        let namespace = try call.namespace()
        try call.reachNamespace(namespace)
        let limit = call[Parameters.limit] ?? 1_000
        let page = try call.store.log.streams(
          in: namespace, after: call[after].map { StreamName($0, in: namespace) }, limit: limit)
        return Reply.object(items: page.count) { writer in
          writer.key("next_after")
          if page.count == limit, let last = page.last {
            writer.string(last.name.user.description)
          } else {
            writer.null()
          }
          writer.key("users")
          writer.beginArray()
          for user in page { writer.write(user) }
          writer.endArray()
        }
      }),
    Route(
      .get, "/v1/users/{user}", "user_head", access: .scope(.read), summary: "Where a user's stream is.",
      parameters: [AnyParameter(Parameters.namespace)], answers: [.json(.named("UserHead"))],
      .quick { call in
        let user = try call.user()
        guard let summary = try call.store.log.summary(of: user) else { throw MemoirError.noUser(user) }
        return Reply.json(items: 1) { $0.write(summary) }
      }),
    Route(
      .delete, "/v1/users/{user}", "erase_user", access: .scope(.erase),
      summary: "Erases a user for good: what their events say, and all that was made of it.",
      parameters: [AnyParameter(Parameters.namespace)],
      answers: [
        .json(
          .object([.required("erased", .integer(min: 0)), .required("scrubbed", .boolean)]),
          "Erased so many events. Not scrubbed: a reader that began before keeps what was erased in the file, until it ends."
        )
      ],
      .later { call in
        let user = try call.user()
        let summary = try await call.store.erase(user, by: call.caller.accessor.description)
        return Reply.json(items: 1) { summary.write(to: &$0) }
      }),
    Route(
      .get, "/v1/users/{user}/state", "state", access: .scope(.read),
      summary: "What is known of a user, now or as it was.",
      parameters: [
        AnyParameter(Parameters.namespace), AnyParameter(minVersion), AnyParameter(include), AnyParameter(fromVersion),
        AnyParameter(Parameters.limit),
      ] + Parameters.asOf,
      answers: [.json(.named("State")), Answer(status: 304, summary: "As the caller has it.")],
      .either(
        { call in
          let user = try call.user()
          if let version = call[minVersion], try call.store.log.version(of: user) < version { return nil }
          return try state(of: user, call)
        },
        { call in
          let user = try call.user()
          _ = try call.asOf()
          _ = try await call.store.state(of: user, atLeast: call[minVersion] ?? 0)
          return try state(of: user, call)
        })),
    Route(
      .get, "/v1/users/{user}/diff", "diff", access: .scope(.read),
      summary: "What changed about a user between two points.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(from.required), AnyParameter(to.required)],
      answers: [.json(.named("Diff"))],
      .later { call in
        guard let from = call[from], let to = call[to] else { throw MemoirError.invalid(field: "from", "is missing") }
        let diff = try call.store.diff(of: try call.user(), from: from, to: to)
        return try Reply.json(items: 1) { try call.store.write(diff, to: &$0) }
      }),
    Route(
      .get, "/v1/users/{user}/explain", "explain", access: .scope(.read),
      summary: "Which events put an item there, and changed it.",
      parameters: [AnyParameter(Parameters.namespace), AnyParameter(item.required)],
      answers: [.json(.object([], isOpen: true))],
      .later { call in
        let provenance = try call.store.explain(call[item] ?? "", of: try call.user())
        return try Reply.json(items: 1) { try call.store.write(provenance, to: &$0) }
      }),
  ]

  private static func state(of user: StreamName, _ call: Call) throws -> Reply {
    let point = try call.asOf()
    if point == .now, call[include] == nil {
      return Reply(body: .state(try call.store.printedState(of: user)), itemCount: 1, hasTag: true)
    }
    let state = try call.store.state(of: user, at: point)
    var page: StateJSON.MessagePage?
    if call[include] != nil {
      page = try call.store.messages(
        of: state, from: call[fromVersion] ?? 1, limit: call[Parameters.limit] ?? 1_000)
    }
    var reply = try Reply.json(items: 1) { try call.store.write(state, with: page, to: &$0) }
    reply.hasTag = true
    return reply
  }

  private static let after = Parameter<UserID>(
    "after", "Only users after this one.", .string(minLength: 1, maxLength: 250)
  ) {
    try UserID($0, field: $1)
  }
  private static let minVersion = Parameter<StreamVersion>(
    "min_version", "Waits for this version, 5 s at most.", .count
  ) { StreamVersion(try AsOfText.number($0, field: $1)) }
  private static let include = Parameter<String>(
    "include", "`messages`: a page of all messages besides.", .words(["messages"])
  ) { text, field in
    guard text == "messages" else { throw MemoirError.invalid(field: field, "is not messages") }
    return text
  }
  private static let fromVersion = Parameter<StreamVersion>(
    "from_version", "Where the page of messages begins.", .count
  ) { StreamVersion(try AsOfText.number($0, field: $1)) }
  private static let from = Parameter<AsOfText>(
    "from", "v12, p345, recorded:TIME, occurred:TIME, start, now.", .string()
  ) {
    try AsOfText($0, field: $1)
  }
  private static let to = Parameter<AsOfText>("to", "As `from`.", .string()) { try AsOfText($0, field: $1) }
  private static let item = Parameter<String>.text(
    "item", "fact:ID, preference:KEY, session:ID, or the bare id or key.")
}

extension JSONWriter {
  fileprivate mutating func write(_ user: StreamSummary) {
    beginObject()
    member("first_occurred_at", user.firstOccurredAt.description)
    member("last_occurred_at", user.lastOccurredAt.description)
    member("last_recorded_at", user.lastRecordedAt.description)
    member("namespace", user.name.namespace.description)
    key("position")
    integer(user.position.number)
    member("user", user.name.user.description)
    key("version")
    integer(user.version.number)
    endObject()
  }
}
