// How a command comes to its store, and how the store's errors come to the screen.
import JSON
import Memoir
import Platform

/// What a command is going to do to the store.
enum StoreUse {
  /// Look. Nothing is ever written, so it works on a disk that can only be read.
  case reading
  /// Change what is there.
  case writing
  /// Change what is there; or, where nothing can be written, look.
  case writingIfPossible
  /// Make it where there is none.
  case creating
}

extension ParsedArguments {
  /// Opens the store that the command line names.
  ///
  /// - Parameter usesModels: Whether it asks the models that the environment names.
  /// - Throws: ``MemoirError``: `not_found` where there is none and `use` makes none, `invalid_argument` for a variable
  ///   about models that cannot be meant.
  func openStore(
    for use: StoreUse, usesModels: Bool = false, in context: CommandContext
  ) throws(MemoirError) -> MemoirStore {
    var options = EventLog.Options()
    options.creates = use == .creating
    options.isReadOnly = use == .reading
    options.clock = context.now
    options.masterKey = try MasterKey.named(environment: context.environment)
    prepareLastWords()
    var memory = MemoryOptions()
    if usesModels {
      let models = try ModelConfiguration(environment: context.environment)
      memory.embedder = models.embeddings.map { EmbeddingClient($0) }
      if let chat = models.chat {
        memory.sessions.distiller = ModelDistiller(ChatClient(chat))
        memory.sessions.distillerTimeLimit = chat.timeLimit
        memory.judge = ModelJudge(ChatClient(chat))
      }
    }
    let folder = storePath(environment: context.environment)
    do throws(MemoirError) {
      return try MemoirStore(folder: folder, options: options, memory: memory)
    } catch {
      guard use == .writingIfPossible, error.code == .forbidden else { throw error }
      options.isReadOnly = true
      return try MemoirStore(folder: folder, options: options, memory: memory)
    }
  }

  /// Names what it most likely is, should LMDB end the process: it believes the pages of the file, and only `verify`
  /// looks through all of them before.
  private func prepareLastWords() {
    let report = MemoirError(.corrupt, "corrupt: a page of the data file led to where nothing is").report
    let words =
      wantsJSON
      ? String(decoding: report.json, as: UTF8.self)
      : "memoir: \(report.message)\n" + report.hints.map { $0 + "\n" }.joined()
    // Without them the signal ends the process, as it would any.
    try? LastWords.prepare(words, exitCode: report.exitCode.rawValue)
  }

  /// Opens the store to look at it, lends it to `body`, and closes it.
  func withStore<Result>(
    for use: StoreUse = .reading, in context: CommandContext, _ body: (MemoirStore) throws -> Result
  ) throws -> Result {
    try with(openStore(for: use, in: context), body)
  }

  /// Opens the store to look at it, lends it to `body`, and closes it.
  func withStore<Result>(
    for use: StoreUse = .reading, usesModels: Bool = false, in context: CommandContext,
    _ body: (MemoirStore) async throws -> Result
  ) async throws -> Result {
    let store = try openStore(for: use, usesModels: usesModels, in: context)
    let result: Result
    do { result = try await body(store) } catch { throw closing(store, after: error) }
    try store.close()
    return result
  }

  /// Lends a store that can sign to `body`, and closes it. Only where it has no key yet is it opened for writing.
  ///
  /// - Throws: `forbidden` where it has none, and cannot be written to.
  func withSigningStore<Result>(in context: CommandContext, _ body: (MemoirStore) throws -> Result) throws -> Result {
    let store = try openStore(for: .reading, in: context)
    let hasKey = try with(store) { store in try store.storeKey() != nil }
    return try withStore(for: hasKey ? .reading : .writing, in: context, body)
  }

  /// Lends an open store to `body`, and closes it.
  func with<Result>(_ store: MemoirStore, _ body: (MemoirStore) throws -> Result) throws -> Result {
    let result: Result
    do { result = try body(store) } catch { throw closing(store, after: error) }
    try store.close()
    return result
  }

