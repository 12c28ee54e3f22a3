// A run: stores are made, questions asked in turn, answers collected.
import Foundation
import Memoir
import Platform

/// A run of the benchmarks.
final class Bench {
  let plan: Plan
  let results = Results()
  let workload: Workload
  /// Told what is going on.
  private let tell: (String) -> Void
  private let folder: URL
  private var counter = 0
  /// Which round it is.
  private(set) var round = 0

  init(_ plan: Plan, tell: @escaping (String) -> Void) throws {
    self.plan = plan
    self.tell = tell
    // Beside the program: a folder for temporary files may be in memory, where a sync costs nothing.
    let parent = try plan.folder ?? Files.folder(of: Child.ownPath)
    folder = URL(filePath: parent).appending(path: "bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    tell("making \(plan.events) events of \(plan.users) users")
    workload = try Workload(events: plan.events, users: plan.users)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func say(_ text: String) { tell(text) }

  func asks(_ question: Question) -> Bool { plan.questions.contains(question) }

  /// An empty folder.
  func makeFolder() throws -> String {
    counter += 1
    let made = folder.appending(path: "\(counter)")
    try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
    return made.path
  }

  func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  /// A store of each kind, empty.
  func makeContestants(_ workload: Workload, kinds: [ContestantKind] = ContestantKind.allCases) throws
    -> [any Contestant]
  {
    try kinds.map { kind in
      let folder = try makeFolder()
      return switch kind {
      case .memoir: try MemoirContestant(in: folder + "/memoir.store", workload)
      case .lmdb, .sqlite: try PeerContestant(kind, in: folder, workload)
      }
    }
  }

  func discard(_ contestants: [any Contestant]) throws {
    for contestant in contestants {
      try contestant.close()
      try remove(contestant.folder)
    }
  }

  func run() async throws {
    let shared: Set<Question> = [
      .bulk, .scan, .stream, .cold, .byStream, .replay, .head, .readers, .append, .latency,
    ]
    for round in 1...plan.rounds {
      self.round = round
      say("round \(round) of \(plan.rounds)")
      if !shared.isDisjoint(with: plan.questions) { try await askShared() }
      if asks(.few) { try askFew() }
      if asks(.import) { try askImport() }
      if asks(.open) { try askOpen() }
    }
    if asks(.asOf) { try askAsOf() }
    if asks(.growth) { try askGrowth() }
    if asks(.dialogues), let file = plan.dialogues { try askDialogues(file) }
  }

  /// The questions that are asked of the same three stores, those that only read first.
  private func askShared() async throws {
    let contestants = try makeContestants(workload)
    defer { try? discard(contestants) }
    try loadAll(contestants)
    if asks(.scan) { try askScan(contestants) }
    if asks(.stream) { try askStream(contestants) }
    if asks(.byStream) { try askByStream(contestants) }
    if asks(.replay) { try askReplay(contestants) }
    if asks(.head) { try askHead(contestants) }
    if asks(.cold) { try askCold(contestants) }
    guard asks(.readers) || asks(.append) || asks(.latency) else { return }
    let appending = contestants.map { AppendingContestant($0, workload) }
    if asks(.append) { try await askAppend(appending) }
    if asks(.latency) { try await askLatency(appending) }
    if asks(.readers) { try await askReaders(appending) }
    for contestant in appending {
      try ReadingBench(contestant.contestant, workload, heads: contestant.heads)
        .read(Array(0..<workload.users), checksDigests: false)
    }
  }
}
