// Opening, closing, and what happens where something is used up.
import Glibc
import LMDB
import Testing

@Suite struct `Opening an environment` {
  @Test func `a second opening in one process is refused, also by another path`() throws {
    let folder = try TemporaryFolder(), other = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    #expect(throws: LMDBError.alreadyOpen) { try Environment(folder: folder.path) }
    for name in ["data.mdb", "lock.mdb"] {
      #expect(unsafe symlink(folder.path + "/" + name, other.path + "/" + name) == 0)
    }
    #expect(throws: LMDBError.alreadyOpen) { try Environment(folder: other.path) }
    environment.close()
    environment.close()
    // A refused reader ended the handle a second time.
    #expect(throws: LMDBError.closed) { _ = try environment.beginRead() }
    #expect(throws: LMDBError.closed) { try environment.information() }
    _ = try Environment(folder: folder.path)
  }

  // Whoever came too late left again, and with that closed the handle once more: a double free.
  @Test func `a closed environment refuses for ever, and is closed once`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    environment.close()
    let other = try Environment(folder: folder.path)
    for _ in 1...10 {
      #expect(throws: LMDBError.closed) { _ = try environment.beginRead() }
      #expect(throws: LMDBError.closed) { _ = try environment.beginWrite() }
      #expect(throws: LMDBError.closed) { try environment.openTables(["table"]) }
    }
    // It is still the one that is open.
    #expect(throws: LMDBError.alreadyOpen) { try Environment(folder: folder.path) }
    other.close()
  }

  @Test func `a closed environment refuses, and goes on for those who were in it`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    try put(1, 2, table, environment)
    do {
      let reader = try environment.beginRead()
      environment.close()
      #expect(throws: LMDBError.closed) { _ = try environment.beginWrite() }
      #expect(throws: LMDBError.closed) { _ = try environment.beginRead() }
      #expect(throws: LMDBError.closed) { try environment.openTables(["other"]) }
      #expect(throws: LMDBError.alreadyOpen) { try Environment(folder: folder.path) }
      #expect(try contents(reader, of: table) == [number(1): number(2)])
    }
    _ = try Environment(folder: folder.path)
  }

  @Test func `the number of the last commit is that of a reader who begins`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    var last: UInt64 = 0
    for key in 1...5 {
      try put(key, 2, table, environment)
      let commit = try environment.lastCommit()
      #expect(commit > last)
      #expect(try environment.beginRead().id == commit)
      last = commit
    }
    // What is taken back is no commit.
    do { _ = try environment.beginWrite() }
    #expect(try environment.lastCommit() == last)
    environment.close()
    #expect(throws: LMDBError.closed) { try environment.lastCommit() }
  }

  @Test func `files are for their owner alone`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    for name in ["data.mdb", "lock.mdb"] {
      var status = stat()
      #expect(unsafe stat(folder.path + "/" + name, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
    }
    environment.close()
  }

  @Test func `what is missing is said`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: LMDBError.noSuchFile(.environmentOpen)) {
      try Environment(folder: folder.path + "/nowhere")
    }
    var options = Environment.Options()
    options.creation = .never
    #expect(throws: LMDBError.noSuchFile(.fileOpen)) {
      try Environment(folder: folder.path, options: options)
    }
    options.isReadOnly = true
    options.creation = .ifMissing
    #expect(throws: LMDBError.noSuchFile(.fileOpen)) {
      try Environment(folder: folder.path, options: options)
    }
  }

  @Test func `read-only neither writes nor makes tables`() throws {
    let folder = try TemporaryFolder()
    do {
      let environment = try Environment(folder: folder.path)
      try put(1, 2, environment.openTables(["table"])[0], environment)
    }
    var options = Environment.Options()
    options.isReadOnly = true
    let environment = try Environment(folder: folder.path, options: options)
    #expect(throws: LMDBError.readOnly(.transactionBegin)) { _ = try environment.beginWrite() }
    #expect(throws: LMDBError.tableMissing("other")) { try environment.openTables(["table", "other"]) }
    let table = try environment.openTables(["table"])[0]
    #expect(try contents(environment.beginRead(), of: table) == [number(1): number(2)])
  }

  @Test func `less address space makes a smaller map`() throws {
    let folder = try TemporaryFolder()
    let child = try fork {
      // Beside what other tests have mapped.
      guard let size = try? Raw.read("/proc/self/statm", upTo: 100).split(separator: UInt8(ascii: " ")).first,
        let pages = rlim_t(String(decoding: size, as: UTF8.self))
      else { return 1 }
      var limit = rlimit(rlim_cur: pages * 4096 + 64 << 30, rlim_max: rlim_t.max)
      guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return 2 }
      guard let environment = try? Environment(folder: folder.path) else { return 3 }
      guard let size = try? environment.information().mapSize, size < 64 << 30, size >= 8 << 30 else {
        return 4
      }
      guard let table = try? environment.openTables(["table"]).first else { return 5 }
      return (try? put(1, 2, table, environment)) == nil ? 6 : 0
    }
    #expect(wait(for: child) == 0)
    let environment = try Environment(folder: folder.path)
    #expect(try environment.information().mapSize == 1 << 40)
    #expect(try environment.tableNames() == ["table"])
  }

  @Test func `after a fork the child is refused, and does the parent no harm`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    try put(1, 2, table, environment)
    let child = try fork {
      do {
        _ = try environment.beginRead()
        return 1
      } catch LMDBError.usedAfterFork {
      } catch { return 2 }
      environment.close()
      // Anew it may be opened, and read and written beside the parent.
      guard let own = try? Environment(folder: folder.path) else { return 3 }
      guard let table = try? own.openTables(["table"]).first else { return 4 }
      return (try? put(3, 4, table, own)) == nil ? 5 : 0
    }
    #expect(wait(for: child) == 0)
    try put(5, 6, table, environment)
    #expect(try contents(environment.beginRead(), of: table).count == 3)
  }

  @Test func `readers of dead processes are cleared`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    try put(1, 2, environment.openTables(["table"])[0], environment)
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    let child = try fork {
      guard let own = try? Environment(folder: folder.path), let reader = try? own.beginRead() else {
        return 1
      }
      var byte: UInt8 = 1
      _ = unsafe write(ends[1], &byte, 1)
      pause()
      return Int32(reader.id)
    }
    var byte: UInt8 = 0
    #expect(unsafe read(ends[0], &byte, 1) == 1)
    #expect(try environment.clearDeadReaders() == 0)
    kill(child, SIGKILL)
    #expect(wait(for: child) == -SIGKILL)
    #expect(try environment.clearDeadReaders() == 1)
    #expect(try environment.clearDeadReaders() == 0)
    for end in ends { close(end) }
  }
}

