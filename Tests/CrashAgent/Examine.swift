// Power loss: from a recorded run, the folders that a disk may be left with, each opened and compared with what the run
// had acknowledged by then.
import Bytes
import EventStore
import Platform
import TestSupport

extension Agent {
  /// Examines folders a disk may be left with, at every call that reaches it and every line said.
  ///
  /// Says `bad` and what is wrong at the first that is not as it must be, or at last `good` and how many there were.
  static func examine(_ arguments: Arguments) throws {
    let calls = try TracedCall.read(arguments[text: "trace"] ?? "")
    var examiner = Examiner(arguments)
    for call in calls {
      // Before it took effect, with itself among what is under way; and when its effect is known.
      if [.durableWrite, .sync, .folderSync].contains(call.kind) { try examiner.examine(losing: call) }
      examiner.apply(call)
      if [.said, .created, .renamed, .removed].contains(call.kind) { try examiner.examine() }
    }
    // That nothing escapes the recording: all of it together is the file as the process left it.
    if let original = arguments[text: "original"],
      try Files.read(original, limit: 1 << 30) != examiner.disk.whole
    {
      say("bad the recording is not all that was written")
      return
    }
    say("good \(examiner.images) \(examiner.moments)")
  }
}

private struct Examiner {
  private let arguments: Arguments
  private(set) var disk = UncertainFolder()
  private(set) var images = 0
  private(set) var moments = 0
  private var acknowledged: [Acknowledgement] = []
  private var subscription: LogPosition?
  private var isOpen = false
  private var random: SeededRandom
  private let share: Int
  private let skipsMaking: Bool

  init(_ arguments: Arguments) {
    self.arguments = arguments
    random = SeededRandom(seed: UInt64(arguments["seed", default: 1]))
    // Of so many folders one is examined, chosen by the seed.
    share = max(1, arguments["share", default: 1])
    skipsMaking = arguments["making", default: 1] == 0
  }

  mutating func apply(_ call: TracedCall) {
    disk.apply(call)
    guard call.kind == .said else { return }
    for line in String(decoding: call.bytes, as: UTF8.self).split(separator: "\n") {
      if let acknowledgement = Acknowledgement(String(line)) { acknowledged.append(acknowledgement) }
      let words = line.split(separator: " ")
      if words.first == "open" { isOpen = true }
      if words.first == "acknowledged", words.count == 2, let position = UInt64(words[1]) {
        subscription = LogPosition(position)
      }
    }
  }

  mutating func examine(losing call: TracedCall? = nil) throws {
    moments += 1
    if skipsMaking, acknowledged.isEmpty { return }
    var before = disk
    // What is written durably may also be on its way still, or have arrived in part.
    if let call, call.kind == .durableWrite { before.data.write(call.bytes, at: call.offset) }
    let losses: [UncertainFile.Loss] = before.data.hasPending ? UncertainFile.Loss.allCases : [.nothing]
    for loss in losses {
      let isChosen = random.next() % UInt64(share) == 0
      // While the store is being made, everything is looked at.
      guard isChosen || !isOpen else { continue }
      for _ in 0..<(before.hasUncertainNames ? 3 : 1) {
        let isThere = before.folderName.isThere(&random)
        let (data, marker, making) = (
          before.dataName.isThere(&random), before.markerName.isThere(&random),
          before.makingName.isThere(&random)
        )
        try Files.removeTree(arguments.folder)
        var files: [String: [UInt8]] = [:]
        if isThere {
          if data { files["data.mdb"] = before.data.afterLoss(loss, &random) }
          if marker { files["MEMOIR"] = before.marker.afterLoss(loss, &random) }
          if making { files["MEMOIR.making"] = [] }
        }
        try examine(files, "\(loss)")
      }
    }
  }

  private mutating func examine(_ files: [String: [UInt8]], _ loss: String) throws {
    images += 1
    let folder = arguments.folder
    if !files.isEmpty { try Files.makeFolder(folder) }
    for (name, content) in files {
      try Descriptor(opening: "\(folder)/\(name)", for: .creating).write(content.rawSpan)
    }
    func bad(_ reason: String) -> Never {
      say(
        "bad at moment \(moments), after \(acknowledged.count) acknowledgements, losing \(loss) of \(files.keys.sorted()): \(reason)"
      )
      CurrentProcess.exit(2)
    }
    do {
      let log = try arguments.open()
      var next: [Int: Int] = [:]
      let problems = try log.problems(of: arguments.work, acknowledged: acknowledged, next: &next)
      if !problems.isEmpty { bad(problems.joined(separator: "; ")) }
      if let subscription {
        let stored = try log.subscription(named: "reader")?.checkpoint
        if stored.map({ $0 < subscription }) ?? true { bad("the subscription is at \(stored ?? 0)") }
      }
      // And it goes on.
      let user = arguments.work.user(ofRequest: 0, by: 700)
      let result = try log.appendAndWait([StreamAppend(arguments.work.request(0, by: 700), to: user)])[0]
      let again = try log.readStream(user, from: result.firstVersion).events
      if again.map(\.id) != arguments.work.request(0, by: 700).map(\.id) {
        bad("what is appended then is not read")
      }
      try log.close()
    } catch {
      bad("\(error)")
    }
  }
}

extension UncertainFolder {
  /// The data file with everything that was written.
  var whole: [UInt8] {
    var data = data
    data.sync()
    return data.durable
  }
}
