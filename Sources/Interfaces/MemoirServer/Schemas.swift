// The shapes that several calls share, by name.
import Memoir

enum Schemas {
  private static let name = Schema.string(minLength: 1, maxLength: 250)
  private static let place: [Schema.Property] = [.required("event_id", .uuid), .required("version", .count)]

  static let all: [(name: String, schema: Schema)] = [
    (
      "ExpectedVersion",
      .described(
        .either([.integer(min: 0), .words(["any", "no_stream", "stream_exists"]), .string(pattern: "^[0-9]{1,19}$")]),
        "Where the appender believes the stream to be; 0 is no_stream.")
    ),
    (
      "IncomingEvent",
      .object([
        .optional("id", .uuid), .required("type", .string(minLength: 1, maxLength: 200)),
        .optional("session", name), .optional("occurred_at", .time), .optional("user", name),
        .optional("namespace", .string(minLength: 1, maxLength: 100)), .optional("metadata", .object([], isOpen: true)),
        .required("data", .any), .optional("version", .any), .optional("position", .any),
        .optional("recorded_at", .any), .optional("proof", .any), .optional("stored", .any),
      ])
    ),
    (
      "Event",
      .object(
        [
          .required("id", .uuid), .required("namespace", .string()), .required("user", .string()),
          .optional("session", .string()), .required("version", .integer(min: 1)),
          .required("position", .integer(min: 1)), .required("type", .string()), .required("occurred_at", .time),
          .required("recorded_at", .time), .optional("data", .any), .optional("metadata", .object([], isOpen: true)),
          .optional("erased", .boolean),
        ], isOpen: true)
    ),
    (
      "AppendResult",
      .object([
        .required("duplicate", .boolean), .required("first_position", .integer(min: 1)),
        .required("first_version", .integer(min: 1)), .required("last_position", .integer(min: 1)),
        .required("last_version", .integer(min: 1)), .required("recorded_at", .time),
      ])
    ),
    (
      "StreamPage",
      .object([.required("events", .array(.named("Event"))), .required("next_version", .nullable(.integer(min: 1)))])
    ),
    (
      "LogPage",
      .object([
        .required("events", .array(.named("Event"))), .required("head_position", .count),
        .required("next_position", .nullable(.count)),
      ])
    ),
    (
      "UserHead",
      .object([
        .required("first_occurred_at", .time), .required("last_occurred_at", .time),
        .required("last_recorded_at", .time), .required("namespace", .string()),
        .required("position", .integer(min: 1)),
        .required("user", .string()), .required("version", .integer(min: 1)),
      ])
    ),
    (
      "State",
      .object(
        [
          .required("as_of", .object([], isOpen: true)), .required("namespace", .string()),
          .required("user", .string()),
          .required("version", .count), .required("facts", .array(.object(place, isOpen: true))),
          .required("preferences", .map(.object(place, isOpen: true))),
          .required("relationships", .array(.object(place, isOpen: true))),
          .required("episodes", .array(.object(place, isOpen: true))), .required("profile", .object([], isOpen: true)),
          .required(
            "messages",
            .object(
              [.required("total", .count), .required("recent", .array(.object(place, isOpen: true)))], isOpen: true)),
          .required("sessions", .array(.object([], isOpen: true))), .required("sessions_open", .count),
          .required("sessions_total", .count),
        ], isOpen: true)
    ),
    (
      "Diff",
      .object(
        [
          .required("namespace", .string()), .required("user", .string()),
          .required("facts", .object([], isOpen: true)),
          .required("preferences", .object([], isOpen: true)), .required("sessions", .object([], isOpen: true)),
          .required("messages", .object([.required("added", .count)])), .required("events", .array(.any)),
        ], isOpen: true)
    ),
    (
      "Recall",
      .object(
        [
          .required("faded", .count), .optional("known", .boolean), .optional("meaning", .object([], isOpen: true)),
          .required(
            "memories",
            .array(
              .object(
                place + [
                  .required("id", .string()), .required("kind", .words(MemoryKind.allCases.map(\.description))),
                  .required("content", .string()), .required("score", .number()),
                  .required("score_parts", .map(.number())), .required("occurred_at", .time),
                ], isOpen: true))),
        ], isOpen: true)
    ),
    (
      "Context",
      .object(
        [
          .required("text", .string()), .required("tokens", .count),
          .required("items", .array(.object(place, isOpen: true))),
          .optional("known", .boolean), .required("omitted", .count), .optional("receipt", .uuid),
        ], isOpen: true)
    ),
    (
      "Subscription",
      .object([
        .required("checkpoint", .count), .required("created_at", .time), .required("name", .string()),
        .required("updated_at", .time),
      ])
    ),
    (
      "RetentionPolicy",
      .object([
        .required("facts_days", .nullable(.integer(min: 1))), .required("messages_days", .nullable(.integer(min: 1))),
        .required("namespace", .string()), .required("summaries_days", .nullable(.integer(min: 1))),
      ])
    ),
    (
      "RetentionReport",
      .object([
        .required("damaged_events", .count), .required("damaged_receipts", .count),
        .required("dry_run", .boolean), .optional("first_damaged", .count), .required("now", .time),
        .optional("scrubbed", .boolean),
        .required(
          "namespaces",
          .array(
            .object([
              .required("facts", .count), .required("messages", .count), .required("namespace", .string()),
              .required("receipts", .count), .required("summaries", .count),
              .required(
                "users",
                .array(
                  .object([
                    .required("facts", .count), .required("messages", .count), .required("summaries", .count),
                    .required("user", .string()),
                  ]))),
            ]))),
      ])
    ),
    (
      "Error",
      .object([
        .required(
          "error",
          .object([
            .required("code", .words(ErrorCode.allCases.map(\.rawValue))), .required("message", .string()),
            .required("details", .object([], isOpen: true)),
          ]))
      ])
    ),
    (
      "DakeraError",
      .object([
        .required("error", .string()), .required("code", .string()), .optional("details", .string()),
        .optional("resource", .string()),
      ])
    ),
  ]
}
