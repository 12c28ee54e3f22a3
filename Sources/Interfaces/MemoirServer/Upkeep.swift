// What a server does for its store besides answering: closes sessions that nobody ended, has vectors made, and takes out
// what was to be kept for a time only.
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
    var retainedAt: ContinuousClock.Instant?
    repeat {
      await sweep()
      // A reader kept it from being done with the erasure. What fails is tried again next time.
      _ = try? await store.log.scrubErased()
      let now = ContinuousClock.now
      if retainedAt.map({ now - $0 >= Self.day }) ?? true, await retain() { retainedAt = now }
      await scrub()
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

  private static let day = Duration.seconds(86_400)

  /// - Returns: Whether it was done; else it is tried again at the next occasion.
  private func retain() async -> Bool {
    do throws(MemoirError) {
      if try store.retentionPolicies().isEmpty { return true }
      let report = try await store.runRetention()
      if !report.users.isEmpty {
        log.line("retained") { writer in
          writer.member("users", report.users.count)
          writer.member("events", report.users.reduce(0) { $0 + $1.counts.values.reduce(0, +) })
        }
      }
      if !report.isWhole {
        log.line("retention_damaged", level: "error") { writer in
          writer.member("events", report.damaged.count)
          writer.member("receipts", report.damagedReceipts)
        }
      }
      return true
    } catch {
      if !Task.isCancelled { failed(error, count: nil, "retention_failed") }
      return false
    }
  }

  /// What a reader could still see when it was taken out is cleared when that reader has ended.
  private func scrub() async {
    do throws(MemoirError) { _ = try await store.scrubRedacted() } catch {
      if !Task.isCancelled { failed(error, count: nil, "scrub_failed") }
    }
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

  private func failed(_ error: MemoirError, count: Int?, _ event: String = "sweep_failed") {
    log.line(event, level: "error") { writer in
      writer.member("code", error.code.rawValue)
      if let count { writer.member("users", count) }
    }
  }
}
