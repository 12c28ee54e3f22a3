// `memoir receipt`: a context that was handed out, again.
import JSON
import Memoir

enum ReceiptCommand: Command {
  static let receipt = Argument.positional(.receipt, help: "As 'memoir context' gave it.")

  static let row = CommandRow(
    name: "receipt",
    summary: "Show a context again as it was handed out",
    section: .memory,
    discussion: """
      The same bytes, whatever was appended, forgotten or revised since: what the assistant knew when it said
      something. Of a user who was erased since, only that.
      """,
    arguments: [receipt],
    examples: [
      CommandExample("memoir receipt 019aa0c1-7d2e-7cc3-98b0-d1a1f1f0a001", "What was known then.")
    ],
    exitCodes: .ofReading(notFound: "no store, or no such receipt"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    try arguments.withStore(in: context) { store in
      let receipt = try store.receipt(arguments[receipt], in: arguments[GlobalOptions.namespace])
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { receipt.write(to: &$0) })
      } else {
        try show(receipt, on: context)
      }
      return .done
    }
  }

  private static func show(_ receipt: ContextReceipt, on context: CommandContext) throws {
    if let erasedAt = receipt.erasedAt {
      try context.output.print(StyledText("The user was erased on \(erasedAt.minute), and the text with them.", .dim))
    } else {
      try context.output.write(receipt.text)
    }
    let asked = receipt.query.isEmpty ? "nothing asked" : "asked: \(SafeText.quoted(receipt.query))"
    try context.errors.print(
      StyledText(
        "\(receipt.user) on \(receipt.createdAt.minute), \(asked), as of \(receipt.asOf), version \(receipt.version)",
        .dim))
  }
}
