// Reading and writing on the happy path.
import LMDB
import Testing

@Suite struct `Reading and writing` {
  @Test func `what was committed is read, in order and by key`() throws {
    let folder = try TemporaryFolder()
    let environment = try Environment(folder: folder.path)
    let tables = try environment.openTables(["one", "two"])
    do {
      var transaction = try environment.beginWrite()
      for n in 0..<1000 { try transaction.put(number(n * 2).raw, at: number(n).raw, in: tables[0]) }
      try transaction.append(number(7).raw, at: number(1).raw, in: tables[1])
      #expect(try transaction.delete(number(5).raw, in: tables[0]))
      #expect(try !transaction.delete(number(5).raw, in: tables[0]))
      try transaction.put(byteCount: 3, at: number(2).raw, in: tables[1]) { output in
        for byte: UInt8 in 1...3 { output.append(byte) }
      }
      try transaction.commit()
    }
    let reader = try environment.beginRead()
    #expect(try count(reader, in: tables[0]) == 999)
    #expect(try bytes(reader.value(of: number(9).raw, in: tables[0])) == number(18))
    #expect(try bytes(reader.value(of: number(5).raw, in: tables[0])) == nil)
    #expect(try bytes(reader.value(of: number(2).raw, in: tables[1])) == [1, 2, 3])
    #expect(try reader.statistics(of: tables[0]).entries == 999)
    #expect(try environment.tableNames() == ["one", "two"])
  }
}

func count(_ transaction: borrowing some Transaction & ~Copyable, in table: Table) throws -> Int {
  var cursor = try transaction.cursor(in: table)
  var count = 0
  while try cursor.next() != nil { count += 1 }
  return count
}
