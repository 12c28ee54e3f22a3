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

  static let row = CommandRow(
    name: "serve",
    summary: "Serve the store over HTTP",
    section: .serving,
    discussion: """
      Answers until it is asked to end (SIGTERM, SIGINT): then it takes no more requests, finishes those under way,
      closes the store and exits with 0. On SIGHUP it reads the certificate and its key anew. It also closes sessions
      that nobody ended, as 'memoir sweep' does.

      The log goes to standard error: a line of JSON for each request, without anything that people said. One process
      at a time serves a store; others may read it and append to it meanwhile.
      """,
    arguments: [listen, certificate, key],
    examples: [
      CommandExample("memoir serve", "Serve this machine alone; 'curl http://127.0.0.1:3300/readyz' asks whether it is ready."),
    ],
    exitCodes: .ofReading())

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    var options = MemoirServerOptions(arguments[listen])
    options.http.certificate = try readCertificate(arguments)
    let errors = context.errors
    options.log = { line in try? errors.write(json: line) }

    let store = try arguments.openStore(for: .creating, usesModels: true, in: context)
    let code: ExitCode
    do {
      code = try serve(store, options, arguments, in: context)
    } catch {
      try? store.close()
      throw arguments.spelled(error)
    }
    try store.close()
    return code
  }

  private static func serve(
    _ store: MemoirStore, _ options: MemoirServerOptions, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> ExitCode {
    let lock = try FileLock(path: store.log.folder + "/serve.lock")
    guard try lock.tryLock(.exclusive) else {
      throw MemoirError(.unavailable, "another process serves this store")
    }
    try Interruption.watch()
    try Interruption.watchHangups()
    try store.maintainSnapshots()
    let server: MemoirServer
    do throws(HTTPServerError) {
      server = try MemoirServer(store, options)
    } catch {
      throw problem(error, arguments)
    }
    try context.errors.write(
      json: JSONWriter.objectLine { writer in
        writer.key("time")
        writer.string(context.now().description)
        writer.key("level")
        writer.string("info")
        writer.key("event")
        writer.string("ready")
        writer.key("address")
        writer.string(server.address.description)
        writer.key("tls")
        writer.bool(options.http.certificate != nil)
      })
    while Interruption.signal == nil {
      MonotonicClock.sleep(nanoseconds: 20_000_000)
      if Interruption.takeHangup() {
        do {
          if let certificate = try readCertificate(arguments) { try server.use(certificate) }
        } catch {
          // The old one goes on.
          try? context.errors.print("memoir: the certificate was not read anew: \(MemoirError(error).message)")
        }
      }
    }
    server.end()
    return .done
  }

  private static func readCertificate(_ arguments: ParsedArguments) throws -> TLSCertificate? {
    switch (arguments[certificate], arguments[key]) {
    case (nil, nil): return nil
    case (let chain?, let key?): return TLSCertificate(chain: try text(of: chain), key: try text(of: key))
    case (_, nil): throw MemoirError.invalid(field: "--tls-key", "is missing; --tls-certificate needs it")
    case (nil, _): throw MemoirError.invalid(field: "--tls-certificate", "is missing; --tls-key needs it")
    }
  }

  private static func text(of path: String) throws -> String {
    String(decoding: try Descriptor(opening: path, for: .reading).readToEnd(limit: 1 << 20), as: UTF8.self)
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