@Suite struct `Upkeep of an environment` {
  @Test(arguments: [true, false]) func `a copy is whole and holds what was committed`(isCompacting: Bool)
    throws
  {
    let folder = try TemporaryFolder(), other = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    for n in 0..<30 { try put(n % 7, n, table, environment) }
    try environment.copy(to: other.dataFile, isCompacting: isCompacting)
    #expect(throws: LMDBError.other(code: EEXIST, .fileOpen)) { try environment.copy(to: other.dataFile) }

    let report = try FileCheck.run(other.dataFile, depth: .full)
    #expect(report.problem == nil)
    #expect((report.pagesFree == 0) == isCompacting)
    let copy = try Environment(folder: other.path)
    let again = try copy.openTables(["table"])[0]
    #expect(try copy.read { try contents($0, of: again).count } == 7)
    try put(8, 8, again, copy)
    #expect(try copy.check(.full).problem == nil)
  }

  @Test func `readers tell which commit they keep`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    #expect(try environment.readers().filter { $0.transaction != nil } == [])
    let old = try environment.beginRead()
    try put(1, 1, table, environment)
    let new = try environment.beginRead()
    #expect(try environment.readers().map(\.transaction) == [old.id, new.id])
    #expect(try environment.readers().map(\.process) == [getpid(), getpid()])
    #expect(try environment.information().lastTransaction == new.id)
  }

  @Test func `a writer waiting for itself and a table of another environment are mistakes that trap`() async {
    await #expect(processExitsWith: .signal(SIGILL)) {
      let folder = try TemporaryFolder()
      let environment = try Environment(folder: folder.path)
      let transaction = try environment.beginWrite()
      _ = try environment.beginWrite()
      _ = transaction.id
    }
    await #expect(processExitsWith: .signal(SIGILL)) {
      let one = try TemporaryFolder(), two = try TemporaryFolder()
      let first = try Environment(folder: one.path), second = try Environment(folder: two.path)
      let table = try first.openTables(["table"])[0]
      _ = try second.openTables(["table"])
      _ = try second.read { try $0.contains(number(1).raw, in: table) }
    }
  }
}

