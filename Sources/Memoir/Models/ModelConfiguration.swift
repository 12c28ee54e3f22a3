// Which models to ask, from the environment or a file of the same names.
internal import Platform

/// The models that a program is told to use.
///
/// | variable | says |
/// |---|---|
/// | `MEMOIR_EMBEDDINGS_URL`, `MEMOIR_CHAT_URL` | the base address, e.g. `http://127.0.0.1:8080/v1` |
/// | `MEMOIR_EMBEDDINGS_MODEL`, `MEMOIR_CHAT_MODEL` | the model's name there |
/// | `MEMOIR_EMBEDDINGS_KEY`, `MEMOIR_CHAT_KEY` | the key, or with `_FILE` the file that holds it |
/// | `MEMOIR_EMBEDDINGS_TIMEOUT`, `MEMOIR_CHAT_TIMEOUT` | seconds that a call may take, repeats included |
/// | `MEMOIR_MODELS_FILE` | a file of lines `NAME=value` with any of the above; the environment goes before it |
public struct ModelConfiguration: Sendable {
  /// Where vectors come from, where anything was said.
  public var embeddings: ModelEndpoint?
  /// Who answers in words, where anything was said.
  public var chat: ModelEndpoint?

  /// No models.
  public init(embeddings: ModelEndpoint? = nil, chat: ModelEndpoint? = nil) {
    self.embeddings = embeddings
    self.chat = chat
  }

  /// Reads the configuration.
  ///
  /// - Parameter variable: The value of a variable of the environment; `nil` where it is not set.
  /// - Throws: `invalid_argument` that names the variable; a key is never in the text.
  public init(environment variable: (String) -> String?) throws(MemoirError) {
    let file = try Self.value("MEMOIR_MODELS_FILE", variable)
    let lines = try file.map(Self.lines) ?? [:]
    let named = { (name: String) -> String? in variable(name).flatMap { $0.isEmpty ? nil : $0 } ?? lines[name] }
    embeddings = try Self.endpoint("MEMOIR_EMBEDDINGS", timeLimit: .seconds(60), named)
    chat = try Self.endpoint("MEMOIR_CHAT", timeLimit: .seconds(120), named)
  }

  private static func endpoint(
    _ prefix: String, timeLimit: Duration, _ named: (String) -> String?
  ) throws(MemoirError) -> ModelEndpoint? {
    guard let url = named("\(prefix)_URL") else {
      // Whoever gives the one without the other means to use a model.
      for rest in ["MODEL", "KEY", "KEY_FILE", "TIMEOUT"] where named("\(prefix)_\(rest)") != nil {
        throw .invalid(field: "\(prefix)_URL", "is missing, while \(prefix)_\(rest) is set")
      }
      return nil
    }
    guard let model = named("\(prefix)_MODEL") else {
      throw .invalid(field: "\(prefix)_MODEL", "is missing, while \(prefix)_URL is set")
    }
    let key = try key(prefix, named)
    var limit = timeLimit
    if let text = named("\(prefix)_TIMEOUT") {
      guard let seconds = Double(text), seconds.isFinite, seconds > 0, seconds <= 3_600 else {
        throw .invalid(field: "\(prefix)_TIMEOUT", "is a number of seconds, more than 0 and at most 3600")
      }
      limit = .seconds(seconds)
    }
    do throws(MemoirError) {
      return try ModelEndpoint(baseURL: url, model: model, key: key, timeLimit: limit)
    } catch {
      let names = ["base_url": "URL", "model": "MODEL", "key": key == nil ? "KEY" : keySource(prefix, named)]
      guard let colon = error.message.firstIndex(of: ":"), let name = names[String(error.message[..<colon])] else {
        throw error
      }
      throw .invalid(field: "\(prefix)_\(name)", String(error.message[colon...].dropFirst(2)))
    }
  }

  private static func keySource(_ prefix: String, _ named: (String) -> String?) -> String {
    named("\(prefix)_KEY") == nil ? "KEY_FILE" : "KEY"
  }

  private static func key(_ prefix: String, _ named: (String) -> String?) throws(MemoirError) -> SecretKey? {
    let (value, path) = (named("\(prefix)_KEY"), named("\(prefix)_KEY_FILE"))
    if value != nil, path != nil {
      throw .invalid(field: "\(prefix)_KEY_FILE", "is given, and \(prefix)_KEY too: one of them")
    }
    if let value { return SecretKey(value) }
    guard let path else { return nil }
    let text = try contents(of: path, named: "\(prefix)_KEY_FILE")
    return SecretKey(text.trimmed)
  }

  private static func lines(_ path: String) throws(MemoirError) -> [String: String] {
    let field = "MEMOIR_MODELS_FILE"
    var values: [String: String] = [:]
    for (index, line) in try contents(of: path, named: field).split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated()
    {
      let line = String(line).trimmed
      if line.isEmpty || line.hasPrefix("#") { continue }
      let name = String(line.prefix { $0 != "=" }).trimmed
      guard known.contains(name), name.utf8.count < line.utf8.count else {
        throw .invalid(
          field: field, "line \(index + 1) of \(path) is not NAME=value with a name of those that are known")
      }
      guard values[name] == nil else {
        throw .invalid(field: field, "line \(index + 1) of \(path) has \(name) once more")
      }
      values[name] =
        String(line[line.index(line.startIndex, offsetBy: name.count)...].drop { $0 != "=" }.dropFirst()).trimmed
    }
    return values
  }

  private static let known: Set<String> = Set(
    ["EMBEDDINGS", "CHAT"].flatMap { kind in
      ["URL", "MODEL", "KEY", "KEY_FILE", "TIMEOUT"].map { "MEMOIR_\(kind)_\($0)" }
    })

  private static func value(_ name: String, _ variable: (String) -> String?) throws(MemoirError) -> String? {
    variable(name).flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The text in a file that `field` names.
  static func contents(of path: String, named field: String) throws(MemoirError) -> String {
    let status: FileStatus?
    var bytes: [UInt8]?
    do throws(PlatformError) {
      status = try Files.status(path)
      // Not to wait for the writer of a pipe.
      if status?.kind == .file { bytes = try Files.read(path, limit: 1 << 16) }
    } catch {
      throw .invalid(field: field, error.description)
    }
    guard status != nil else { throw .invalid(field: field, "there is no file \(path)") }
    guard let bytes, let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalid(field: field, "\(path) is no file of UTF-8 text")
    }
    return text
  }
}

extension String {
  /// Without white space at both ends.
  var trimmed: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
