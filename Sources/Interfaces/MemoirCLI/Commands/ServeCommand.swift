// `memoir serve`: the store behind HTTP.
import HTTPServer
import JSON
import Memoir
import MemoirServer
import Platform

enum ServeCommand: Command {
  static let listen = Argument.option(
    "listen", .listenAddress, default: .loopback(port: 3300), help: "Where to listen.")
  static let certificate = Argument.option(
    "tls-certificate", .text("FILE", candidates: .files), help: "The certificate, and those that vouch for it: PEM.")
  static let key = Argument.option(
    "tls-key", .text("FILE", candidates: .files), help: "The certificate's private key: PEM.")

  static let rateLimit = Argument.option(
    "rate-limit", .number(in: 0...1_000_000),
    help: "Requests a second of each key, or of each address where there are no keys; 0 for as many as come.")
  static let plaintext = Argument.flag(
    "insecure-plaintext", help: "Listen on another address without TLS: whoever is on the way reads along.")
  static let noKeys = Argument.flag(
    "insecure-no-keys", help: "Listen on another address without any key: whoever reaches it may do everything.")

  static let row = CommandRow(
    name: "serve",
    summary: "Serve the store over HTTP",
    section: .serving,
    discussion: """
      Answers until it is asked to end (SIGTERM, SIGINT): then it takes no more requests, finishes those under way,
      closes the store and exits with 0. On SIGHUP it reads the certificate and its key anew. The store is made where
      there is none. It also closes sessions that nobody ended, as 'memoir sweep' does, at its start and every minute,
      does 'memoir retention run' at its start and once a day, and has vectors made where an embedding model is
      configured.

      While the store has never had a key, whoever is on this machine may do everything, without one. On another address
      than this machine's own it serves only with a key in the store and with TLS; the two --insecure options do without.
      There each caller may make 100 requests a second, unless --rate-limit says otherwise; on this machine's own
      address, as many as it likes.

      The log goes to standard error: a line of JSON for each request, without anything that people said. One process
      at a time serves a store; others may read it and append to it meanwhile.
      """,
    arguments: [listen, certificate, key, rateLimit, plaintext, noKeys],
    examples: [
      CommandExample("memoir serve", "Serve this machine alone, at http://127.0.0.1:3300."),
      CommandExample(
        "memoir serve --listen 0.0.0.0:3300 --tls-certificate chain.pem --tls-key key.pem", "Serve others too."),
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; an address that cannot be listened at",
      notFound: "no file of the certificate or its key there"))

  /// Requests a second of a caller from elsewhere, where nothing else is said.
  private static let usualRate = 100

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    var options = MemoirServerOptions(arguments[listen])
    options.http.certificate = try readCertificate(arguments)
    options.version = Program.version
    options.sweepInterval = .seconds(60)
    options.rateLimit = arguments[rateLimit] ?? (arguments[listen].isLoopback ? nil : usualRate)
    if options.rateLimit == 0 { options.rateLimit = nil }
    try refusePlaintext(arguments)
    // A connection takes one.
    CurrentProcess.raiseDescriptorLimit()
    let errors = context.errors
    let log = try LogQueue { lines in try? errors.write(json: lines) }
    defer { log.close() }
    options.log = { log.add($0) }

