// `memoir context`: what an assistant should know for what is said now.
import JSON
import Memoir

enum ContextCommand: Command {
  static let query = Argument.positionals(
    .text("QUERY"), help: "What the user says or asks; nothing, where a session only begins.")
  static let budget = Argument.option(
    "budget", .amount, default: 4_000, help: "The most tokens that the text may take, as estimated.")

  static let row = CommandRow(
    name: "context",
    summary: "Assemble what an assistant should know now, as text for a prompt",
    section: .memory,
    discussion: """
      Open tasks, decisions, preferences, related history and facts compete for the tokens there are, by priority,
      relevance and recency. A token is estimated at four ASCII characters, or one of any other kind.

      A receipt of it is kept, by which 'memoir receipt' gives the same bytes again. Where the store can't be
      written to, or nobody has heard of the user, there is none.
      """,
    arguments: [CommandRow.user, query, budget, AsOfArguments.group],
    examples: [
      CommandExample("memoir context user-bob 'How do I deploy?' --budget 1000", "What matters for that question.")
    ],
    exitCodes: .ofReading(usage: "wrong usage; a budget or point that can't be"))

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    var request = ContextRequest(arguments[query].joined(separator: " "))
    request.budget = Int(clamping: arguments[budget])
    let wanted = request
    return try await arguments.withStore(for: .writingIfPossible, usesModels: true, in: context) { store in
      let (package, receipt) = try await store.contextWithReceipt(wanted, for: arguments.stream, at: arguments.asOf)
      if arguments.wantsJSON {
        try context.output.write(json: JSONWriter.line { package.write(receipt, to: &$0) })
      } else {
        try context.output.write(package.text)
        try say(package, of: wanted.budget, receipt, in: context)
      }
      return .done
    }
  }

  /// `186 tokens of 4,000; receipt …`, and what was found without meaning.
  static func say(
    _ package: ContextPackage, of budget: Int, _ receipt: ContextReceipt?, in context: CommandContext
  ) throws {
    // On a terminal it stands below what it is about.
    try context.output.flush()
    let omitted = package.omitted == 0 ? "" : "; no room for \(Quantity.count(package.omitted, "item"))"
    let kept = receipt.map { "receipt \($0.id)" } ?? "no receipt"
    try context.errors.print(
      StyledText("\(Quantity.count(package.tokens, "token")) of \(Quantity.count(budget))\(omitted); \(kept)", .dim))
    try MemoryText.sayMeaning(package.meaning, in: context)
    if !package.isKnown { try MemoryText.sayNobody(package.user, in: context) }
  }
}
