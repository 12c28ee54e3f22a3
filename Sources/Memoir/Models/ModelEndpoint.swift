// Where a model is asked, under which name, with which key.
internal import HTTPClient

/// A key that no text shows: printed, described or reflected, it is `(secret)`.
public struct SecretKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  let value: String

  /// The key itself: for whom it is made, at the one time it is shown.
  public var revealed: String { value }

  /// A key.
  public init(_ value: String) { self.value = value }

  /// `(secret)`.
  public var description: String { "(secret)" }
  /// `(secret)`.
  public var debugDescription: String { description }
  /// Nothing.
  public var customMirror: Mirror { Mirror(self, children: [:]) }

  /// A text in which it does not stand, whoever wrote it.
  ///
  /// By scalars: a mark that combines with its last one would hide it.
  func removed(from text: String) -> String {
    if value.isEmpty { return text }
    return String(text.unicodeScalars.replacing(value.unicodeScalars, with: description.unicodeScalars))
  }
}

/// A model behind an OpenAI-compatible interface.
public struct ModelEndpoint: Sendable {
  /// The address up to and without `/embeddings` or `/chat/completions`, e.g. `https://api.openai.com/v1`.
  public let baseURL: String
  /// The model's name there.
  public let model: String
  /// Sent as `Authorization: Bearer …`, where there is one.
  public let key: SecretKey?
  /// What one call may take, repeats included.
  public var timeLimit: Duration

  let address: HTTPAddress

  /// Checks the parts.
  ///
  /// - Throws: `invalid_argument`, naming `base_url`, `model`, `key` or `time_limit`.
  public init(
    baseURL: String, model: String, key: SecretKey? = nil, timeLimit: Duration = .seconds(60)
  ) throws(MemoirError) {
    do throws(HTTPClientError) { address = try HTTPAddress(baseURL) } catch {
      throw .invalid(field: "base_url", error.description)
    }
    guard !model.isEmpty, model.utf8.count <= 200,
      model.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0 != "\u{7f}" })
    else { throw .invalid(field: "model", "is the model's name: 1 to 200 bytes without control characters") }
    if let key {
      guard !key.value.isEmpty, key.value.utf8.count <= 8_192, key.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
      else { throw .invalid(field: "key", "is empty, too long, or has spaces or other than ASCII characters") }
    }
    guard timeLimit > .zero, timeLimit <= .seconds(3_600) else {
      throw .invalid(field: "time_limit", "is more than 0 seconds and at most an hour")
    }
    self.baseURL = baseURL
    self.model = model
    self.key = key
    self.timeLimit = timeLimit
  }
}
