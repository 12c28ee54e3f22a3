// Power loss: what a disk may be left with at any moment, and that the test would notice a store that does not sync.
import Foundation
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `A power loss at any moment` {
    private static let images = 50

    @Test func `loses nothing that was acknowledged, whatever of the rest arrived`() throws {
      let trials = Trials(kind: "power losses", goal: 1_000)
      try trials.run(each: min(Self.images, trials.count)) { number, seed in
        // Alone, and with two that append at a time.
        let lines = try examine(
          ["writers": number / Self.images % 2 * 2, "requests": 2, "seed": seed], ignoring: nil, seed: seed,
          images: min(Self.images, trials.count))
        return lines.last?.hasPrefix("good ") == true ? [] : lines
      }
    }

    @Test(arguments: ["data", "meta", "data,meta"])
    func `is noticed where the disk ignores syncs`(ignored: String) throws {
      let lines = try examine(["requests": 2, "only": "erase,backup,compact"], ignoring: ignored, seed: 1, images: 200)
      // A process that a damaged file ends in the middle has said nothing: that counts as noticed too.
      #expect(lines.allSatisfy { $0.hasPrefix("bad ") }, "\(lines)")
    }

    /// Records chores, and examines what may be left of them.
    private func examine(
      _ chores: [String: Any], ignoring ignored: String?, seed: UInt64, images: Int
    ) throws -> [String] {
      let folder = try ChoreFolder()
      let trace = folder.beside("trace")
      let end = try folder.run(chores, environment: Shim.environment(folder.path, trace: trace, ignoring: ignored))
      #expect(end == .exit(0) && folder.lines.last == "closed", "\(folder.lines.suffix(2))")
      let examiner = try ChoreFolder()
      let examination = try examiner.start(
        "examine",
        [
          "trace": trace, "original": folder.path, "seed": seed, "images": images, "making": ignored == nil ? 1 : 0,
        ])
      return try examination.lines()
    }
  }

  // The other end of the same question: a kernel that keeps to its own rules.
  @Suite struct `A file system that is shut down` {
    @Test func `has all that was acknowledged when it is mounted again`() throws {
      try Trials(kind: "file systems shut down", goal: 100).run { _, seed in
        guard let problems = try shutDown(after: 100 + Int(seed % 1_400), seed: seed) else { return [] }
        return problems
      }
    }

    @Test func `lacks some of it where syncs are ignored`() throws {
      for seed in 1...4 as ClosedRange<UInt64> {
        guard let problems = try shutDown(after: 1_500, seed: seed, ignoring: "data") else { return }
        if !problems.isEmpty { return }
      }
      Issue.record("a store that does not sync lost nothing")
    }

    /// Has chores done on a file system of their own, and takes it away from under them.
    ///
    /// - Returns: What is wrong when it is there again; `nil` where none can be had on this machine.
    private func shutDown(after milliseconds: Int, seed: UInt64, ignoring ignored: String? = nil) throws -> [String]? {
      let folder = try ChoreFolder(inMemory: false)
      let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "PowerLoss/shutdown.sh").path
      let mounted = folder.beside("mounted")
      var environment: [String: String] = [:]
      if ignored != nil { environment = try Shim.environment(mounted + "/chores", ignoring: ignored) }
      let words = ChoreFolder.words("chores", mounted + "/chores", ["seed": seed, "rounds": 1_000, "writers": 2])
      let process = try RunningProcess(
        "/usr/bin/env",
        ["unshare", "-m", "sh", script, folder.beside("disk"), mounted, folder.path, "\(milliseconds)"]
          + [environment["LD_PRELOAD"] ?? "", AgentStore.agentPath] + words,
        environment: environment.filter { $0.key != "LD_PRELOAD" })
      let lines = try process.lines()
      let end = try process.wait()
      guard end == .exit(0) else {
        print("no file system could be shut down here: \(end), \(lines.suffix(3))")
        return nil
      }
      folder.note(lines.filter { !$0.hasPrefix("error ") && !$0.hasPrefix("shell ") })
      #expect(folder.lines.contains { $0.hasPrefix("ack ") }, "\(lines.prefix(5))")
      return try folder.problems()
    }
  }
}