    let store = try arguments.openStore(for: .creating, usesModels: true, in: context)
    do {
      try await serve(store, options, arguments, in: context)
    } catch {
      try? store.close()
      throw arguments.spelled(error)
    }
    try store.close()
    return .done
  }

  private static func serve(
    _ store: MemoirStore, _ options: MemoirServerOptions, _ arguments: ParsedArguments, in context: CommandContext
  ) async throws {
    let lock = try FileLock(path: store.log.folder + "/serve.lock")
    guard try lock.tryLock(.exclusive) else {
      throw MemoirError(.unavailable, "another process serves this store")
    }
    let hasKeys = try !store.keys.isEmpty
    try refuseNoKeys(hasKeys, arguments)
    try Interruption.watch()
    try Interruption.watchHangups()
    try store.maintainSnapshots()
    let server: MemoirServer
    do throws(HTTPServerError) {
      server = try MemoirServer(store, options)
    } catch {
      throw problem(error, arguments)
    }
    let isEncrypted = options.http.certificate != nil
    options.log(
      line("ready", in: context) { writer in
        writer.key("address")
        writer.string(server.address.description)
        writer.key("tls")
        writer.bool(isEncrypted)
        writer.key("keys")
        writer.bool(hasKeys)
      })
    // Asleep as a task: a thread that waits would be missing where requests are answered.
    while Interruption.signal == nil {
      try? await Task.sleep(for: .milliseconds(20))
      if Interruption.takeHangup() { options.log(renewed(server, arguments, in: context)) }
    }
    options.log(line("ending", in: context) { _ in })
    await withCheckedContinuation { continuation in
      let end: @Sendable () -> Void = {
        server.end()
        continuation.resume()
      }
      do {
        _ = try DedicatedThread(name: "memoir-end", end)
      } catch {
        end()
      }
    }
    options.log(line("ended", in: context) { _ in })
  }

  /// Has the server use the certificate as it is now; where that is none, the old one goes on.
  ///
  /// - Returns: What the log says of it.
  private static func renewed(
    _ server: MemoirServer, _ arguments: ParsedArguments, in context: CommandContext
  ) -> [UInt8] {
    do {
      guard let certificate = try readCertificate(arguments) else {
        return line("hangup", in: context) { _ in }
      }
      do throws(HTTPServerError) { try server.use(certificate) } catch { throw problem(error, arguments) }
      return line("certificate_renewed", in: context) { _ in }
    } catch {
      return line("certificate_not_renewed", level: "error", in: context) { writer in
        writer.key("message")
        writer.string(MemoirError(error).message)
      }
    }
  }

  private static func line(
    _ event: String, level: String = "info", in context: CommandContext, _ members: (inout JSONWriter) -> Void
  ) -> [UInt8] {
    JSONWriter.objectLine { writer in
      writer.key("time")
      writer.string(context.now().description)
      writer.key("level")
      writer.string(level)
      writer.key("event")
      writer.string(event)
      members(&writer)
    }
  }

  // MARK: What is refused

  private static func refusePlaintext(_ arguments: ParsedArguments) throws(MemoirError) {
    guard !arguments[listen].isLoopback, arguments[certificate] == nil, !arguments[plaintext] else { return }
    throw .invalid(
      field: "--listen",
      """
      \(arguments[listen]) can be reached from elsewhere, and without TLS whoever is on the way reads along: give \
      --tls-certificate and --tls-key, or --insecure-plaintext where something else encrypts
      """)
  }

  private static func refuseNoKeys(_ hasKeys: Bool, _ arguments: ParsedArguments) throws(MemoirError) {
    guard !arguments[listen].isLoopback, !hasKeys, !arguments[noKeys] else { return }
    throw .invalid(
      field: "--listen",
      """
      \(arguments[listen]) can be reached from elsewhere, and the store has no key: whoever reaches it could do \
      everything; make a key first, or give --insecure-no-keys
      """)
  }

  private static func readCertificate(_ arguments: ParsedArguments) throws -> TLSCertificate? {
    switch (arguments[certificate], arguments[key]) {
    case (nil, nil): return nil
    case (let chain?, let key?):
      return TLSCertificate(
        chain: try text(of: chain, field: "--tls-certificate"), key: try text(of: key, field: "--tls-key"))
    case (_, nil): throw MemoirError.invalid(field: "--tls-key", "is missing; --tls-certificate needs it")
    case (nil, _): throw MemoirError.invalid(field: "--tls-certificate", "is missing; --tls-key needs it")
    }
  }

  private static func text(of path: String, field: String) throws -> String {
    let file = try InputSource.file(path).open(field: field)
    return String(decoding: try file.readToEnd(limit: 1 << 20), as: UTF8.self)
  }

  private static func problem(_ error: HTTPServerError, _ arguments: ParsedArguments) -> MemoirError {
    switch error {
    case .system(let error): MemoirError.invalid(field: "--listen", "cannot be listened at: \(error.description)")
    case .certificate: MemoirError.invalid(field: "--tls-certificate", "is no PEM certificate that --tls-key fits")
    case .failed: MemoirError(.internal, "the server could not be started")
    }
  }
}

extension ArgumentKind where Value == ListenAddress {
  static var listenAddress: Self {
    Self("HOST:PORT") { text throws(ArgumentProblem) in
      do throws(ListenAddress.Invalid) {
        return try ListenAddress(text)
      } catch {
        throw ArgumentProblem("\(SafeText.quoted(text)) \(error.reason)")
      }
    }
  }
}
