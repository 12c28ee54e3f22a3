// Valid requests, changed at random: whatever comes, the server goes on, and never says that it was its own fault.
import HTTPServer
import Memoir
import MemoirServer
import Platform
import TestSupport
import Testing

@Suite struct `Mutated requests` {
  private static let isLong = CurrentProcess.environment("MEMOIR_LONG") != nil
  /// Requests that one server gets; a long run makes a hundred such slices.
  private static let count = 10_000
  /// Whether nothing else runs in this process: then what it holds can be told.
  private static let isAlone = CurrentProcess.environment("MEMOIR_SANITIZER") != nil

  @Test func `are never answered with a fault of the server, which goes on and keeps nothing of them`() async throws {
    var slices = try Slices(of: Self.isLong ? 100 : 1)
    // The first server of a process makes what all others use.
    if Self.isAlone { try await Self.serve(seed: slices.seed, count: 500) }
    let before = Self.isAlone ? Held() : nil
    while let slice = slices.next {
      try await Self.serve(seed: slices.seed &+ UInt64(slice) << 32, count: Self.count)
      try slices.finish(slice)
      guard let before else { continue }
      let after = Held()
      #expect(after.descriptors <= before.descriptors, "after slice \(slice)")
      // What was freed last a sanitizer keeps for a while.
      #expect(after.residentBytes <= before.residentBytes + 128 << 20, "after slice \(slice)")
    }
  }

  /// Asks a server of its own.
  private static func serve(seed: UInt64, count: Int) async throws {
    let served = try ServedStore {
      ($0.http.headTimeLimit, $0.http.bodyTimeLimit) = (.seconds(1), .seconds(1))
    }
    let port = served.server.address.port
    // What is not changed is answered well: the mutants begin as good requests.
    let refused = await onThread {
      RequestMutator.requests.filter { request in
        guard let status = try? RawExchange(port: port).status(of: request) else { return true }
        return !(200..<300).contains(status)
      }
    }
    #expect(refused.isEmpty, "\(refused.map { String(decoding: $0, as: UTF8.self) })")
    let workers = 4
    let found = await withTaskGroup(of: [String].self) { group in
      for worker in 0..<workers {
        group.addTask { await onThread { work(port, seed: seed &+ UInt64(worker), count: count / workers) } }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(found.isEmpty, "\(found.prefix(5).joined(separator: "\n"))")
    #expect(try await served.get("/readyz").status == 200)
    let deadline = ContinuousClock.now + .seconds(30)
    while try connections(of: port) > 0, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(try connections(of: port) == 0)
  }

  private static func work(_ port: UInt16, seed: UInt64, count: Int) -> [String] {
    var mutator = RequestMutator(seed: seed)
    var found: [String] = []
    for number in 0..<count {
      let request = mutator.next()
      let status: Int?
      do {
        status = try RawExchange(port: port).status(of: request)
      } catch {
        found.append("seed \(seed), request \(number): \(error)")
        continue
      }
      // 505 is what a version that HTTP does not have is answered with.
      if let status, status >= 500, status != 503, status != 505 {
        found.append("seed \(seed), request \(number): \(status) to \(String(decoding: request, as: UTF8.self))")
      }
    }
    return found
  }

  private static func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      // A test without a thread has nothing to test.
      _ = try? DedicatedThread(name: "mutants") { continuation.resume(returning: body()) }
    }
  }

  /// Connections that the server at a port has not closed.
  private static func connections(of port: UInt16) throws -> Int {
    let table = try Descriptor(opening: "/proc/self/net/tcp", for: .reading).readToEnd(limit: 1 << 24)
    let digits = String(port, radix: 16, uppercase: true)
    let end = ":" + String(repeating: "0", count: 4 - digits.count) + digits
    return String(decoding: table, as: UTF8.self).split(separator: "\n").count { line in
      let words = line.split(separator: " ")
      // Established, or closed by the client alone.
      return words.count > 3 && words[1].hasSuffix(end) && ["01", "08"].contains(words[3])
    }
  }
}

/// What this process holds.
private struct Held {
  let descriptors: Int
  let residentBytes: Int

  init() {
    descriptors = ((try? Files.list("/proc/self/fd")) ?? []).count
    let words = (try? Descriptor(opening: "/proc/self/statm", for: .reading).readToEnd(limit: 4_096)).map {
      String(decoding: $0, as: UTF8.self).split(separator: " ")
    }
    residentBytes = words.flatMap { $0.count > 1 ? Int($0[1]) : nil }.map { $0 * 4_096 } ?? 0
  }
}

/// Which slices of a long run are done: kept below `.build`, so that one that is broken off goes on where it stopped.
private struct Slices {
  /// Of the whole run: the one of a run that goes on, else a new one where it is long; `MEMOIR_SEED` gives another.
  let seed: UInt64
  private var done: Int
  private let count: Int
  private let path: String?

  init(of count: Int) throws {
    self.count = count
    let given = CurrentProcess.environment("MEMOIR_SEED").flatMap { UInt64($0) }
    guard count > 1 else {
      (seed, done, path) = (given ?? 1, 0, nil)
      return
    }
    let folder = "\(#filePath)".split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/.build/trials"
    try Files.makeFolder(folder)
    let name = "mutated-requests" + (CurrentProcess.environment("MEMOIR_SANITIZER").map { "-" + $0 } ?? "")
    let path = "\(folder)/\(name)"
    let words = try Files.read(path, limit: 100).map { String(decoding: $0, as: UTF8.self).split(separator: " ") } ?? []
    if given == nil, words.count == 2, let seed = UInt64(words[0]), let done = Int(words[1]), done < count {
      (self.seed, self.done) = (seed, done)
    } else {
      (seed, done) = (given ?? MonotonicClock.nanoseconds, 0)
    }
    self.path = path
  }

  /// The one to be done now; `nil` after the last.
  var next: Int? { done < count ? done : nil }

  mutating func finish(_ slice: Int) throws {
    done = slice + 1
    let text = Array("\(seed) \(done)".utf8)
    if let path { try Files.writeAtomically(RawSpan(_elements: text.span), to: path) }
  }
}
