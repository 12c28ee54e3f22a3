// Files, folders and locks, on a real file system.
import Glibc
import Platform
import Testing

/// A folder that goes with its owner.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = "/tmp/platform-tests-\(CurrentProcess.id)-\(MonotonicClock.nanoseconds)"
    try Files.makeFolder(path)
  }

  deinit { try? Files.removeTree(path) }
}

extension [UInt8] {
  var raw: RawSpan {
    @_lifetime(borrow self) get { RawSpan(_elements: span) }
  }
}

@Suite struct `Files and folders` {
  @Test func `folders are made with those above them, for their owner alone`() throws {
    let folder = try TemporaryFolder()
    #expect(try Files.makeFolder(folder.path + "/a/b/c"))
    #expect(try !Files.makeFolder(folder.path + "/a/b/c/"))
    #expect(try Files.status(folder.path + "/a/b")?.permissions == 0o700)
    #expect(try Files.list(folder.path) == ["a"])
    try Files.removeTree(folder.path + "/a")
    #expect(try !Files.exists(folder.path + "/a"))
  }

  @Test func `a folder over a file is refused`() throws {
    let folder = try TemporaryFolder()
    try Files.writeAtomically([1].raw, to: folder.path + "/file")
    #expect { try Files.makeFolder(folder.path + "/file") } throws: {
      ($0 as? PlatformError)?.code == EEXIST
    }
    #expect(throws: PlatformError.self) { try Files.makeFolder(folder.path + "/file/below") }
  }

  @Test func `a folder where the system has none is refused`() {
    // The parents were made over and over, until the stack ended.
    #expect(throws: PlatformError.self) { try Files.makeFolder("/proc/none/at/all") }
  }

  @Test(arguments: [
    ("/a/b", "/a"), ("/a/b/", "/a"), ("/a", "/"), ("/", "/"), ("a", "."), ("a//b", "a"), ("//a", "/"),
  ]) func `the folder of a path`(path: String, folder: String) {
    #expect(Files.folder(of: path) == folder)
  }

  @Test func `an atomic write replaces the content and leaves nothing beside it`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/file"
    #expect(try Files.read(path) == nil)
    try Files.writeAtomically([1, 2, 3].raw, to: path)
    try Files.writeAtomically([4].raw, to: path)
    #expect(try Files.read(path) == [4])
    #expect(try Files.list(folder.path) == ["file"])
    #expect(try Files.status(path)?.permissions == 0o600)
  }

  @Test func `a file over the limit is refused`() throws {
    let folder = try TemporaryFolder()
    try Files.writeAtomically([1, 2, 3].raw, to: folder.path + "/file")
    #expect(throws: PlatformError(call: "read", code: EFBIG, path: folder.path + "/file")) {
      try Files.read(folder.path + "/file", limit: 2)
    }
    #expect(try Files.read(folder.path + "/file", limit: 3) == [1, 2, 3])
  }

  @Test func `appending goes on at the end, and places can be read and written`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/file"
    for text in ["one", "two"] { try Descriptor(opening: path, for: .appending).write(text) }
    let file = try Descriptor(opening: path, for: .updating)
    try file.write([UInt8(ascii: "T")].raw, at: 3)
    #expect(try file.read(100, at: 3) == Array("Two".utf8))
    #expect(try file.sizeInBytes() == 6)
    try file.setSize(2)
    #expect(try file.readToEnd() == Array("on".utf8))
  }

  @Test func `an error names the call, the reason and the path`() {
    let error = #expect(throws: PlatformError.self) {
      _ = try Descriptor(opening: "/nowhere/file", for: .reading)
    }
    #expect(error?.description == "open: No such file or directory (/nowhere/file)")
    #expect(error?.isNotFound == true)
  }

  @Test(arguments: [1, 2, 3, 5, 7, 100]) func `lines come whole, however they are cut in chunks`(size: Int)
    throws
  {
    let folder = try TemporaryFolder()
    let path = folder.path + "/lines"
    try Files.writeAtomically(Array("one\n\nthree\nrest".utf8).raw, to: path)
    var reader = LineReader(try Descriptor(opening: path, for: .reading), chunkSize: size)
    var lines: [String] = []
    while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
    #expect(lines == ["one", "", "three", "rest"])
    #expect(try reader.next() == nil)
  }

  @Test func `a line over the limit is refused`() throws {
    let folder = try TemporaryFolder()
    try Files.writeAtomically(Array("0123456789\n".utf8).raw, to: folder.path + "/lines")
    var reader = LineReader(
      try Descriptor(opening: folder.path + "/lines", for: .reading), chunkSize: 3, lineLimit: 9)
    #expect(throws: PlatformError.self) { try reader.next() }
  }

  @Test func `writing to a reader that went away is an error`() throws {
    CurrentProcess.ignoreBrokenPipes()
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    close(ends[0])
    let writer = Descriptor(owning: ends[1])
    #expect { try writer.write("lost") } throws: { ($0 as? PlatformError)?.isBrokenPipe == true }
  }
}

@Suite struct `Locking a file` {
  @Test func `an exclusive lock keeps others out until it is let go`() throws {
    let folder = try TemporaryFolder()
    let one = try FileLock(path: folder.path + "/lock"), two = try FileLock(path: folder.path + "/lock")
    try one.lock(.exclusive)
    #expect(try !two.tryLock(.shared))
    #expect(two.mode == nil)
    try one.unlock()
    #expect(try two.tryLock(.shared))
    #expect(try one.tryLock(.shared))
  }

  @Test func `a refused upgrade keeps the shared lock`() throws {
    let folder = try TemporaryFolder()
    let one = try FileLock(path: folder.path + "/lock"), two = try FileLock(path: folder.path + "/lock")
    try one.lock(.shared)
    try two.lock(.shared)
    #expect(try !one.tryUpgrade())
    #expect(one.mode == .shared)
    #expect(try !two.tryLock(.exclusive), "the shared lock of the other was lost")
    try two.unlock()
    #expect(try one.tryUpgrade())
    #expect(one.mode == .exclusive)
  }

  @Test func `a lock ends with its owner`() throws {
    let folder = try TemporaryFolder()
    do { try FileLock(path: folder.path + "/lock").lock(.exclusive) }
    #expect(try FileLock(path: folder.path + "/lock").tryLock(.exclusive))
  }
}

@Suite struct `Waiting for something to read` {
  @Test func `ends with something, with the end, or with patience`() throws {
    var ends: [Int32] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    let input = Descriptor(owning: ends[0])
    var output: Descriptor? = Descriptor(owning: ends[1])
    #expect(try !input.waitToRead(milliseconds: 1))
    try output?.write("x")
    #expect(try input.waitToRead(milliseconds: 60_000))
    #expect(try input.read(upTo: 8) == Array("x".utf8))
    #expect(try !input.waitToRead(milliseconds: 1))
    // The last end of the pipe is closed.
    output = nil
    #expect(try input.waitToRead(milliseconds: 60_000))
    #expect(try input.read(upTo: 8).isEmpty)
  }
}