@Suite struct `Where something is used up` {
  @Test func `a full map is an error, reads go on, and writes too once there is room`() throws {
    let folder = try TemporaryFolder()
    var options = Environment.Options()
    options.mapSize = 1 << 18
    let environment = try Environment(folder: folder.path, options: options)
    let table = try environment.openTables(["table"])[0]
    let value = [UInt8](repeating: 1, count: 3000)
    let error = #expect(throws: LMDBError.self) {
      for n in 0..<1000 {
        var transaction = try environment.beginWrite()
        try transaction.put(value.raw, at: number(n).raw, in: table)
        try transaction.commit()
      }
    }
    switch error {
    case .mapFull(.put), .mapFull(.transactionCommit): break
    default: Issue.record("\(String(describing: error))")
    }
    #expect(try contents(environment.beginRead(), of: table).count > 10)

    var transaction = try environment.beginWrite()
    #expect(try transaction.delete(number(0).raw, in: table))
    try transaction.commit()
    #expect(try environment.check(.full).problem == nil)
    environment.close()

    options.mapSize = 1 << 20
    let larger = try Environment(folder: folder.path, options: options)
    let again = try larger.openTables(["table"])[0]
    try put(0, 1, again, larger)
  }

  @Test func `readers and tables end where the options say`() throws {
    let folder = try TemporaryFolder()
    var options = Environment.Options()
    options.readerSlots = 1
    options.maxTables = 2
    let environment = try Environment(folder: folder.path, options: options)
    _ = try environment.openTables(["one", "two"])
    #expect(throws: LMDBError.tablesFull(.tableOpen)) { try environment.openTables(["one", "three"]) }
    do {
      let reader = try environment.beginRead()
      #expect(throws: LMDBError.readersFull(.transactionBegin)) { _ = try environment.beginRead() }
      _ = reader.id
    }
    _ = try environment.beginRead()
  }

  @Test func `keys too short and too long are refused`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    var transaction = try environment.beginWrite()
    for size in [0, 512] {
      let key = [UInt8](repeating: 1, count: size)
      #expect(throws: LMDBError.valueSizeWrong(.put)) { try transaction.put(key.raw, at: key.raw, in: table) }
    }
    #expect(throws: LMDBError.valueSizeWrong(.get)) { try transaction.contains(RawSpan(), in: table) }
    #expect(try !transaction.contains([UInt8](repeating: 1, count: 512).raw, in: table))
    let key = [UInt8](repeating: 1, count: 511)
    try transaction.put(RawSpan(), at: key.raw, in: table)
    try transaction.commit()
    let reader = try environment.beginRead()
    #expect(try bytes(reader.value(of: key.raw, in: table)) == [])
  }
}

