// `memoir verify --export`: whether an export is what was exported, without the store it comes from.
import JSON
import Memoir
import Platform

enum ExportCheck {
  static func run(
    _ file: InputSource, pinned: PublicKey?, _ arguments: ParsedArguments, in context: CommandContext
  ) throws -> ExitCode {
    let report = try check(file, pinned: pinned)
    if arguments.wantsJSON {
      try context.output.write(json: json(report))
    } else {
      try show(report, isPinned: pinned != nil, on: context.output)
    }
    return report.isSound ? .done : .corrupt
  }

  private static func check(_ file: InputSource, pinned: PublicKey?) throws(MemoirError) -> ExportReport {
    var lines = LineReader(try file.open(field: "--export"), lineLimit: EventReader.lineLimit)
    var verifier = try ExportVerifier(firstLine: try next(&lines) ?? [], pinned: pinned, field: "--export")
    while let line = try next(&lines) { verifier.add(line) }
    return verifier.finish()
  }

  private static func next(_ lines: inout LineReader) throws(MemoirError) -> [UInt8]? {
    do throws(PlatformError) { return try lines.next() } catch {
      if error.isTooLong { throw .invalid(field: "--export", "has a line longer than \(EventReader.lineLimit) bytes") }
      throw error.asMemoirError
    }
  }

  private static func json(_ report: ExportReport) -> [UInt8] {
    JSONWriter.objectLine { writer in
      writer.key("events")
      writer.integer(report.events)
      writer.key("from_version")
      writer.integer(report.first.number)
      if let problem = report.problem {
        writer.key("line")
        writer.integer(problem.line)
      }
      writer.key("namespace")
      writer.string(report.user.namespace.description)
      writer.key("public_key")
      writer.string(report.publicKey.description)
      if let problem = report.problem {
        writer.key("reason")
        writer.string(problem.reason)
      }
      writer.key("redacted")
      writer.integer(report.redacted)
      writer.key("sound")
      writer.bool(report.isSound)
      writer.key("store_id")
      writer.string(report.storeID.description)
      writer.key("to_version")
      writer.integer(report.last.number)
      writer.key("user")
      writer.string(report.user.user.description)
    }
  }

  private static func show(_ report: ExportReport, isPinned: Bool, on output: Console) throws {
    let what = "\(Quantity.count(report.events, "event")) of \(report.user)"
    if let problem = report.problem {
      try output.paragraph("Damaged: line \(Quantity.count(problem.line)) \(SafeText.line(problem.reason)).")
      return
    }
    var line: StyledText = "\("Sound.", .good) \(what), unchanged, signed by the store \(report.storeID.description)."
    if report.redacted > 0 {
      line.append(" Of \(Quantity.count(report.redacted)) of them the content was removed before.")
    }
    try output.print(line)
    if !isPinned {
      // The file vouches for itself otherwise.
      try output.print(StyledText("public key \(report.publicKey); compare it with one that you know", .dim))
    }
  }
}
