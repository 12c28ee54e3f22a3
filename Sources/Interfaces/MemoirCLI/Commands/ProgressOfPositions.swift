// How far a verification or a rebuilding has come.
private import Synchronization

/// Progress over the positions of the log, whose number is known at the first report.
final class ProgressOfPositions: Sendable {
  private let label: String
  private let context: CommandContext
  private let progress = Mutex<Progress?>(nil)

  init(_ label: String, in context: CommandContext) {
    self.label = label
    self.context = context
  }

  func report(_ done: UInt64, of total: UInt64) {
    progress.withLock { progress in
      if progress == nil {
        progress = Progress(
          label, total: Int(clamping: total), on: context.errors, clock: context.monotonic)
      }
      progress?.update(to: Int(clamping: done))
    }
  }

  func finish() { progress.withLock { $0?.finish() } }
}
