// Of several who answer, the first is heard.
internal import Synchronization

/// Resumes a continuation with the first answer given, and passes over all others.
final class FirstAnswer<Answer: Sendable>: Sendable {
  private let continuation: Mutex<CheckedContinuation<Answer, Never>?>

  init(_ continuation: CheckedContinuation<Answer, Never>) { self.continuation = Mutex(continuation) }

  func give(_ answer: Answer) {
    let waiting = continuation.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    waiting?.resume(returning: answer)
  }
}
