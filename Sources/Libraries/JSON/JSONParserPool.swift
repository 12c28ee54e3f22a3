// Parsers that wait to be used again.
internal import Synchronization

/// Lends parsers, and keeps those that come back: making one takes longer than to parse a short text.
package final class JSONParserPool: Sendable {
  // SAFETY: a parser that is in here nobody has, and whoever takes it out has it alone.
  @safe
  private struct Idle: @unchecked Sendable {
    let parser: JSONParser
  }

  /// More are let go.
  private static let limit = 16

  private let idle = Mutex<[Idle]>([])

  /// A pool without a parser yet.
  package init() {}

  /// Lends a parser to `body`, for as long as that runs.
  package func withParser<Result>(_ body: (JSONParser) throws -> Result) rethrows -> Result {
    let lent = idle.withLock { $0.popLast() } ?? Idle(parser: JSONParser())
    defer {
      idle.withLock { idle in
        if idle.count < Self.limit { idle.append(lent) }
      }
    }
    return try body(lent.parser)
  }
}
