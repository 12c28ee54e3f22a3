// Power loss: what a disk may be left with at any moment, and that the test would notice a store that does not sync.
import EventStore
import Platform
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `A power loss at any moment` {
    @Test func `loses nothing that was acknowledged, whatever of the rest arrived`() throws {
      for round in 0..<UInt64(max(1, `Real processes`.effort / 10)) {
        let seed = `Real processes`.seed &+ round
        let lines = try examine(ignoring: nil, share: max(1, 10 / `Real processes`.effort), seed: seed)
        let found = try #require(lines.words(after: "good"), "\(lines), seed \(seed)").compactMap { Int($0) }
        // Folders, and moments of the run at which they were what the disk may have had.
        #expect(found[0] > 300 && found[1] > 200, "\(found), seed \(seed)")
      }
    }

    @Test(arguments: ["data", "meta", "data,meta"])
    func `is noticed where the disk ignores syncs`(ignored: String) throws {
      let lines = try examine(ignoring: ignored, share: 1, seed: `Real processes`.seed)
      // A process that a damaged file ends in the middle has said nothing: that counts as noticed too.
      #expect(lines.allSatisfy { $0.hasPrefix("bad ") }, "\(lines)")
    }

    /// Records a run and examines what may be left of it.
    private func examine(ignoring ignored: String?, share: Int, seed: UInt64) throws -> [String] {
      let store = AgentStore()
      let trace = store.folder.path + "/trace"
      let agent = try store.agent(
        "append", ["requests": 40, "writers": 2, "mix": 1],
        environment: try Shim.environment(store.path, trace: trace, ignoring: ignored))
      let lines = try agent.lines()
      #expect(lines.acknowledgements.count == 80 && lines.last == "closed", "\(lines.suffix(2))")

      let examiner = AgentStore(inMemory: true)
      let examination = try examiner.agent(
        "examine",
        [
          "trace": trace, "original": store.path + "/data.mdb", "seed": seed, "share": share,
          "making": ignored == nil ? 1 : 0,
        ])
      return try examination.lines()
    }
  }
}
