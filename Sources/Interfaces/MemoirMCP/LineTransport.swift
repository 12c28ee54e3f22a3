// Messages a line each: what a client writes to standard input, and reads from standard output.
package import Platform

/// Serves a session over lines of text until they end.
///
/// One thread reads, one writes, so that neither a slow call nor a slow reader keeps the other waiting, and no line is
/// mixed with another. A client that asks and does not read is not listened to for long.
package struct LineTransport: Sendable {
  private let session: MCPSession
  private let write: @Sendable ([UInt8]) throws -> Void
  private let traffic = Monitor(Traffic())

  /// The most messages that wait to be answered, or whose answers wait to be read.
  private static let mostWaiting = 64
  /// How often it is asked whether to end, in milliseconds.
  private static let patience = 200

  private struct Traffic {
    /// Messages that are being answered, or whose answers have not been written.
    var waiting = 0
    /// Answers that nobody has begun to write.
    var replies: [[UInt8]] = []
    var isAtEnd = false
    /// Why nothing more can be written.
    var failure: (any Error)?
  }

  /// - Parameter write: Writes a line, and sees to it that it leaves at once. Called by one thread at a time.
  package init(_ session: MCPSession, write: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.session = session
    self.write = write
  }

  /// Answers what `input` says, until its end, or until `isInterrupted`; then ends what was begun.
  ///
  /// - Throws: ``PlatformError`` where nothing can be read, or what `write` throws.
  package func serve(_ input: consuming Descriptor, isInterrupted: @escaping @Sendable () -> Bool) async throws {
    let source = Source(input)
    _ = try DedicatedThread(name: "mcp-reader") { [self] in read(source, isInterrupted) }
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      do {
        _ = try DedicatedThread(name: "mcp-writer") { [self] in
          if let failure = writeReplies() { done.resume(throwing: failure) } else { done.resume() }
        }
      } catch {
        done.resume(throwing: error)
      }
    }
  }

  // MARK: Reading

  /// Lets a thread own the descriptor.
  private final class Source: Sendable {
    let input: Descriptor

    init(_ input: consuming Descriptor) { self.input = input }
  }

  private func read(_ source: Source, _ isInterrupted: () -> Bool) {
    var lines = MessageLines(limit: MCPSession.messageSize)
    var failure: (any Error)?
    do throws(PlatformError) {
      reading: while !isInterrupted() {
        guard try source.input.waitToRead(milliseconds: Self.patience) else {
          if traffic.withLock({ $0.failure != nil }) { break }
          continue
        }
        let chunk = try source.input.read(upTo: 1 << 16)
        for line in chunk.isEmpty ? lines.end() : lines.take(chunk) {
          if !pass(on: line) { break reading }
        }
        if chunk.isEmpty { break }
      }
    } catch {
      failure = error
    }
    traffic.change { [failure] traffic in
      traffic.isAtEnd = true
      traffic.failure = traffic.failure ?? failure
    }
  }

  /// Has a message answered, once there is room for it.
  ///
  /// - Returns: Whether there is anybody left to answer.
  private func pass(on line: MessageLines.Line) -> Bool {
    let canAnswer: Bool? = traffic.wait { traffic in
      if traffic.failure != nil { return false }
      guard traffic.waiting < Self.mostWaiting else { return nil }
      traffic.waiting += 1
      return true
    }
    guard canAnswer == true else { return false }
    switch line {
    case .tooLong: end(with: MCPSession.replyToTooLong())
    case .message(let bytes):
      let answer = session.receive(bytes)
      Task { [self] in end(with: await answer.value) }
    }
    return true
  }

  private func end(with reply: [UInt8]?) {
    traffic.change { [reply] traffic in
      if let reply { traffic.replies.append(reply) } else { traffic.waiting -= 1 }
    }
  }

  // MARK: Writing

  /// Writes replies until there will be no more.
  ///
  /// - Returns: Why it could not go on; `nil` where all is said.
  private func writeReplies() -> (any Error)? {
    while true {
      let next: [[UInt8]]? = traffic.wait { traffic in
        // Whatever became of the output, what was begun is ended.
        if traffic.isAtEnd, traffic.waiting == 0 { return [] }
        if traffic.replies.isEmpty { return nil }
        let replies = traffic.replies
        traffic.replies = []
        return replies
      }
      guard let next, !next.isEmpty else { return traffic.withLock { $0.failure } }
      var failure = traffic.withLock { $0.failure }
      do {
        if failure == nil { for reply in next { try write(reply + [UInt8(ascii: "\n")]) } }
      } catch {
        failure = error
      }
      traffic.change { [failure] traffic in
        traffic.waiting -= next.count
        traffic.failure = traffic.failure ?? failure
      }
    }
  }
}

/// Cuts what arrives into lines.
package struct MessageLines {
  /// A line, without its end.
  package enum Line: Equatable {
    case message([UInt8])
    /// Longer than the limit; its bytes are not kept.
    case tooLong
  }

  private let limit: Int
  private var line: [UInt8] = []
  private var isTooLong = false

  /// - Parameter limit: The most bytes of a line.
  package init(limit: Int) { self.limit = limit }

  /// The lines that end in `chunk`. Empty ones are left out.
  package mutating func take(_ chunk: [UInt8]) -> [Line] {
    var lines: [Line] = []
    var rest = chunk[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      append(rest[..<end])
      lines += self.end()
      rest = rest[(end + 1)...]
    }
    append(rest)
    return lines
  }

  /// The last line, which nothing ended; none where nothing is left.
  package mutating func end() -> [Line] {
    defer {
      line = []
      isTooLong = false
    }
    if isTooLong { return [.tooLong] }
    let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    return isBlank ? [] : [.message(line)]
  }

  private mutating func append(_ bytes: ArraySlice<UInt8>) {
    if isTooLong { return }
    if line.count + bytes.count > limit {
      isTooLong = true
      line = []
    } else {
      line += bytes
    }
  }
}
