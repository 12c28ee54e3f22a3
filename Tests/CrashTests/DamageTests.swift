// Damage to a file that nobody has open: each question is answered as before, or refused; the process goes on.
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `A store that was damaged` {
    /// A store with runs of several levels, people erased, tombstones, snapshots, records.
    private func store(rounds: Int, _ chores: String, isEncrypted: Bool = false) throws -> ChoreFolder {
      let folder = try ChoreFolder(isEncrypted: isEncrypted)
      #expect(try folder.run(["rounds": rounds, "requests": 4, "seed": 7, "only": chores]) == .exit(0))
      #expect(try folder.problems() == [])
      return folder
    }

    /// What came of the damages, in their order; those that ended the process among them.
    private func outcomes(
      of folder: ChoreFolder, _ values: [String: Any], first: Int, count: Int
    ) throws -> [String] {
      var outcomes: [String] = []
      while outcomes.count < count {
        let agent = try ChoreFolder(isEncrypted: folder.isEncrypted).start(
          "damage",
          values.merging([
            "original": folder.path + "/store", "first": first + outcomes.count, "count": count - outcomes.count,
          ]) { $1 })
        let lines = try agent.lines()
        let end = try agent.wait()
        guard lines.contains(where: { $0.hasPrefix("try ") }) else {
          throw RunningProcess.Problem(description: "it ended with \(end): \(lines)")
        }
        outcomes += lines.filter { !$0.hasPrefix("try ") && !$0.hasPrefix("sizes ") && !$0.hasPrefix("error ") }
        if end != .exit(0) { outcomes.append("wrong \(end), \(lines.suffix(2))") }
      }
      return outcomes
    }

    @Test func `by one bit answers as before, or says that it is corrupt`() throws {
      let all = "snapshots,acknowledge,erase,retain,repair,erase"
      let stores = [
        try store(rounds: 3, all), try store(rounds: 1, all + ",compact"), try store(rounds: 2, all, isEncrypted: true),
      ]
      let each = 25
      var corrupt = 0
      let trials = Trials(kind: "bit flips", goal: 10_000)
      try trials.run(each: each) { number, seed in
        let found = try outcomes(
          of: stores[number / each % stores.count], ["seed": seed], first: 0, count: each)
        corrupt += found.count { $0 == "corrupt" }
        return found.filter { $0 != "corrupt" && $0 != "right" }
      }
      #expect(corrupt > 0)
    }

    @Test func `would be known by a wrong answer`() throws {
      let folder = try store(rounds: 1, "snapshots,erase")
      let found = try outcomes(of: folder, ["seed": 1, "control": 1], first: 0, count: 5)
      #expect(found.contains { $0.hasPrefix("wrong ") }, "\(found)")
    }

    @Test func `by being cut off at any page answers as before, or says that it is corrupt`() throws {
      let folder = try store(rounds: 1, "snapshots,erase,retain")
      let agent = try ChoreFolder().start("damage", ["original": folder.path + "/store", "count": 0])
      let pages = try #require(try agent.lines().first?.split(separator: " ").last.flatMap { Int($0) })
      #expect(pages > 20)
      let found = try outcomes(of: folder, ["kind": "truncate"], first: 0, count: 2 * pages)
      #expect(found.filter { $0 != "corrupt" && $0 != "right" } == [])
      #expect(found.contains("corrupt"))
    }
  }
}