@Suite struct `Where the disk fails` {
  #if DEBUG
  @Test func `after a commit that failed in the disk nothing more is written until opened again`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    try put(1, 2, table, environment)
    let fired = Failpoint.with(call: .transactionCommit, code: EIO) {
      #expect(throws: LMDBError.inputOutput(.transactionCommit)) { try put(3, 4, table, environment) }
    }
    #expect(fired)
    #expect(throws: LMDBError.writesStopped(after: EIO)) { _ = try environment.beginWrite() }
    #expect(try contents(environment.beginRead(), of: table) == [number(1): number(2)])
    environment.close()
    let again = try Environment(folder: folder.path)
    try put(5, 6, again.openTables(["table"])[0], again)
  }

  @Test(arguments: [ENOSPC, EDQUOT, ENOMEM]) func `after a full disk writing goes on`(code: Int32) throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    _ = Failpoint.with(call: .transactionCommit, code: code) {
      #expect(throws: LMDBError.self) { try put(3, 4, table, environment) }
    }
    try put(5, 6, table, environment)
    #expect(try contents(environment.beginRead(), of: table) == [number(5): number(6)])
  }

  @Test(arguments: [EIO, ENOSPC, ENOMEM, -30792, -30796])
  func `whichever call fails, what is read was committed`(code: Int32) throws {
    var reached = 0
    for occurrence in 1... {
      let folder = try TemporaryFolder()
      var committed: [[UInt8]: [UInt8]] = [:]
      let fired = Failpoint.with(occurrence: occurrence, code: code) {
        do {
          let environment = try Environment(folder: folder.path)
          let table = try environment.openTables(["table"])[0]
          for n in 0..<3 {
            try put(n, n, table, environment)
            committed[number(n)] = number(n)
          }
          var transaction = try environment.beginWrite()
          let isDeleted = try transaction.delete(number(1).raw, in: table)
          #expect(isDeleted)
          try transaction.commit()
          committed[number(1)] = nil
          #expect(try contents(environment.beginRead(), of: table) == committed)
        } catch {
          #expect(error is LMDBError)
        }
      }
      // Another environment over the same files finds what was committed, and can write.
      let environment = try Environment(folder: folder.path)
      let table = try environment.openTables(["table"])[0]
      #expect(try contents(environment.beginRead(), of: table) == committed)
      #expect(try environment.check(.full).problem == nil)
      try put(9, 9, table, environment)
      if !fired { break }
      reached += 1
    }
    #expect(reached > 20)
  }
  #endif
}

/// Puts a number at a number, in a transaction of its own.
func put(_ key: Int, _ value: Int, _ table: Table, _ environment: Environment) throws {
  var transaction = try environment.beginWrite()
  try transaction.put(number(value).raw, at: number(key).raw, in: table)
  try transaction.commit()
}

@Suite struct `Room for small commits` {
  /// Commits `count` values of `size` bytes each, and returns how many times the file grew.
  private func lengthenings(_ count: Int, ofSize size: Int) throws -> (grown: Int, room: Int) {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let table = try environment.openTables(["table"])[0]
    let value = [UInt8](repeating: 7, count: size)
    var sizes = Set<Int>()
    for key in 0..<count {
      try environment.write { try $0.append(value.raw, at: number(key).raw, in: table) }
      sizes.insert(try Raw.read(folder.dataFile).count)
    }
    let information = try environment.information()
    #expect(try FileCheck.run(folder.dataFile, depth: .full).problem == nil)
    let file = try Raw.read(folder.dataFile)
    let used = information.pages * information.pageSize
    #expect(file.dropFirst(used).allSatisfy { $0 == 0 })
    return (sizes.count, file.count - used)
  }

  @Test func `is made for many at once`() throws {
    let (grown, room) = try lengthenings(600, ofSize: 2_000)
    #expect(grown < 20)
    #expect(room <= 1 << 20)
  }

  @Test func `is not made for large ones`() throws {
    let (grown, room) = try lengthenings(12, ofSize: 300_000)
    #expect(grown == 12)
    #expect(room <= 4096 * 8)
  }
}
