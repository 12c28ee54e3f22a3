// Waiting on a thread for what tasks do: fuzzers know no tasks.
import Platform

/// Waits until a task has ended. Never on one of the threads that tasks share.
func waiting<Result: Sendable>(for body: @escaping @Sendable () async -> Result) -> Result {
  let box = Monitor<Result?>(nil)
  Task {
    let result = await body()
    box.change { $0 = result }
  }
  while true {
    if let result = box.wait(for: { $0 }) { return result }
  }
}
