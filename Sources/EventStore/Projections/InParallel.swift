// The same work for each of many items, on several threads.
internal import Platform
internal import Synchronization

/// Does `body` for each of `items`, by at most `jobs` threads of which the caller's is one.
///
/// - Returns: The results, in the order of the items.
/// - Throws: The first error that any of them met; items that were not begun by then are left.
func inParallel<Item: Sendable, Outcome: Sendable>(
  _ items: [Item], jobs: Int, _ body: @escaping @Sendable (Item) throws(ReadError) -> Outcome
) throws(ReadError) -> [Outcome] {
  let run = ParallelRun<Outcome>(count: items.count)
  let work: @Sendable () -> Void = {
    while let index = run.next() {
      do throws(ReadError) { run.finish(index, try body(items[index])) } catch { run.fail(error) }
    }
  }
  var threads: [DedicatedThread] = []
  for number in 1..<max(1, min(jobs, items.count)) {
    // Where the system has no thread to give, fewer do the work.
    if let thread = try? DedicatedThread(name: "memoir-fold-\(number)", work) { threads.append(thread) }
  }
  work()
  for thread in threads { thread.join() }
  return try run.outcomes()
}

private final class ParallelRun<Outcome: Sendable>: Sendable {
  private struct State {
    var next = 0
    var outcomes: [Outcome?]
    var error: ReadError?
  }

  private let state: Mutex<State>

  init(count: Int) { state = Mutex(State(outcomes: Array(repeating: nil, count: count))) }

  func next() -> Int? {
    state.withLock { state in
      guard state.error == nil, state.next < state.outcomes.count else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  func finish(_ index: Int, _ outcome: Outcome) { state.withLock { $0.outcomes[index] = outcome } }

  func fail(_ error: ReadError) { state.withLock { if $0.error == nil { $0.error = error } } }

  func outcomes() throws(ReadError) -> [Outcome] {
    let (outcomes, error) = state.withLock { ($0.outcomes, $0.error) }
    if let error { throw error }
    return outcomes.compactMap { $0 }
  }
}
