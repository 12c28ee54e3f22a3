// Waiting no longer than is wanted, also for work that does not heed its cancellation.
internal import Synchronization

/// The result of `work`; the failure of time out, or of cancellation, where one of these is first. Work that is late is
/// cancelled, and what it comes to is let go: a task group would wait for work that never comes back.
func firstResult<Value: Sendable, Failure: Error>(
  within limit: Duration, timedOut: Failure, cancelled: Failure,
  _ work: @escaping @Sendable () async -> Result<Value, Failure>
) async -> Result<Value, Failure> {
  let first = FirstResult<Value, Failure>()
  let task = Task { first.set(await work()) }
  let timer = Task {
    // Ends early only with the work done.
    if (try? await Task.sleep(for: limit)) != nil { first.set(.failure(timedOut)) }
  }
  let result = await withTaskCancellationHandler {
    await first.wait()
  } onCancel: {
    first.set(.failure(cancelled))
  }
  task.cancel()
  timer.cancel()
  return result
}

/// A result that several may give: the first counts. One task waits for it.
private final class FirstResult<Value: Sendable, Failure: Error>: Sendable {
  private enum State {
    case none
    case waiting(CheckedContinuation<Result<Value, Failure>, Never>)
    case set(Result<Value, Failure>)
  }

  private let state = Mutex(State.none)

  func set(_ result: Result<Value, Failure>) {
    let waiting = state.withLock { state -> CheckedContinuation<Result<Value, Failure>, Never>? in
      if case .set = state { return nil }
      defer { state = .set(result) }
      if case .waiting(let continuation) = state { return continuation }
      return nil
    }
    waiting?.resume(returning: result)
  }

  func wait() async -> Result<Value, Failure> {
    await withCheckedContinuation { continuation in
      let set = state.withLock { state -> Result<Value, Failure>? in
        if case .set(let result) = state { return result }
        state = .waiting(continuation)
        return nil
      }
      if let set { continuation.resume(returning: set) }
    }
  }
}
