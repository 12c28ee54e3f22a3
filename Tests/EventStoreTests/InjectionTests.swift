// Each place of the source that calls the storage, made to fail once: refused, tried again, and nothing lost.
import EventStore
import Foundation
import LMDB
import Platform
import TestSupport
import Testing

#if DEBUG
/// Everything that a store does, by a caller who never gives up.
private struct Everything {
  let folder = TemporaryFolder()
  var log: EventLog?

  static let appends: [StreamAppend] = (1...30).map { number in
    let events = (0..<2).map { Diary.written("k\($0)", "text \(number)", id: .number(10 * number + $0)) }
    return StreamAppend(events.map { $0.inSession(.named("s\(number % 3)")) }, to: number % 4 == 0 ? .alice : .bob)
  }

  private var path: String { folder.path + "/store" }

  private static var options: EventLog.Options {
    var options = EventLog.Options()
    options.blockSize = 4
    options.cacheBytes = 0
    options.mapSize = 1 << 30
    options.readerCheckInterval = 0
    options.snapshotPolicy = SnapshotPolicy(factor: 1, minimumBytes: 0)
    return options
  }

  /// Tries until it succeeds, opening again before each new try.
  mutating func insist(_ body: (inout Everything, EventLog) throws -> Void) throws {
    for tries in 1... {
      do {
        let opened = try log ?? EventLog(folder: path, schema: Diary.schema, options: Self.options)
        log = opened
        return try body(&self, opened)
      } catch {
        guard tries < 4 else { throw error }
        try? log?.close()
        log = nil
      }
    }
  }

  mutating func run() throws {
    for append in Self.appends.prefix(20) { try insist { _, log in try log.appendAndWait([append]) } }
    try insist { _, log in
      for stream in [StreamName.bob, .alice] { _ = try log.state(of: stream, by: NotebookProjector()) }
      try log.storeDueSnapshots()
      try log.redact(1, of: .bob)
      _ = try log.storeStatistics(for: NotebookProjector())
    }
    try insist { this, log in _ = try log.backup(to: this.folder.path + "/backup") }
    for append in Self.appends.dropFirst(20).prefix(5) { try insist { _, log in try log.appendAndWait([append]) } }
    try insist { this, log in _ = try log.backup(to: this.folder.path + "/backup") }
    try insist { _, log in try log.repairDerived() }
    try insist { _, log in
      try waiting { _ = try await log.erase(.alice, by: "the office") }
      try waiting { _ = try await log.scrubErased() }
    }
    for append in Self.appends.dropFirst(25) where append.stream == .bob {
      try insist { _, log in try log.appendAndWait([append]) }
    }
    try insist { this, log in
      try log.close()
      this.log = nil
      _ = try EventLog.compact(this.path, schema: Diary.schema)
    }
    try insist { this, log in
      let restored = this.folder.path + "/restored"
      try Files.removeTree(restored)
      try EventLog.restore(
        from: this.folder.path + "/backup", to: restored, schema: Diary.schema, options: Self.options)
    }
    try insist { this, log in
      try log.close()
      this.log = nil
    }
  }

  /// Nothing lost, nothing doubled, nothing half erased.
  mutating func check(_ what: String) throws {
    try insist { _, log in
      let bob = Self.appends.filter { $0.stream == .bob }.flatMap { $0.events.map(\.id) }
      #expect(try log.readStream(.bob, limit: 1_000).events.map(\.id) == bob, "\(what)")
      let alice = try log.readStream(.alice, limit: 1_000).events
      #expect(alice.count == 13 && alice.dropLast().allSatisfy { $0.isRedacted }, "\(what)")
      #expect(try log.verify().problems == [] && !log.isScrubDue(), "\(what)")
      let state = try log.state(of: .bob, by: NotebookProjector())?.state
      #expect(try state == log.state(of: .bob, by: NotebookProjector(), usesSnapshots: false)?.state, "\(what)")
      try log.close()
    }
    log = nil
    let restored = try EventLog(folder: folder.path + "/restored", schema: Diary.schema, options: Self.options)
    #expect(try restored.lastPosition() == 50 && restored.verify().isSound, "\(what)")
    try restored.close()
  }

  /// How many places the source has.
  static func sourceSites() throws -> Int {
    var root = URL(filePath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    let folder = root.appending(path: "Sources/Libraries/LMDB")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).reduce(0) { count, name in
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      return count + text.split(separator: "\n").count { $0.contains("perform(.") }
    }
  }
}

/// Runs a task to its end on the thread that asks.
private func waiting(_ body: @escaping @Sendable () async throws -> Void) throws {
  let outcome = Monitor<Result<Void, any Error>?>(nil)
  Task.detached {
    do {
      try await body()
      outcome.change { $0 = .success(()) }
    } catch {
      outcome.change { $0 = .failure(error) }
    }
  }
  try outcome.wait { $0 }?.get()
}

@Suite struct `Each place that calls the storage` {
  @Test(arguments: [EIO, ENOSPC])
  func `may fail, and nothing acknowledged is lost and nothing is doubled`(code: Int32) async {
    await #expect(processExitsWith: .success) { [code] in
      do {
        var everything = Everything()
        let sites = try Failpoint.sites { try everything.run() }
        try everything.check("nothing failed")
        // A file that ends before its last page is made longer: that is made to fail in FileCheckTests.
        #expect(try sites.count == Everything.sourceSites() - 1, "\(sites)")
        var hit = 0
        for site in sites.sorted(by: { "\($0)" < "\($1)" }) {
          var everything = Everything()
          let fired = try Failpoint.with(at: site, code: code, scope: .process) { try everything.run() }
          #expect(fired, "\(site)")
          if fired { hit += 1 }
          try everything.check("code \(code) at \(site)")
        }
        print("calls of the storage: \(hit) of \(sites.count) places failed with \(code)")
      } catch {
        Issue.record(error)
      }
    }
  }
}
#endif
