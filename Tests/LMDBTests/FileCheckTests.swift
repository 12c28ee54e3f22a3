// Damaged files: what is wrong is said, and nothing in a file ends the process.
import Glibc
import LMDB
import Testing

/// A store with a history behind it, and what must be found in it.
private struct Sample {
  let folder: TemporaryFolder
  let file: [UInt8]
  let contents: [[[UInt8]: [UInt8]]]

  static let names = ["large", "small"]

  /// - Parameter isShort: Whether to go on until the file ends before its last page.
  init(seed: UInt64, transactions: Int, valueMax: Int = 9000, operations: Int = 60) throws {
    var random = SeededRandom(seed: seed)
    folder = try TemporaryFolder()
    var model: [[[UInt8]: [UInt8]]] = [[:], [:]]
    do {
      let environment = try Environment(folder: folder.path)
      let tables = try environment.openTables(Self.names)
      for n in 0..<transactions {
        var transaction = try environment.beginWrite()
        for _ in 0..<Int.random(in: 1...operations, using: &random) {
          let place = Int.random(in: 0...1, using: &random)
          let key = number(Int.random(in: 0..<(place == 0 ? 60 : 2000), using: &random))
          if Int.random(in: 0...2, using: &random) == 0 {
            let isThere = try transaction.delete(key.raw, in: tables[place])
            #expect(isThere == (model[place].removeValue(forKey: key) != nil))
          } else {
            let size = Int.random(in: 0..<(place == 0 ? valueMax : 300), using: &random)
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: n), count: size)
            try transaction.put(value.raw, at: key.raw, in: tables[place])
            model[place][key] = value
          }
        }
        try transaction.commit()
      }
    }
    file = try Raw.read(folder.dataFile)
    contents = model
  }

  /// Opens and reads everything; the content, or the error that refused it.
  func open() throws -> [[[UInt8]: [UInt8]]] {
    var options = Environment.Options()
    options.isReadOnly = true
    options.mapSize = 1 << 30
    let environment = try Environment(folder: folder.path, options: options)
    let tables = try environment.openTables(Self.names)
    let reader = try environment.beginRead()
    return try tables.map { try LMDBTests.contents(reader, of: $0) }
  }
}

