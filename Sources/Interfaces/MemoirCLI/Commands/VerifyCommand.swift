// `memoir verify`: proves that the log is what was written.
import JSON
import Memoir

enum VerifyCommand: Command {
  static let repairDerived = Argument.flag(
    "repair-derived", help: "Throw away and rebuild all that is derived from the log.")
  static let since = Argument.option(
    "since", .input, help: "Prove also that all before this attestation is as it was then.")
  static let export = Argument.option(
    "export", .input, excludes: ["--repair-derived", "--since"],
    help: "Check this export instead of a store, which need not be there.")
  static let publicKey = Argument.option(
    "public-key", .publicKey, help: "The key, of 64 digits, that the attestation or export must be signed with.")

  static let row = CommandRow(
    name: "verify",
    summary: "Prove that no event was changed, lost or moved",
    section: .care,
    discussion: """
      Reads everything: checksums of all records, the hash chains of every stream and of the log, and whether
      what is derived from the log agrees with it; then the store's records: keys, grants, receipts, and the access
      log with its chain. Users that were erased verify like all others. With --namespace all is read just so, and told is
      what concerns that namespace, or no user.

      Whoever can write the file can rewrite the log with all its chains, and so that it verifies. An attestation
      that was kept elsewhere tells: --since proves that the history up to it is still the same. Erasures since make
      no difference.

      With --export it checks what 'export' printed, without any store: that all lines are there, unchanged and in
      order, that they are the events of one chain, and that the store's key has signed them. Whose key that is, a
      file cannot prove: --public-key holds it to one that you know.
      """,
    arguments: [repairDerived, since, export, publicKey],
    examples: [
      CommandExample("memoir verify", "Check the whole store."),
      CommandExample("memoir verify --since 2026-03-09.attestation", "Prove that no history was rewritten."),
      CommandExample("memoir verify --export user-bob.jsonl", "Check an export, wherever it came from."),
    ],
    exitCodes: .ofReading(
      usage: "wrong usage; a file that is no attestation of this store, or no export",
      corrupt: "something is not what was written; the output says what"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    if let file = arguments[export] {
      return try ExportCheck.run(file, pinned: arguments[publicKey], arguments, in: context)
    }
    guard arguments[publicKey] == nil || arguments[since] != nil else {
      throw MemoirError.invalid(field: "--public-key", "goes with --since or --export")
    }
    do {
      return try verify(arguments, in: context)
    } catch let error as MemoirError where error.code == .corrupt {
      throw CannotBeOpened(error: error)
    }
  }

  private static func verify(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    let repairs = arguments[repairDerived]
    let attestation = try arguments[since].map { file throws(MemoirError) in
      try Attestation(try file.readLine(field: "--since", limit: 4_096), field: "--since")
    }
    return try arguments.withStore(for: repairs ? .writing : .reading, in: context) { store in
      if let attestation { try store.check(attestation, pinned: arguments[publicKey], field: "--since") }
      if repairs {
        let progress = ProgressOfPositions("rebuilding", in: context)
        defer { progress.finish() }
        try store.log.repairDerived { done, total in progress.report(done, of: total) }
      }
      let progress = ProgressOfPositions("verifying", in: context)
      let namespace = arguments[GlobalOptions.namespace]
      let report = try store.verify(against: attestation?.head, in: namespace) { done, total in
        progress.report(done, of: total)
      }
      progress.finish()
      if arguments.wantsJSON {
        try context.output.write(json: json(report, since: attestation, in: namespace))
      } else {
        try show(report, since: attestation, in: namespace, on: context.output)
      }
      return report.isSound ? .done : .corrupt
    }
  }

  private static func json(
    _ report: VerifyReport, since attestation: Attestation?, in namespace: Namespace?
  ) -> [UInt8] {
    JSONWriter.objectLine { writer in
      writer.key("access_chain")
      writer.string(report.accessChain)
      writer.key("accesses")
      writer.integer(report.accesses)
      writer.key("chain")
      writer.string(report.chain)
      writer.key("erased")
      writer.integer(report.erased)
      writer.key("erasures")
      writer.integer(report.erasures)
      writer.key("events")
      writer.integer(report.events)
      if let namespace {
        writer.key("namespace")
        writer.string(namespace.description)
      }
      writer.key("position")
      writer.integer(report.position.number)
      writer.key("problem_count")
      writer.integer(report.problemCount)
      writer.key("problems")
      writer.beginArray()
      for problem in report.problems {
        writer.beginObject()
        writer.key("kind")
        writer.string(problem.kind.rawValue)
        if let stream = problem.stream {
          writer.key("namespace")
          writer.string(stream.namespace.description)
        }
        if let position = problem.position {
          writer.key("position")
          writer.integer(position.number)
        }
        writer.key("reason")
        writer.string(problem.reason)
        if let stream = problem.stream, !stream.isNameless {
          writer.key("user")
          writer.string(stream.user.description)
        }
        if let version = problem.version {
          writer.key("version")
          writer.integer(version.number)
        }
        writer.endObject()
      }
      writer.endArray()
      writer.key("redacted")
      writer.integer(report.redacted)
      if let attestation {
        writer.key("since")
        writer.integer(attestation.head.position.number)
      }
      writer.key("snapshots")
      writer.integer(report.snapshots)
      writer.key("sound")
      writer.bool(report.isSound)
      writer.key("users")
      writer.integer(report.streams)
    }
  }

  /// Problems shown to people; the others are counted.
  private static let shownProblems = 20

  static func show(
    _ report: VerifyReport, since attestation: Attestation? = nil, in namespace: Namespace? = nil, on output: Console
  ) throws {
    var what: StyledText =
      "\(Quantity.count(report.events, "event")) of \(Quantity.count(report.streams, "user"))"
    if let namespace { what.append(" in \(namespace, .accent)") }
    if report.isSound {
      var line: StyledText = "\("Sound.", .good) \(what): every record is whole, and both chains hold."
      if report.erasures > 0 {
        let by = Quantity.count(report.erasures, "erasure")
        line.append(" What \(Quantity.count(report.erased)) of them said was taken out by \(by).")
      }
      // By whom, and why, nothing proves.
      let others = report.redacted - report.erased
      if others > 0 {
        line.append(" What \(Quantity.count(others)) of them said was taken out one by one, as retention does.")
      }
      try output.print(line)
      if report.events > 0 {
        // What stands for all of it; to be kept elsewhere, and compared.
        try output.print(
          StyledText("chain \(report.chain)", .dim))
      }
      if let head = attestation?.head {
        let time = head.recordedAt.map { ", recorded \($0.second)," } ?? ""
        try output.print("Up to position \(Quantity.count(head.position.number))\(time) it is the history attested.")
      }
      if report.accesses > 0 {
        try output.print("The access log holds: \(Quantity.count(report.accesses, "access", plural: "accesses")).")
        try output.print(StyledText("chain \(report.accessChain)", .dim))
      }
      return
    }
    let count = Quantity.count(report.problemCount, "problem")
    try output.print("\("Damaged.", .bad) \(what): \(count, .bold).")
    for problem in report.problems.prefix(shownProblems) {
      try output.paragraph(sentence(problem), hanging: "  • ")
    }
    if report.problemCount > shownProblems {
      try output.print("  … and \(Quantity.count(report.problemCount - shownProblems)) more")
    }
    if report.problems.allSatisfy({ $0.kind == .records }) {
      try output.paragraph(
        "\nNo event is concerned, only the store's own records, which nothing makes anew: restore a backup with 'memoir restore'."
      )
    } else if report.problems.contains(where: { $0.kind != .derived }) {
      try output.paragraph("\nThe log itself is concerned: restore a backup with 'memoir restore'.")
    } else {
      try output.paragraph(
        "\nNo event is concerned, only what is derived from them: 'memoir verify --repair-derived' makes it anew."
      )
    }
  }

  private static func sentence(_ problem: VerifyProblem) -> String {
    var place: [String] = []
    if let position = problem.position { place.append("position \(Quantity.count(position.number))") }
    if let stream = problem.stream {
      place.append("user \(stream)" + (problem.version.map { ", version \($0)" } ?? ""))
    }
    let kind =
      switch problem.kind {
      case .derived: "derived data: "
      case .file: "the data file: "
      case .records: "the store's records: "
      case .log: ""
      }
    return kind + (place.isEmpty ? "" : place.joined(separator: ", ") + ": ") + problem.reason
  }
}

/// Damage that leaves nothing to verify.
private struct CannotBeOpened: Error, ReportableError {
  let error: MemoirError

  var report: ErrorReport {
    // About that file the message itself says what to do; the data is not concerned.
    if error.message.contains("/\(EventLog.tombstonesName) ") { return error.report(hints: []) }
    return error.report(hints: ["The store cannot even be opened: restore a backup with 'memoir restore'."])
  }
}