  private func closing(_ store: MemoirStore, after error: any Error) -> any Error {
    try? store.close()
    return spelled(error)
  }
}

extension ParsedArguments {
  /// What the memory refused, about what was given: `--at-version` where the memory says `at_version`, `ITEM` for `item`.
  func spelled(_ error: any Error) -> any Error {
    guard error is MemoirError || error is ReadError || error is InvalidValue else { return error }
    let refusal = MemoirError(error)
    guard refusal.code == .invalidArgument, let field = refusal.details.member("field") else { return error }
    // `tags[0]` is of an option that is given once for each.
    let base = String(field.prefix { $0 != "[" })
    let option = "--" + base.replacing("_", with: "-")
    var names = [option, base.uppercased()]
    if option.hasSuffix("s") { names.append(String(option.dropLast())) }
    if base == "content" { names.append("TEXT") }
    if base == "expires_at" { names.append("--expires") }
    guard let given = row.specs.first(where: { names.contains($0.spelled) }),
      refusal.message.hasPrefix("\(field): ")
    else { return error }
    return MemoirError.invalid(field: given.spelled, String(refusal.message.dropFirst(field.count + 2)))
  }
}

extension MemoirStore {
  /// All users, by namespace and name, page by page.
  func forEachUser(in namespace: Namespace?, _ body: (StreamSummary) throws -> Void) throws {
    var last: StreamName?
    while true {
      let page = try log.streams(in: namespace, after: last)
      guard let end = page.last else { return }
      for user in page { try body(user) }
      last = end.name
    }
  }
}

/// Refuses a folder that a copy would have to share.
func refuseOccupied(_ path: String, field: String) throws {
  guard let status = try Files.status(path) else { return }
  guard status.kind == .folder, try Files.list(path).isEmpty else {
    throw MemoirError.invalid(field: field, "\(path) exists and is not empty; a copy needs a new folder")
  }
}

extension MemoirError: ReportableError {
  var report: ErrorReport { report(hints: defaultHints) }

  /// The error with lines below it that say what to do.
  func report(hints: [String]) -> ErrorReport { ErrorReport(self, hints: hints) }

  private var defaultHints: [String] {
    switch code {
    case .notFound where details.member("store") != nil:
      ["Name one with --store or $MEMOIR_STORE; 'memoir append' makes one."]
    case .corrupt: ["'memoir verify' says what is wrong, and where; of a backup, with --store."]
    case .invalidArgument where details.member("field") == "master_key":
      ["The master key is what $MEMOIR_MASTER_KEY says, or the file that $MEMOIR_MASTER_KEY_FILE names."]
    default: []
    }
  }
}

extension PlatformError: ReportableError {
  var report: ErrorReport { asMemoirError.report }

  /// A file that could not be opened or read.
  var asMemoirError: MemoirError { MemoirError(errorCode, description) }

  /// A file that could not be opened, as the argument is called that names it.
  func aboutFile(_ path: String, field: String) -> MemoirError {
    let problem = isNotFound ? "there is no file \(path)" : "\(path) cannot be opened: \(reason)"
    var error = MemoirError.invalid(field: field, problem)
    error.code = errorCode
    return error
  }

  private var errorCode: ErrorCode {
    isNotFound ? .notFound : isAccessDenied ? .forbidden : isDiskFull ? .storageFull : .internal
  }
}

extension JSONWriter {
  /// A line of its own for a program: the value that `body` writes.
  static func line(_ body: (inout JSONWriter) throws -> Void) rethrows -> [UInt8] {
    var writer = JSONWriter()
    try body(&writer)
    writer.endLine()
    return writer.finish()
  }

  /// A line of its own for a program: the object that `body` writes the members of.
  static func objectLine(_ body: (inout JSONWriter) throws -> Void) rethrows -> [UInt8] {
    try line { writer in
      writer.beginObject()
      try body(&writer)
      writer.endObject()
    }
  }
}
