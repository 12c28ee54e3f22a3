// Opening a store whose process was killed with a full tail, and one that was closed.
import Memoir

extension Bench {
  func askOpen() throws {
    say("open")
    let folder = try makeFolder()
    defer { try? remove(folder) }
    let store = folder + "/memoir.store"
    let killed = try Child.task("fill", [store, "\(plan.events)", "\(plan.users)", "\(plan.tailEvents)"])
    results.add("open", .memoir, try openTime(of: store))
    results.add("open-tail", .memoir, killed.numbers["tail"] ?? 0)
    _ = try Child.task("close", [store])
    results.add("open-closed", .memoir, try openTime(of: store))
  }

  /// Milliseconds from opening to the first answer, in a fresh process: the middle one of five.
  private func openTime(of store: String) throws -> Double {
    try (0..<5).map { _ in try Child.task("open", [store]).numbers["milliseconds"] ?? .infinity }.median
  }
}
