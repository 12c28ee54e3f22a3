// What a server does for its store besides answering: closes sessions that nobody ended, and has vectors made.
import JSON
import Memoir
import Platform
import Synchronization

/// Looks after a store at intervals, until it is ended.
final class Upkeep: Sendable {
  private let store: MemoirStore
  private let sweeper: OrphanSweeper
  private let log: RequestLog
  private let interval: Duration
  private let task = Mutex<Task<Void, Never>?>(nil)
  private let hasEnded = Monitor(false)

  init(_ store: MemoirStore, every interval: Duration, log: RequestLog) {
    self.store = store
    self.interval = interval
    self.log = log
    sweeper = OrphanSweeper(store)
  }

  /// Begins: the first sweep is at once.
  func start() {
    store.maintainVectors()
    task.withLock { $0 = Task { [self] in await run() } }
  }

  /// Ends it at the next occasion.
  func cancel() { task.withLock { $0 }?.cancel() }

  /// Waits until it has ended, no longer than until `deadline` of the monotonic clock. Blocks.
  func wait(until deadline: UInt64) {
    guard task.withLock({ $0 != nil }) else { return }
    _ = hasEnded.wait(until: deadline) { $0 ? () : nil }
  }

  private func run() async {
    var problem: String?
    repeat {
      await sweep()
      // A reader kept it from being done with the erasure. What fails is tried again next time.
      _ = try? await store.log.scrubErased()
      // Said once, and not every minute that it lasts.
      let found = store.embeddingStatus?.problem
      if let found, found != problem {
        // A model's words may repeat what it was sent, which is no matter of the log.
        log.line("embedding_failed", level: "warning") { _ in }
      }
      problem = found
    } while (try? await Task.sleep(for: interval)) != nil
    await store.stopMaintainingVectors()
    hasEnded.change { $0 = true }
  }

  private func sweep() async {
    do throws(MemoirError) {
      let result = try await sweeper.sweep()
      if !result.closed.isEmpty || result.compactions > 0 {
        log.line("swept") { writer in
          writer.member("closed", result.closed.count)
          writer.member("compactions", result.compactions)
        }
      }
      // Whose it was is no matter of the log.
      if let first = result.failures.first, !Task.isCancelled {
        failed(first.error, count: result.failures.count)
      }
    } catch {
      if !Task.isCancelled { failed(error, count: nil) }
    }
  }

  private func failed(_ error: MemoirError, count: Int?) {
    log.line("sweep_failed", level: "error") { writer in
      writer.member("code", error.code.rawValue)
      if let count { writer.member("users", count) }
    }
  }
}
