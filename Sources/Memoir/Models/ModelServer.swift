// Asking a model's server: one request, repeated where that can help, within one time limit.
internal import HTTPClient
internal import JSON

/// How requests are repeated after what may pass.
public struct ModelRetryPolicy: Sendable {
  /// How often a request is made at most.
  public var attempts: Int
  /// How long to wait before the second; twice as long each time after, half of it by chance.
  public var firstDelay: Duration
  /// The longest wait of our own choice.
  public var longestDelay: Duration

  /// Five times in all, half a second at first, half a minute at most.
  public init(
    attempts: Int = 5, firstDelay: Duration = .milliseconds(500), longestDelay: Duration = .seconds(30)
  ) {
    self.attempts = max(attempts, 1)
    self.firstDelay = firstDelay
    self.longestDelay = longestDelay
  }

  /// How long to wait after attempt number `attempt` (from 1 on), where the server does not say.
  ///
  /// The half by chance keeps callers that were refused together from coming back together.
  func delay(after attempt: Int) -> Duration {
    let full = min(firstDelay * (1 << min(attempt - 1, 20)), longestDelay)
    return full / 2 + full / 2 * Double.random(in: 0...1)
  }
}

/// The way to one model.
struct ModelServer: Sendable {
  let endpoint: ModelEndpoint
  let retries: ModelRetryPolicy
  private let client = HTTPClient()

  /// Vectors of a batch come to a megabyte.
  private static let largestAnswer = 64 << 20
  private static let connectLimit = Duration.seconds(10)
  /// What of a server's explanation is handed on.
  private static let longestReason = 300

  init(_ endpoint: ModelEndpoint, _ retries: ModelRetryPolicy) {
    self.endpoint = endpoint
    self.retries = retries
  }

  /// When whoever asks stops waiting, where that is before the endpoint's time limit: what is wrong is said by then.
  @TaskLocal static var patience: ContinuousClock.Instant?

  /// Posts JSON to what lies below the base address, again after what may pass.
  ///
  /// - Throws: ``ModelError``, never later than the endpoint's time limit.
  func post(_ body: [UInt8], to path: StaticString) async throws(ModelError) -> [UInt8] {
    var headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
    if let key = endpoint.key { headers.append(("Authorization", "Bearer \(key.value)")) }
    let request = HTTPRequest(endpoint.address.appending(path), headers: headers, body: body)
    let limit = ContinuousClock.now + endpoint.timeLimit
    let deadline = Self.patience.map { min($0, limit) } ?? limit
    var attempt = 1
    while true {
      let (result, wait) = await ask(request, until: deadline)
      guard case .failure(let error) = result, error.mayPass, attempt < retries.attempts else {
        return try result.get()
      }
      let delay = wait ?? retries.delay(after: attempt)
      // What is asked for only after the end of our time is not worth waiting for.
      guard ContinuousClock.now + delay < deadline else { throw error }
      do { try await Task.sleep(for: delay) } catch { throw .cancelled }
      attempt += 1
    }
  }

  /// Asks once.
  ///
  /// - Returns: The answer's body, or why there is none and how long the server wants to be left alone.
  private func ask(
    _ request: HTTPRequest, until deadline: ContinuousClock.Instant
  ) async -> (Result<[UInt8], ModelError>, wait: Duration?) {
    let left = deadline - ContinuousClock.now
    guard left > .zero else { return (.failure(.timedOut), nil) }
    let limits = HTTPLimits(
      connecting: min(Self.connectLimit, left), total: left, answerSize: Self.largestAnswer)
    let answer: HTTPAnswer
    do throws(HTTPClientError) { answer = try await client.post(request, limits: limits) } catch {
      return (.failure(ModelError(error)), nil)
    }
    switch answer.status {
    case 200..<300: return (.success(answer.body), nil)
    case 429: return (.failure(.rateLimited), answer.retryAfter)
    case 401, 403, 404, 405:
      return (.failure(.misconfigured(status: answer.status, reason: reason(in: answer.body))), nil)
    case 408: return (.failure(.timedOut), answer.retryAfter)
    case 400..<500: return (.failure(.refused(status: answer.status, reason: reason(in: answer.body))), nil)
    default: return (.failure(.failed(status: answer.status)), answer.retryAfter)
    }
  }

  /// What the server says is wrong: of the form that most of them use, else the text itself, cut.
  private func reason(in body: [UInt8]) -> String {
    let said = try? JSONParser().parse(body) { node -> String? in
      node["error"]?["message"]?.string ?? node["error"]?.string ?? node["message"]?.string ?? node["detail"]?.string
    }
    let line = withoutKey(said.flatMap { $0 }.map { Array($0.utf8) } ?? body).unicodeScalars.map {
      $0.properties.generalCategory == .control ? " " : String($0)
    }
    let short = line.joined().prefix(Self.longestReason)
    return short.isEmpty ? "without a word" : String(short)
  }

  /// The beginning of a text, longer than what is shown of it, without the key.
  ///
  /// Where the text is cut, the key may be cut too, and would not be found: so much is left out there.
  private func withoutKey(_ text: [UInt8]) -> String {
    let key = endpoint.key?.value.utf8.count ?? 0
    let piece = text.prefix(4 * Self.longestReason + 2 * key)
    let clean = String(decoding: piece, as: UTF8.self)
    guard let found = endpoint.key?.removed(from: clean) else { return clean }
    return piece.count < text.count ? String(found.unicodeScalars.dropLast(key)) : found
  }
}
