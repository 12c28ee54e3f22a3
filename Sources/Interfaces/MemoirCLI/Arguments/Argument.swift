// Options, flags and positional arguments: declared once, as the keys by which a command reads them back.

/// An argument of a command: its line in the table, and the key to what was given for it.
///
/// ```swift
/// static let limit = Argument.option("limit", .number(in: 1...Int.max), short: "n", help: "At most N events.")
/// …
/// let limit = arguments[Self.limit]  // Int?
/// ```
/// The type of `Result` follows from how it is declared: an option is `Value?`, one with a default `Value`, a
/// repeatable one `[Value]`, a flag `Bool`.
struct Argument<Result>: ArgumentEntry {
  let spec: ArgumentSpec
  /// Makes the result of the values given, of which each came from `spec.read`.
  let result: @Sendable ([any Sendable]) -> Result

  var specs: [ArgumentSpec] { [spec] }
  var usage: String { spec.usage }

  fileprivate init(_ spec: ArgumentSpec, result: @escaping @Sendable ([any Sendable]) -> Result) {
    self.spec = spec
    self.result = result
  }
}

/// Something a command's row lists among its arguments: an argument, or a group of which one may be given.
protocol ArgumentEntry: Sendable {
  var specs: [ArgumentSpec] { get }
  /// As it stands in the usage line, with brackets where it may be left out.
  var usage: String { get }
}

/// A line of the table: all about an argument but the type of its value.
struct ArgumentSpec: Sendable {
  enum Form: Sendable { case flag, option, positional }

  let form: Form
  /// `limit` for `--limit`; what it is called in usage for a positional argument.
  let name: String
  var short: Character?
  var placeholder = ""
  var candidates = Candidates.none
  var isRequired = false
  var isRepeatable = false
  var defaultText: String?
  let help: String
  /// Arguments, as spelled, without which this one means nothing.
  var needs: [String] = []
  /// Arguments, as spelled, which cannot stand beside this one.
  var excludes: [String] = []
  let read: @Sendable (String) throws(ArgumentProblem) -> any Sendable

  /// As one writes it: `--limit`, or `USER`.
  var spelled: String { form == .positional ? name : "--" + name }

  /// `--limit N`, or `USER`.
  var term: String { form == .option ? spelled + " " + placeholder : spelled }

  /// `[--type T]…`
  var usage: String { (isRequired ? term : "[" + term + "]") + (isRepeatable ? "…" : "") }
}

extension Argument {
  /// A flag: given or not.
  static func flag(
    _ name: String, short: Character? = nil, needs: [String] = [], excludes: [String] = [], help: String
  ) -> Self where Result == Bool {
    Self(
      ArgumentSpec(
        form: .flag, name: name, short: short, help: help, needs: needs, excludes: excludes,
        read: { _ throws(ArgumentProblem) in true })
    ) { !$0.isEmpty }
  }

  /// An option with a value, `nil` where it is not given.
  static func option<Value>(
    _ name: String, _ kind: ArgumentKind<Value>, short: Character? = nil, needs: [String] = [],
    excludes: [String] = [], help: String
  ) -> Self where Result == Value? {
    Self(.taking(kind, .option, name, short, help: help, needs: needs, excludes: excludes)) {
      $0.last.map(value)
    }
  }

  /// An option with a value of its own where it is not given.
  ///
  /// - Parameter shownDefault: The default as help shows it.
  static func option(
    _ name: String, _ kind: ArgumentKind<Result>, short: Character? = nil, default defaultValue: Result,
    shownDefault: String? = nil, needs: [String] = [], excludes: [String] = [], help: String
  ) -> Self where Result: CustomStringConvertible & Sendable {
    var spec = ArgumentSpec.taking(kind, .option, name, short, help: help, needs: needs, excludes: excludes)
    spec.defaultText = shownDefault ?? defaultValue.description
    return Self(spec) { $0.last.map(value) ?? defaultValue }
  }

  /// An option that must be given.
  static func required(
    _ name: String, _ kind: ArgumentKind<Result>, short: Character? = nil, help: String
  ) -> Self where Result: Sendable {
    var spec = ArgumentSpec.taking(kind, .option, name, short, help: help)
    spec.isRequired = true
    return Self(spec, result: only)
  }

  /// An option that may be given again and again.
  static func options<Value>(
    _ name: String, _ kind: ArgumentKind<Value>, short: Character? = nil, needs: [String] = [],
    excludes: [String] = [], help: String
  ) -> Self where Result == [Value] {
    var spec = ArgumentSpec.taking(kind, .option, name, short, help: help, needs: needs, excludes: excludes)
    spec.isRepeatable = true
    return Self(spec) { $0.map(value) }
  }

  /// A positional argument that must be given; called as its kind, if not otherwise.
  static func positional(
    _ kind: ArgumentKind<Result>, called name: String? = nil, help: String
  ) -> Self where Result: Sendable {
    var spec = ArgumentSpec.taking(kind, .positional, name ?? kind.placeholder, help: help)
    spec.isRequired = true
    return Self(spec, result: only)
  }

  /// A positional argument that may be left out.
  static func optionalPositional<Value>(
    _ kind: ArgumentKind<Value>, called name: String? = nil, help: String
  ) -> Self where Result == Value? {
    Self(.taking(kind, .positional, name ?? kind.placeholder, help: help)) { $0.last.map(value) }
  }

  /// All positional arguments that are left; the last of its row.
  static func positionals<Value>(
    _ kind: ArgumentKind<Value>, called name: String? = nil, help: String
  ) -> Self where Result == [Value] {
    var spec = ArgumentSpec.taking(kind, .positional, name ?? kind.placeholder, help: help)
    spec.isRepeatable = true
    return Self(spec) { $0.map(value) }
  }
}

extension ArgumentSpec {
  fileprivate static func taking<Value>(
    _ kind: ArgumentKind<Value>, _ form: Form, _ name: String, _ short: Character? = nil, help: String,
    needs: [String] = [], excludes: [String] = []
  ) -> Self {
    Self(
      form: form, name: name, short: short, placeholder: kind.placeholder, candidates: kind.candidates,
      help: help,
      needs: needs, excludes: excludes, read: { text throws(ArgumentProblem) in try kind.read(text) })
  }
}

/// The value that the parser stored under a key was read by that key's own kind.
private func value<Value>(_ stored: any Sendable) -> Value {
  guard let value = stored as? Value else {
    preconditionFailure("two arguments of one name in a row: \(type(of: stored)) is no \(Value.self)")
  }
  return value
}

/// What the parser has seen to be there.
private func only<Value>(_ stored: [any Sendable]) -> Value {
  guard let last = stored.last else { preconditionFailure("a required argument is missing after parsing") }
  return value(last)
}

/// Options of which at most one may be given, shown under one name.
struct ExclusiveGroup: ArgumentEntry {
  /// As usage shows it, e.g. `AS-OF`.
  let name: String
  let help: String
  let entries: [any ArgumentEntry]

  var specs: [ArgumentSpec] { entries.flatMap(\.specs) }
  var usage: String { "[\(name)]" }
}
