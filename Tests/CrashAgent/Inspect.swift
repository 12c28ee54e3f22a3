// What is left of chores that were cut off, compared with what had been said.
import EventStore
import Memoir
import Platform
import TestSupport

extension Agent {
  /// Compares a folder with the lines that its processes had said; says `bad` and what is wrong, or `good`, and how far
  /// each writer has come.
  static func inspect(_ arguments: Arguments) throws {
    let bytes = try Files.read(arguments[text: "lines"] ?? "", limit: 1 << 28) ?? []
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    var inspector = Inspector(arguments.folder, Talk(work: arguments.work))
    let problems = try inspector.run(Ledger(lines))
    for problem in problems { say("bad \(problem)") }
    for (writer, request) in inspector.next.sorted(by: { $0.key < $1.key }) { say("next \(writer) \(request)") }
    if problems.isEmpty { say("good \(inspector.position)") }
  }
}

/// Looks at a folder in which chores were done.
struct Inspector {
  private let folder: String
  private let talk: Talk
  /// For each writer the first request that is not there.
  private(set) var next: [Int: Int] = [:]
  /// Where the log ends.
  private(set) var position: LogPosition = 0

  init(_ folder: String, _ talk: Talk) { (self.folder, self.talk) = (folder, talk) }

  /// All that is wrong.
  mutating func run(_ ledger: Ledger) throws -> [String] {
    var problems = try checkStore(ledger)
    if let promises = ledger.backup {
      // A copy: opening it would finish what the next backup has to do.
      let copy = folder + ".inspected"
      try Files.removeTree(copy)
      try copyFolder(folder + "/backup", to: copy)
      problems += try check(copy, ledger, promises).map { "the backup: \($0)" }
      try Files.removeTree(copy)
    }
    let restored = folder + "/restored"
    if let promises = ledger.restored {
      problems += try check(restored, ledger, promises).map { "what was restored: \($0)" }
    } else if try Files.exists(restored) {
      do {
        problems += try check(restored, ledger, Ledger.Promises()).map { "what was being restored: \($0)" }
      } catch let error as StorageError {
        switch error {
        case .missing, .notAStore: break
        default: problems.append("what was being restored: \(error)")
        }
      }
    }
    return problems
  }

  private mutating func checkStore(_ ledger: Ledger) throws -> [String] {
    let path = folder + "/store"
    if !ledger.isMade, try !Files.exists(path) { return [] }
    var inspection = Inspection(talk, ledger, ledger.store)
    var options = ChoreOptions.store
    options.creates = !ledger.isMade
    let log = try EventLog(folder: path, schema: .memoir, options: options)
    try inspection.run(log)
    position = try log.lastPosition()
    try log.close()
    try scan(path, &inspection)
    next = inspection.next
    return inspection.problems
  }

  private func check(_ path: String, _ ledger: Ledger, _ promises: Ledger.Promises) throws -> [String] {
    var inspection = Inspection(talk, ledger, promises)
    var options = ChoreOptions.store
    options.creates = false
    let log = try EventLog(folder: path, schema: .memoir, options: options)
    try inspection.run(log, isCopy: true)
    try log.close()
    try scan(path, &inspection)
    return inspection.problems
  }

  private func scan(_ path: String, _ inspection: inout Inspection) throws {
    for name in try Files.list(path) where name != "lock.mdb" {
      if let bytes = try Files.read("\(path)/\(name)", limit: 1 << 30) { inspection.scan(bytes, of: name) }
    }
  }

  private func copyFolder(_ from: String, to: String) throws {
    try Files.makeFolder(to)
    for name in try Files.list(from) where name != "lock.mdb" && name != "openers.lock" {
      guard let bytes = try Files.read("\(from)/\(name)", limit: 1 << 30) else { continue }
      try Descriptor(opening: "\(to)/\(name)", for: .creating).write(RawSpan(_elements: bytes.span))
    }
  }
}
