// Power loss: from a recorded run, the folders that a disk may be left with, each opened and compared with what the run
// had said by then.
import Bytes
import EventStore
import Memoir
import Platform
import TestSupport

extension Agent {
  /// Examines folders a disk may be left with, at every call that reaches it and every line said.
  ///
  /// Says `bad` and what is wrong at the first that is not as it must be, or at last `good` and how many there were.
  static func examine(_ arguments: Arguments) throws {
    let calls = try TracedCall.read(arguments[text: "trace"] ?? "")
    // That nothing escapes the recording: all of it together is what the process left.
    if let original = arguments[text: "original"] {
      var disk = UncertainDisk()
      for call in calls { disk.apply(call) }
      for (path, content) in disk.whole where !path.hasSuffix("/") {
        guard try Files.read("\(original)/\(path)", limit: 1 << 30) == content else {
          say("bad the recording is not all that was written to \(path)")
          return
        }
      }
    }
    var counter = Examiner(arguments, share: nil)
    try counter.run(calls)
    let wanted = arguments["images", default: .max]
    var examiner = Examiner(arguments, share: max(1, counter.images / wanted))
    try examiner.run(calls)
    say("good \(examiner.images) \(examiner.moments)")
  }
}

private struct Examiner {
  private let arguments: Arguments
  private var disk = UncertainDisk()
  private(set) var images = 0
  private(set) var moments = 0
  private var ledger = Ledger()
  private var random: SeededRandom
  /// Of so many folders one is examined, chosen by the seed; without, they are only counted.
  private let share: Int?
  private let beginsOpen: Bool

  init(_ arguments: Arguments, share: Int?) {
    self.arguments = arguments
    self.share = share
    random = SeededRandom(seed: UInt64(arguments["seed", default: 1]))
    beginsOpen = arguments["making", default: 1] == 0
  }

  mutating func run(_ calls: [TracedCall]) throws {
    for call in calls {
      // Before it took effect, with itself among what is under way; and when its effect is known.
      if [.durableWrite, .sync, .folderSync].contains(call.kind) { try examine(losing: call) }
      disk.apply(call)
      if call.kind == .said { for line in call.text.split(separator: "\n") { ledger.note(String(line)) } }
      if [.said, .created, .renamed, .removed].contains(call.kind) { try examine() }
    }
  }

  private mutating func examine(losing call: TracedCall? = nil) throws {
    moments += 1
    if beginsOpen, !ledger.isMade { return }
    var before = disk
    // What is written durably may also be on its way still, or have arrived in part.
    if var call, call.kind == .durableWrite {
      call.kind = .write
      before.apply(call)
    }
    for loss in before.hasPending ? UncertainFile.Loss.allCases : [.nothing] {
      for _ in 0..<(before.hasUncertainNames ? 3 : 1) {
        guard let share else {
          images += 1
          continue
        }
        guard random.next() % UInt64(share) == 0 else { continue }
        try examine(before.afterLoss(loss, &random), "\(loss)")
      }
    }
  }

  private mutating func examine(_ files: [String: [UInt8]], _ loss: String) throws {
    images += 1
    let folder = arguments.folder
    try Files.removeTree(folder)
    try Files.makeFolder(folder)
    for (path, content) in files.sorted(by: { $0.key < $1.key }) {
      if path.hasSuffix("/") {
        try Files.makeFolder("\(folder)/\(path.dropLast())")
      } else {
        try Descriptor(opening: "\(folder)/\(path)", for: .creating).write(content.rawSpan)
      }
    }
    func bad(_ reason: String) -> Never {
      say(
        "bad at moment \(moments), after \(ledger.store.acknowledged.count) acknowledgements, losing \(loss) of"
          + " \(files.keys.sorted()): \(reason)")
      CurrentProcess.exit(2)
    }
    do {
      let talk = Talk(work: arguments.work)
      var inspector = Inspector(folder, talk)
      let problems = try inspector.run(ledger)
      if !problems.isEmpty { bad(problems.joined(separator: "; ")) }
      // And it goes on.
      let log = try EventLog(folder: folder + "/store", schema: .memoir, options: ChoreOptions.store)
      let append = try talk.append(0, by: 700)
      let result = try log.appendAndWait([append])[0]
      let again = try log.readStream(append.stream, from: result.firstVersion).events
      if again.map(\.id) != append.events.map(\.id) { bad("what is appended then is not read") }
      try log.close()
    } catch {
      bad("\(error)")
    }
  }
}
