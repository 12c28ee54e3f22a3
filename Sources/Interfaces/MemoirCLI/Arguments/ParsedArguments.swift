// What was given on a command line, read back by the keys that the command declared.

/// The arguments of one call of a command, checked against its row.
struct ParsedArguments: Sendable {
  let row: CommandRow
  /// By the argument's spelling; only what was given.
  private let values: [String: [any Sendable]]

  init(row: CommandRow, values: [String: [any Sendable]]) {
    self.row = row
    self.values = values
  }

  /// What was given for `argument`.
  ///
  /// - Precondition: The command's row lists the argument, or it is one of ``GlobalOptions``. A command that asks
  ///   for anything else would never see a value, so this traps in every build.
  subscript<Result>(argument: Argument<Result>) -> Result {
    precondition(declares(argument.spec), "\(row.name) does not declare \(argument.spec.spelled)")
    return argument.result(values[argument.spec.spelled] ?? [])
  }

  /// Whether an argument, as spelled, was given.
  func has(_ spelled: String) -> Bool { values[spelled] != nil }

  /// The folder of the store: `--store`, else `$MEMOIR_STORE`, else `./memoir.store`.
  func storePath(environment: (String) -> String?) -> String {
    if let given = self[GlobalOptions.store] { return given }
    if let set = environment("MEMOIR_STORE"), !set.isEmpty { return set }
    return "./memoir.store"
  }

  private func declares(_ spec: ArgumentSpec) -> Bool {
    (row.specs + GlobalOptions.specs).contains { $0.spelled == spec.spelled }
  }
}
