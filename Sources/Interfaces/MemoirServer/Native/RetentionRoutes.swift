// For how long what people said is kept.
import JSON
import Memoir

extension MemoirServer {
  static let retentionRoutes: [Route] = [
    Route(
      .get, "/v1/retention", "retention", access: .scope(.admin),
      summary: "For how many days what is kept of a namespace; null is for good.",
      parameters: [AnyParameter(Parameters.namespace)], answers: [.json(.named("RetentionPolicy"))],
      .later { call in
        let namespace = try call.wholeNamespace()
        let policy = try call.store.retention(of: namespace)
        return Reply.json { RetentionPolicy.write(policy, of: namespace, to: &$0) }
      }),
    Route(
      .put, "/v1/retention", "set_retention", access: .scope(.admin),
      summary: "Keep what of a namespace for how many days, the rest for good; all of the policy before is replaced.",
      parameters: [AnyParameter(Parameters.namespace)],
      body: .object([
        .optional("messages_days", days), .optional("facts_days", days), .optional("summaries_days", days),
        .optional("namespace", .string(minLength: 1, maxLength: 100)),
      ]),
      answers: [.json(.named("RetentionPolicy"))],
      .later { call in
        let policy = try call.withBody { node in
          try node.refuseOthers(than: ["messages_days", "facts_days", "summaries_days", "namespace"])
          var days: [RetainedKind: Int] = [:]
          for kind in RetainedKind.allCases { days[kind] = try MemoirServer.days(of: kind, in: node) }
          return try RetentionPolicy(of: try call.wholeNamespace(inBody: node.namespace()), days: days)
        }
        try await call.store.setRetention(policy)
        return Reply.json { policy.write(to: &$0) }
      }),
    Route(
      .delete, "/v1/retention", "remove_retention", access: .scope(.admin),
      summary: "Keep everything of a namespace for good. What was taken out stays so.",
      parameters: [AnyParameter(Parameters.namespace)], answers: [Answer(status: 204, summary: "There is no policy.")],
      .later { call in
        try await call.store.removeRetention(of: try call.wholeNamespace())
        return Reply(status: 204, body: .none)
      }),
    Route(
      .post, "/v1/retention/run", "run_retention", access: .scope(.admin),
      summary:
        "Take out what is older than a namespace's policy says, as the server does once a day; or only say what.",
      parameters: [AnyParameter(Parameters.namespace)],
      body: .object([.optional("dry_run", .boolean), .optional("namespace", .string(minLength: 1, maxLength: 100))]),
      answers: [.json(.named("RetentionReport"))],
      .later { call in
        let (namespace, isDry) = try call.withBody { node in
          try node.refuseOthers(than: ["dry_run", "namespace"])
          var isDry = false
          if let flag = node["dry_run"] {
            guard let value = flag.bool else { throw MemoirError.invalid(field: "dry_run", "must be true or false") }
            isDry = value
          }
          return (try call.wholeNamespace(inBody: node.namespace()), isDry)
        }
        let report =
          isDry
          ? try call.store.previewRetention(in: namespace) : try await call.store.runRetention(in: namespace)
        return Reply.json(items: report.users.count) { report.write(to: &$0) }
      }),
  ]

  private static let days = Schema.nullable(
    .integer(
      min: Int64(RetentionPolicy.daysRange.lowerBound), max: Int64(RetentionPolicy.daysRange.upperBound)))

  private static func days(of kind: RetainedKind, in node: JSONNode) throws(MemoirError) -> Int? {
    let field = "\(kind.rawValue)_days"
    guard let value = node.member(named: field), !value.isNull else { return nil }
    guard let number = value.int64, let days = Int(exactly: number) else {
      throw .invalid(field: field, "must be a whole number, or null")
    }
    return days
  }
}

extension Call {
  /// The namespace that is asked about, where the caller reaches all of it.
  fileprivate func wholeNamespace(inBody named: Namespace? = nil) throws(MemoirError) -> Namespace {
    let namespace = try namespace(inBody: named)
    try reachNamespace(namespace)
    return namespace
  }
}
