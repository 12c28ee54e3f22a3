// `memoir key`: the keys by which services and people's programs come in.
import JSON
import Memoir

/// What is done with a key.
enum KeyAction: String, CaseIterable, Sendable {
  case create, list, revoke, rotate, update
}

enum KeyCommand: Command {
  static let action = Argument.positional(
    ArgumentKind<KeyAction>.choice("ACTION"), help: "What is done with a key.")
  static let subject = Argument.optionalPositional(
    .text("NAME|ID"), help: "The name of a new key; the id of any other.")

  static let namespaces = Argument.options(
    "namespace", .namespace, help: "Where the key reaches; * for all, with the scope admin.")
  static let scopes = Argument.options(
    "scope", ArgumentKind<AccessScope>.choice("S"),
    help: "What it may do; admin is everything, and keys.")
  static let users = Argument.options(
    "user", .userPattern, help: "Limit it to this user, or with * to all whose ids begin so.")
  static let expires = Argument.option("expires", .time, help: "From when on it is void.")
  static let never = Argument.flag(
    "never-expires", excludes: ["--expires"], help: "Update: it is never void by itself.")
  static let name = Argument.option("name", .text("NAME"), help: "Update: another name.")
  static let grace = Argument.option(
    "grace", .number("SECONDS", in: 0...APIKeys.largestGrace), default: 0,
    help: "Rotate: so long the secrets before stay valid.")
  static let all = Argument.flag("all", help: "List: also keys that were revoked.")

