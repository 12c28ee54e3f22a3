// A disk that is full, and has room again.
import EventStore
import Glibc
import Platform
import TestSupport

extension Agent {
  /// Fills the disk that the folder lies on, or a limit for the size of files, and goes on when there is room again.
  static func fill(_ arguments: Arguments) throws {
    let limit = arguments["limit", default: 0]
    let filler = "\(arguments.folder)-filler"
    if limit > 0 {
      // In place of a small disk: files may only grow so far, for as long as this process wants it so.
      _ = signal(SIGXFSZ, SIG_IGN)
      try setLimit(rlim_t(limit))
    } else {
      let file = try Descriptor(opening: filler, for: .creating)
      let block = [UInt8](repeating: 1, count: 1 << 16)
      for _ in 0..<24 { try file.write(RawSpan(_elements: block.span)) }
    }
    let log = try arguments.open()
    let work = arguments.work
    var acknowledged: [Acknowledgement] = []
    var request = 0
    func append() throws(AppendError) {
      let append = StreamAppend(work.request(request, by: 0), to: work.user(ofRequest: request, by: 0))
      let result = try log.appendAndWait([append])[0]
      acknowledged.append(Acknowledgement(writer: 0, request: request, result))
      request += 1
    }
    func check() throws {
      var next: [Int: Int] = [:]
      let problems = try log.problems(of: work, acknowledged: acknowledged, next: &next)
      guard problems.isEmpty, next[0] == request else { throw Misuse(reason: "\(problems) \(next)") }
    }
    for round in 1...3 {
      try fill()
      try check()
      say("full \(round) \(request)")
      let refused = request
      try makeRoom(round)
      for _ in 0..<20 { try append() }
      try check()
      say("room \(round) \(request - refused)")
    }
    func fill() throws {
      var refusals = 0
      while refusals < 3 {
        guard request < 100_000 else { throw Misuse(reason: "never full") }
        do throws(AppendError) { try append() } catch .storage(.full) { refusals += 1 }
      }
    }
    func makeRoom(_ round: Int) throws {
      if limit > 0 { return try setLimit(rlim_t(limit * (round + 1))) }
      // A third of the filler at a time.
      try Descriptor(opening: filler, for: .updating).setSize((3 - round) * 8 << 16)
    }
    try log.close()
    let again = try arguments.open()
    var next: [Int: Int] = [:]
    let problems = try again.problems(of: work, acknowledged: acknowledged, next: &next)
    say("reopened \(next[0] ?? 0) \(problems.count) \(request)")
    try again.close()
  }

  private static func setLimit(_ bytes: rlim_t) throws {
    var limit = rlimit(rlim_cur: bytes, rlim_max: rlim_t.max)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
      throw Misuse(reason: "no limit: \(errno)")
    }
  }
}
