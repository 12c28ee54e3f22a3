// Calls of the system that fail: refused or tried again, and nothing lost.
import Foundation
import Glibc
import Platform
import TestSupport
import Testing

extension `Real processes` {
  @Suite struct `A call of the system that fails` {
    /// Chores by a caller who tries again.
    private static var chores: [String: Any] { ["requests": 2, "seed": 1, "tries": 6] }

    /// Lets one call fail, and tells what came of it.
    private func problems(
      _ failing: (kind: String, number: Int, code: Int32)
    ) throws -> (problems: [String], failed: String?) {
      let folder = try ChoreFolder()
      let report = folder.beside("report")
      let end = try folder.run(
        Self.chores, environment: Shim.environment(folder.path, failing: failing, report: report))
      let text = (try? String(contentsOfFile: report, encoding: .utf8)) ?? ""
      let failed = text.split(separator: "\n").first { $0.hasPrefix("failed ") }.map(String.init)
      var problems = try folder.problems()
      if end != .exit(0) || folder.lines.last(where: { !$0.hasPrefix("next ") }) != "closed" {
        problems.append("it ended with \(end): \(folder.lines.suffix(3))")
      }
      return (problems.map { "\(failed ?? "nothing failed"), \(failing): \($0)" }, failed)
    }

    private func count() throws -> CallCount {
      let folder = try ChoreFolder()
      let report = folder.beside("report")
      #expect(try folder.run(Self.chores, environment: Shim.environment(folder.path, report: report)) == .exit(0))
      return try CallCount(report)
    }

    @Test func `loses nothing, whichever it is and however it fails`() throws {
      let calls = try count()
      var names: Set<String> = []
      let trials = Trials(kind: "I/O faults", goal: 500)
      try trials.run { number, _ in
        // Disk, room, quota, permission, descriptors; and half a write, which for other calls is an error of the disk.
        let code = [EIO, ENOSPC, EDQUOT, 0, EACCES, EMFILE][number / 3 % 6]
        let place = number * 7_919
        let failing: (kind: String, number: Int, code: Int32) =
          switch number % 3 {
          case 0: ("write", 1 + place % calls.writes, code)
          case 1: ("sync", 1 + place % calls.syncs, code)
          default: ("any", 1 + place % calls.all, code)
          }
        let (problems, failed) = try problems(failing)
        if let name = failed?.split(separator: " ").dropFirst().first { names.insert(String(name)) }
        return problems
      }
      print("I/O faults hit \(names.sorted().joined(separator: ", "))")
      #expect(names.contains("write"))
    }

    // The other way round: a disk that says that it has written, and has not.
    @Test func `would be noticed if it were passed over`() throws {
      let calls = try count()
      var noticed = 0
      for number in 1...6 where !(try problems(("write", number * calls.writes / 7, -1)).problems.isEmpty) {
        noticed += 1
      }
      #expect(noticed > 0)
    }
  }

  @Suite struct `A process that may have little` {
    /// Runs chores in a shell with a limit; the lines, and how it ended.
    private func chores(_ limit: String, in folder: ChoreFolder) throws -> (lines: [String], end: RunningProcess.End) {
      // Of a file that grows too long, an error is to come of it and not the end.
      let script = "trap '' XFSZ; ulimit \(limit) && exec \"$@\""
      let words = ChoreFolder.words("chores", folder.path, ["requests": 2, "first": folder.first])
      let process = try RunningProcess("/bin/sh", ["-c", script, "sh", AgentStore.agentPath] + words)
      return (try process.lines(), try process.wait())
    }

    // The library's own files take some, so that at some limit all goes well, and below it nothing is harmed.
    @Test(arguments: ["-n", "-v", "-f"]) func `says so, and the store stays whole`(limit: String) throws {
      let folder = try ChoreFolder()
      #expect(try folder.run(["requests": 4]) == .exit(0))
      var ends: [RunningProcess.End] = []
      let values = [
        "-n": [8, 9, 10, 11, 12, 14, 16, 64], "-v": [150_000, 250_000, 500_000, 4_000_000],
        "-f": [100, 500, 1_500, 1_000_000],
      ]
      for value in try #require(values[limit]) {
        let (lines, end) = try chores("\(limit) \(value)", in: folder)
        folder.note(lines.filter { !$0.hasPrefix("error ") })
        #expect(try folder.problems() == [], "\(limit) \(value)")
        // A program that cannot even be loaded, or has no memory at all, ends as the system has it.
        if lines.contains(where: { $0.hasPrefix("open") }) {
          #expect(
            end == .exit(0) || end == .exit(1) && lines.contains { $0.hasPrefix("error ") }, "\(end) \(lines.suffix(2))"
          )
        }
        ends.append(end)
      }
      #expect(ends.last == .exit(0), "\(ends)")
      #expect(limit == "-v" || ends.first != .exit(0), "\(ends)")
    }
  }
}
