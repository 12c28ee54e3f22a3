// `memoir verify`: proves that the log is what was written.

enum VerifyCommand {
  static let repairDerived = Argument.flag(
    "repair-derived", help: "Throw away and rebuild what is derived from the log and does not agree with it.")

  static let row = CommandRow(
    name: "verify",
    summary: "Prove that no event was changed, lost or moved",
    section: .care,
    discussion: """
      Reads everything: checksums of all records, the hash chains of every stream and of the log, and whether
      what is derived from the log agrees with it. Users that were erased verify like all others.
      """,
    arguments: [repairDerived],
    examples: [CommandExample("memoir verify", "Check the whole store.")],
    exitCodes: .ofReading(corrupt: "something is not what was written; the output says what"))
}
