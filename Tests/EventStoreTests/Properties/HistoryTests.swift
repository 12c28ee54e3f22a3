// Any history must read as the model of it says.
import Foundation
import TestSupport
import Testing

/// How many histories are tried; more with `MEMOIR_HISTORIES=1000`, from another seed on with `MEMOIR_FIRST_SEED`.
private var seeds: ClosedRange<UInt64> {
  let environment = ProcessInfo.processInfo.environment
  let first = environment["MEMOIR_FIRST_SEED"].flatMap { UInt64($0) } ?? 1
  let count = environment["MEMOIR_HISTORIES"].flatMap { UInt64($0) } ?? 16
  return first...(first + count - 1)
}

@Suite struct `Any history` {
  @Test(arguments: seeds) func `reads as the model says`(seed: UInt64) throws {
    let history = try History(seed: seed)
    do {
      for count in 1...120 {
        try history.step()
        if count % 60 == 0 { try history.checkAll() }
      }
    } catch {
      let last = history.steps.suffix(6).joined(separator: "\n  ")
      Issue.record("\(history.options)\n\(error)\nafter \(history.steps.count) steps, last\n  \(last)")
    }
  }
}