  static let row = CommandRow(
    name: "key",
    summary: "Make, list, rotate and revoke API keys",
    section: .access,
    discussion: """
      'key create' prints the key's id and its secret, which is shown this once: the store keeps only a hash of it.
      'key rotate' gives a key a new secret, 'key update' another name, other namespaces or another expiry, 'key
      revoke' makes it void; all of it at once, wherever the store is open.

      A key that is limited to a single user is that person's own: it may always read that person's memory. What others
      may besides, 'memoir grants' says. The scope admin includes all others and cannot be limited to users.
      """,
    arguments: [action, subject, namespaces, scopes, users, expires, never, name, grace, all],
    examples: [
      CommandExample(
        "memoir key create web --namespace default --scope append --scope recall", "A key for a service."),
      CommandExample(
        "memoir key create bob-phone --namespace default --scope recall --user user-bob", "A person's own key."),
      CommandExample("memoir key rotate 3f9a61c20b7d --grace 3600", "A new secret; the old one for an hour more."),
      CommandExample("memoir key list", "All keys that were not revoked."),
    ],
    exitCodes: .ofReading(notFound: "no store, or no such key"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    let action = arguments[action]
    try checkCompany(arguments, action)
    switch action {
    case .list:
      try arguments.withStore(in: context) { store in
        let keys = try store.keys.list(includingRevoked: arguments[all])
        if arguments.wantsJSON {
          for key in keys { try context.output.write(json: JSONWriter.line { key.write(to: &$0) }) }
        } else {
          try show(keys, at: context.now(), on: context.output)
        }
      }
    case .create:
      let draft = APIKeyDraft(
        arguments[subject] ?? "", namespaces: try KeyNamespaces(names: arguments[namespaces].map(\.description)),
        scopes: Set(arguments[scopes]), users: arguments[users].isEmpty ? nil : arguments[users],
        expiry: arguments[expires].map { .at($0) } ?? .never)
      try await arguments.withStore(for: .writing, in: context) { store in
        let (key, secret) = try await store.keys.create(draft)
        try tell(key, secret, arguments, in: context)
      }
    case .rotate:
      let id = try id(arguments)
      try await arguments.withStore(for: .writing, in: context) { store in
        let (key, secret) = try await store.keys.rotate(id, grace: arguments[grace])
        try tell(key, secret, arguments, in: context)
      }
    case .update:
      let id = try id(arguments)
      let names = arguments[namespaces].map(\.description)
      let changes = APIKeyChanges(
        name: arguments[name], namespaces: names.isEmpty ? nil : try KeyNamespaces(names: names),
        expiry: arguments[never] ? .never : arguments[expires].map { .at($0) })
      try await arguments.withStore(for: .writing, in: context) { store in
        try tell("was changed", try await store.keys.update(id, changes), arguments, in: context)
      }
    case .revoke:
      let id = try id(arguments)
      try await arguments.withStore(for: .writing, in: context) { store in
        try tell("is revoked", try await store.keys.revoke(id), arguments, in: context)
      }
    }
    return .done
  }

  // MARK: What was given

  /// The options that mean something for an action.
  private static func wanted(by action: KeyAction) -> (takesSubject: Bool, options: [String]) {
    switch action {
    case .create: (true, ["--namespace", "--scope", "--user", "--expires"])
    case .list: (false, ["--all"])
    case .revoke: (true, [])
    case .rotate: (true, ["--grace"])
    case .update: (true, ["--namespace", "--expires", "--never-expires", "--name"])
    }
  }

  private static func checkCompany(_ arguments: ParsedArguments, _ action: KeyAction) throws {
    let (takesSubject, options) = wanted(by: action)
    if takesSubject == (arguments[subject] == nil) {
      throw MemoirError.invalid(
        field: subject.spec.name,
        takesSubject ? "is missing: 'key \(action)' needs one" : "is too much: 'key \(action)' takes none")
    }
    for option in row.options where arguments.has(option.spelled) && !options.contains(option.spelled) {
      throw MemoirError.invalid(field: option.spelled, "means nothing for 'key \(action)'")
    }
    if action == .create {
      for option in [namespaces.spec, scopes.spec] where !arguments.has(option.spelled) {
        throw MemoirError.invalid(field: option.spelled, "is missing")
      }
    }
  }

  private static func id(_ arguments: ParsedArguments) throws -> APIKeyID {
    do { return try APIKeyID(arguments[subject] ?? "", field: subject.spec.name) } catch { throw MemoirError(error) }
  }

  // MARK: What is shown

  /// The one time that a secret is shown.
  private static func tell(
    _ key: APIKey, _ secret: SecretKey, _ arguments: ParsedArguments, in context: CommandContext
  ) throws {
    try context.output.write(
      json: JSONWriter.objectLine { writer in
        writer.key("id")
        writer.string(key.id.description)
        writer.key("key")
        writer.string(secret.revealed)
      })
    if !arguments.wantsJSON {
      try context.errors.print(StyledText("This key is shown once; the store keeps only a hash of it.", .dim))
    }
  }

  private static func tell(
    _ what: String, _ key: APIKey, _ arguments: ParsedArguments, in context: CommandContext
  ) throws {
    if arguments.wantsJSON {
      try context.output.write(json: JSONWriter.line { key.write(to: &$0) })
    } else {
      try context.output.print("\(key.id, .accent) (\(key.name)) \(what).")
    }
  }

  private static func show(_ keys: [APIKey], at now: Timestamp, on output: Console) throws {
    if keys.isEmpty { return try output.print(StyledText("There is no key; 'memoir key create' makes one.", .dim)) }
    var table = TextTable([
      .fixed("id", .accent), .flexible("name"), .flexible("namespaces"), .fixed("scopes"), .flexible("users"),
      .fixed("until"), .fixed("secrets"),
    ])
    for key in keys {
      table.add([
        StyledText(key.id.description), StyledText(key.name), StyledText(key.namespaces.names.joined(separator: ", ")),
        StyledText(key.scopes.names.joined(separator: ", ")),
        StyledText(key.users?.map(\.description).joined(separator: ", ") ?? "all"), end(of: key, at: now),
        StyledText(secrets(of: key, at: now)),
      ])
    }
    try output.table(table)
  }

  private static func end(of key: APIKey, at now: Timestamp) -> StyledText {
    if let time = key.revokedAt { return StyledText("revoked \(time.day)", .bad) }
    guard let time = key.expiresAt else { return StyledText("no end", .dim) }
    return key.isVoid(at: now) ? StyledText("expired \(time.day)", .bad) : StyledText(time.minute)
  }

  /// Of which day the secret is, and until when those before it are valid.
  private static func secrets(of key: APIKey, at now: Timestamp) -> String {
    key.secrets.filter { $0.validUntil.map { now < $0 } ?? true }
      .map { secret in "of \(secret.createdAt.day)" + (secret.validUntil.map { " until \($0.minute)" } ?? "") }
      .joined(separator: ", ")
  }
}
