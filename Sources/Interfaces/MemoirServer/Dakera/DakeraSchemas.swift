// What the objects of the Dakera wire look like.
enum DakeraSchemas {
  static let agent = Schema.string(minLength: 1, maxLength: 241, pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$")
  static let type = Schema.words(["episodic", "semantic", "procedural", "working"])
  static let importance = Schema.number(min: 0, max: 1)
  static let tags = Schema.array(.string())
  static let metadata = Schema.object([], isOpen: true)
  static let seconds = Schema.described(.integer(), "Unix seconds.")
  static let time = Schema.either([.described(.number(min: 0), "Unix seconds."), .string()])
  static let warnings = Schema.array(.string())

  static let memoryProperties: [Schema.Property] = [
    .required("id", .string()), .required("content", .string()), .required("agent_id", .string()),
    .required("memory_type", type), .required("importance", importance), .required("tags", tags),
    .required("metadata", metadata), .optional("session_id", .string()), .required("created_at", seconds),
    .required("updated_at", seconds), .optional("expires_at", seconds), .optional("content_len", .count),
    .optional("content_truncated", .boolean),
  ]
  static let memory = Schema.object(memoryProperties, isOpen: true)
  static let memories = Schema.array(memory)
  static let recalled = Schema.object(
    memoryProperties + [.required("score", .number()), .required("rank_score", .number())], isOpen: true)
  static let session = Schema.object([
    .required("id", .string()), .required("session_id", .string()), .required("agent_id", .string()),
    .required("started_at", seconds), .required("ended_at", .nullable(seconds)), .required("metadata", metadata),
    .required("summary", .nullable(.string())), .required("memory_count", .count),
    .required("last_activity_at", seconds), .required("ended_reason", .nullable(.words(["client", "idle"]))),
    .optional("idle_since", seconds), .required("idle_timeout_secs", .count),
  ])
  static let sessions = Schema.array(session)
  static let deleted = Schema.object([.required("deleted_count", .count)])

  static let filter = Schema.object(
    [
      .optional("tags", tags), .optional("min_importance", importance), .optional("max_importance", importance),
      .optional("created_after", time), .optional("created_before", time), .optional("memory_type", type),
      .optional("session_id", .string()),
    ], isOpen: true)

  /// What a memory is stored with.
  static let storedProperties: [Schema.Property] = [
    .required("content", .string(minLength: 1)), .optional("id", .string(minLength: 1, maxLength: 250)),
    .optional("memory_type", type), .optional("importance", importance), .optional("tags", tags),
    .optional("metadata", metadata), .optional("session_id", .string()),
    .optional("ttl_seconds", .integer(min: 1, max: 3_155_760_000)), .optional("expires_at", time),
    .optional("valid_from", .number()), .optional("event_time", time),
  ]

  /// An open object: what is unknown is ignored, and the agent may go by either name.
  static func body(_ properties: [Schema.Property]) -> Schema {
    .object([.optional("agent_id", agent), .optional("namespace", .string())] + properties, isOpen: true)
  }
}
