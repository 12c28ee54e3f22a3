// From lines of JSON to batches of events: the reading half of `memoir append`.
import JSON
import Memoir
import Platform

/// Consecutive lines that are to be stored together.
struct EventBatch: Sendable {
  /// Neighbours of the same user are one append, so that the log keeps the order of the lines.
  var appends: [StreamAppend] = []
  /// The line of each event, in order.
  var lines: [Int] = []
  fileprivate var sizeInBytes = 0

  /// The line of the event with this id, the later one where it comes twice.
  func line(of id: EventID) -> Int? {
    var index = lines.count
    for append in appends.reversed() {
      for event in append.events.reversed() {
        index -= 1
        if event.id == id { return lines[index] }
      }
    }
    return nil
  }
}

/// A line that cannot be accepted, or a batch of them.
struct LineError: Error {
  /// The line, counted from 1.
  var line: Int
  /// The first line of its batch.
  var batchStart: Int
  var error: MemoirError
}

/// Reads a file of events, a batch at a time.
struct EventReader: ~Copyable {
  /// That of lines which name none.
  var namespace: Namespace?
  /// Whether lines of a second user are refused.
  var isOfOneUser = false
  var now: () -> Timestamp = { .earliest }

  private var lines: LineReader
  private let batchSize: Int
  private let parser = JSONParser()
  private var exports = ExportReader()
  private var number = 0
  private var user: StreamName?

  /// What a batch may weigh: of very large events there are fewer in one.
  private static let batchBytes = 64 << 20

  /// An event as long as it can be: in an export, once as JSON and once as it is stored.
  static let lineLimit = 3 * Limits.eventSize

  /// Opens the input.
  ///
  /// - Throws: ``MemoirError`` where it cannot be opened.
  init(_ source: InputSource, batchSize: Int) throws(MemoirError) {
    self.batchSize = batchSize
    lines = LineReader(try source.open(field: "FILE"), lineLimit: Self.lineLimit)
  }

  /// Whether an export was among the lines so far.
  var hasReadExport: Bool { exports.hasBegun }

  /// The next batch; `nil` at the end.
  ///
  /// - Throws: ``LineError``.
  mutating func next() throws -> EventBatch? {
    var batch = EventBatch()
    let start = number + 1
    while batch.lines.count < batchSize, batch.sizeInBytes < Self.batchBytes {
      do {
        guard let line = try nextLine() else {
          try exports.finish()
          break
        }
        // In an export there are no others than its own.
        if exports.isIdle, line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == 0x09 || $0 == 0x0d }) { continue }
        try add(line, to: &batch)
      } catch {
        throw LineError(line: number, batchStart: start, error: error)
      }
    }
    return batch.lines.isEmpty ? nil : batch
  }

  private mutating func nextLine() throws(MemoirError) -> [UInt8]? {
    number += 1
    do throws(PlatformError) {
      guard var line = try lines.next() else { return nil }
      // A byte order mark, as some editors begin a file.
      if number == 1, line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
      return line
    } catch {
      if error.isTooLong {
        throw MemoirError(.tooLarge, "line: is longer than \(Self.lineLimit) bytes, and not read to its end")
      }
      throw error.asMemoirError
    }
  }

  private mutating func add(_ line: [UInt8], to batch: inout EventBatch) throws(MemoirError) {
    if try exports.take(line) { return }
    let incoming =
      try exports.isIdle
      ? EventJSON.read(line.span, with: parser, now: now()) : exports.read(line, with: parser, now: now())
    guard let user = incoming.user else { throw .invalid(field: "user", "is missing") }
    if let named = incoming.namespace, let namespace, named != namespace {
      throw .invalid(field: "namespace", "is \(named), and --namespace says \(namespace)")
    }
    let stream = StreamName(user, in: incoming.namespace ?? namespace ?? .default)
    if isOfOneUser {
      if let first = self.user, first != stream {
        throw .invalid(
          field: "--expected-version", "is for one user, and here is \(stream) after \(first)")
      }
      self.user = stream
    }
    if let last = batch.appends.indices.last, batch.appends[last].stream == stream {
      batch.appends[last].events.append(incoming.event)
    } else {
      batch.appends.append(exports.append(incoming.event, to: stream))
    }
    batch.lines.append(number)
    batch.sizeInBytes += line.count
  }
}