extension [UInt8] {
  fileprivate func u64(at offset: Int) -> UInt64 {
    self[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

@Suite struct `Checking a data file` {
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func `a whole file passes, and every page is accounted for`(
    seed: UInt64
  ) throws {
    let sample = try Sample(seed: seed, transactions: 40)
    let report = try FileCheck.run(sample.folder.dataFile, depth: .full)
    #expect(report.problem == nil)
    #expect(report.isComplete)
    let environment = try Environment(folder: sample.folder.path)
    #expect(report.pagesUsed + report.pagesFree == (try environment.information().pages))
    #expect(try environment.check(.full).pagesUsed == report.pagesUsed)
    #expect(try environment.check(.branches(limit: 1)).problem == nil)
    #expect(try environment.check(.branches(limit: 0)).isComplete == false)
  }

  // LMDB does not write pages that were taken and freed in one transaction: the check took the file for cut off.
  @Test func `a whole file that ends before its last page passes, and is lengthened by the next writer`()
    throws
  {
    var found = 0
    for seed in 1...40 as ClosedRange<UInt64> {
      let sample = try Sample(seed: seed, transactions: 15, valueMax: 1 << 17, operations: 40)
      let environment = try Environment(folder: sample.folder.path)
      let information = try environment.information()
      let size = information.pages * information.pageSize
      if sample.file.count >= size { continue }
      found += 1
      #expect(try FileCheck.run(sample.folder.dataFile, depth: .metaOnly).problem == nil)
      #if DEBUG
      let fired = Failpoint.with(call: .fileExtend, code: ENOSPC) {
        #expect(throws: LMDBError.diskFull(.fileExtend)) { _ = try environment.beginWrite() }
      }
      #expect(fired)
      #endif
      _ = try environment.beginWrite()
      #expect(try Raw.read(sample.folder.dataFile).count >= size)
      #expect(try FileCheck.run(sample.folder.dataFile, depth: .full).problem == nil)
    }
    #expect(found > 0, "no seed made such a file")
  }

  @Test func `a file cut off anywhere is refused, or nothing of it is missing`() throws {
    let sample = try Sample(seed: 7, transactions: 30)
    var refused = 0
    let sizes = stride(from: 0, to: sample.file.count, by: 4096).flatMap {
      [$0, $0 + 1, $0 + 100, $0 + 4095]
    }
    for size in sizes.reversed() where size < sample.file.count {
      try Raw.setSize(size, of: sample.folder.dataFile)
      do {
        let contents = try sample.open()
        #expect(contents == sample.contents, "cut off at \(size)")
      } catch LMDBError.damaged(let problem) {
        refused += 1
        if size > 8192 {
          guard case .truncated = problem.reason else {
            Issue.record("cut off at \(size): \(problem)")
            continue
          }
        }
      }
    }
    #expect(refused > sizes.count / 2)
  }

  @Test func `a flipped bit in a meta page is refused or changes nothing`() throws {
    let sample = try Sample(seed: 3, transactions: 12, operations: 20)
    var refused = 0
    for page in 0...1 {
      for place in 0..<152 {
        let offset = page * 4096 + place
        for bit in 0..<8 {
          try Raw.write(sample.file[offset] ^ (1 << bit), at: offset, in: sample.folder.dataFile)
          do {
            let report = try FileCheck.run(sample.folder.dataFile, depth: .full)
            if let problem = report.problem { throw LMDBError.damaged(problem) }
            #expect(try sample.open() == sample.contents, "bit \(bit) of byte \(place) of page \(page)")
          } catch LMDBError.damaged {
            refused += 1
          }
        }
        try Raw.write(sample.file[offset], at: offset, in: sample.folder.dataFile)
      }
    }
    #expect(refused > 800)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `what passes in full can be read, whatever bytes were changed`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let sample = try Sample(seed: seed, transactions: 12, valueMax: 5000, operations: 25)
    var refused = 0
    for _ in 0..<2500 {
      // Mostly where the structure is: headers and the first nodes of a page.
      let page = Int.random(in: 0..<sample.file.count / 4096, using: &random)
      let isHeader = Bool.random(using: &random)
      let offset = page * 4096 + Int.random(in: 0..<(isHeader ? 64 : 4096), using: &random)
      let byte =
        Bool.random(using: &random)
        ? sample.file[offset] ^ (1 << UInt8.random(in: 0..<8, using: &random))
        : UInt8.random(in: 0...255, using: &random)
      try Raw.write(byte, at: offset, in: sample.folder.dataFile)
      let report = try FileCheck.run(sample.folder.dataFile, depth: .full)
      do {
        if let problem = report.problem { throw LMDBError.damaged(problem) }
        _ = try sample.open()
      } catch LMDBError.damaged {
        refused += 1
      } catch LMDBError.tableMissing {
        // A name with another letter is a name.
      }
      _ = try FileCheck.run(sample.folder.dataFile, depth: .branches(limit: 20))
      try Raw.write(sample.file[offset], at: offset, in: sample.folder.dataFile)
    }
    #expect(refused > 100)
    #expect(try sample.open() == sample.contents)
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func `random bytes behind a good beginning never end the process`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let sample = try Sample(seed: seed, transactions: 10)
    for _ in 0..<300 {
      var file = sample.file
      let start = Int.random(in: 16..<file.count, using: &random)
      for place in start..<min(file.count, start + Int.random(in: 1...9000, using: &random)) {
        file[place] = UInt8.random(in: 0...255, using: &random)
      }
      try Raw.write(file[...], to: sample.folder.dataFile)
      let report = try FileCheck.run(sample.folder.dataFile, depth: .full)
      if report.problem == nil { _ = try sample.open() }
    }
  }

  // `memoir stats` trapped on a table whose page counts were beyond an integer.
  @Test func `a tree that counts its pages or entries otherwise is refused, and counting them does not trap`() throws {
    let sample = try Sample(seed: 5, transactions: 12)
    let meta = (0...1).max { sample.file.u64(at: $0 * 4096 + 144) < sample.file.u64(at: $1 * 4096 + 144) } ?? 0
    // Behind pad, flags and depth: branch, leaf and overflow pages, entries.
    for place in meta * 4096 + 88 + 8..<meta * 4096 + 88 + 40 {
      for bit in [0, 7] as [UInt8] {
        try Raw.write(sample.file[place] ^ (1 << bit), at: place, in: sample.folder.dataFile)
        #expect(try FileCheck.run(sample.folder.dataFile, depth: .full).problem != nil, "bit \(bit) of \(place)")
        try Raw.write(sample.file[place], at: place, in: sample.folder.dataFile)
      }
    }
    let list = Int(sample.file.u64(at: meta * 4096 + 88 + 40)) * 4096
    let table = try #require(
      (list..<list + 4096).first { sample.file[$0..<$0 + 5].elementsEqual("large".utf8) })
    for place in table + 5 + 8..<table + 5 + 40 {
      try Raw.write(sample.file[place] ^ 0x80, at: place, in: sample.folder.dataFile)
      #expect(try FileCheck.run(sample.folder.dataFile, depth: .full).problem != nil, "\(place - table)")
      let environment = try Environment(folder: sample.folder.path)
      let tables = try environment.openTables(Sample.names)
      #expect(try environment.beginRead().statistics(of: tables[0]).sizeInBytes >= 0)
      environment.close()
      try Raw.write(sample.file[place], at: place, in: sample.folder.dataFile)
    }
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func `where the roots pass, tables of one page can be read, whatever bytes were changed`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    // So few entries that every table is one page.
    let sample = try Sample(seed: seed, transactions: 4, valueMax: 60, operations: 8)
    let pages = try Environment(folder: sample.folder.path).information().pages
    var refused = 0
    for _ in 0..<1500 {
      let page = Int.random(in: 0..<pages, using: &random)
      let offset = page * 4096 + Int.random(in: 0..<(Bool.random(using: &random) ? 64 : 4096), using: &random)
      try Raw.write(
        sample.file[offset] ^ (1 << UInt8.random(in: 0..<8, using: &random)), at: offset, in: sample.folder.dataFile)
      do {
        let report = try FileCheck.run(sample.folder.dataFile, depth: .roots)
        if let problem = report.problem { throw LMDBError.damaged(problem) }
        _ = try sample.open()
      } catch LMDBError.damaged {
        refused += 1
      } catch LMDBError.tableMissing {
        // A name with another letter is a name.
      }
      try Raw.write(sample.file[offset], at: offset, in: sample.folder.dataFile)
    }
    #expect(refused > 100)
  }

  @Test func `foreign and empty files are named`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: LMDBError.noSuchFile(.fileOpen)) { try FileCheck.run(folder.dataFile, depth: .metaOnly) }
    try Raw.write([], to: folder.dataFile)
    #expect(try FileCheck.run(folder.dataFile, depth: .metaOnly).problem?.reason == .empty)
    #expect(throws: LMDBError.self) { try Environment(folder: folder.path) }
    try Raw.write(Array("SQLite format 3".utf8)[...], to: folder.dataFile)
    #expect(throws: LMDBError.self) { try Environment(folder: folder.path) }
    try Raw.write([UInt8](repeating: 7, count: 100_000)[...], to: folder.dataFile)
    #expect(try FileCheck.run(folder.dataFile, depth: .metaOnly).problem?.reason == .foreign)
    #expect(throws: LMDBError.damaged(.init(reason: .foreign, page: 0))) {
      try Environment(folder: folder.path)
    }

    try Raw.write([], to: folder.dataFile)
    var options = Environment.Options()
    options.creation = .ifMissingOrEmpty
    _ = try Environment(folder: folder.path, options: options)
    #expect(try FileCheck.run(folder.dataFile, depth: .full).problem == nil)
  }
}
