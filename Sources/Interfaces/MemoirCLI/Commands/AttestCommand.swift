// `memoir attest`: what the history is by now, signed.
import JSON
import Memoir

enum AttestCommand: Command {
  static let row = CommandRow(
    name: "attest",
    summary: "Sign what the history is by now",
    section: .care,
    discussion: """
      Prints a line of JSON: the log's last position, its chain there, which stands for every event before, the
      store, its public key, and an Ed25519 signature. Kept where whoever holds the store cannot change it, it proves
      later, with 'verify --since', that none of those events was changed, left out, moved or put in. The first time it
      makes the store's key.
      """,
    examples: [
      CommandExample("memoir attest > 2026-03-09.attestation", "Sign, and keep it elsewhere."),
      CommandExample("memoir verify --since 2026-03-09.attestation", "Prove that all before stayed as it was."),
    ],
    exitCodes: .ofReading())

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> ExitCode {
    guard arguments[GlobalOptions.namespace] == nil else {
      throw MemoirError.invalid(field: "--namespace", "means nothing here: the whole log is attested")
    }
    return try arguments.withSigningStore(in: context) { store in
      try context.output.write(json: try store.attest().text + [UInt8(ascii: "\n")])
      return .done
    }
  }
}
