// What a process did to its store's files, as the preloaded shim recorded it.
import Bytes
import Platform

/// A call of the process, or a line that it printed.
struct TracedCall {
  /// As in `shim.c`.
  enum Kind: UInt32 {
    case write = 1, durableWrite, truncate, sync, said, created, folderSync, renamed, removed
  }

  /// As in `shim.c`.
  enum File: UInt32 {
    case none, data, marker, folder, parent, making
  }

  var kind: Kind
  var file: File
  var offset: Int
  var bytes: [UInt8]

  /// Reads a recorded trace.
  static func read(_ path: String) throws -> [TracedCall] {
    guard let trace = try Files.read(path, limit: 1 << 30) else {
      throw Misuse(reason: "no trace at \(path)")
    }
    var calls: [TracedCall] = []
    var reader = ByteReader(trace.rawSpan)
    while !reader.isAtEnd {
      guard let kind = Kind(rawValue: try reader.readUInt32()),
        let file = File(rawValue: try reader.readUInt32())
      else { throw Misuse(reason: "an unknown call in the trace") }
      let offset = Int(try reader.readUInt64())
      var bytes: [UInt8] = []
      let count = Int(try reader.readUInt64())
      if count > 0 { bytes = try reader.readSpan(count: count).array() }
      calls.append(TracedCall(kind: kind, file: file, offset: offset, bytes: bytes))
    }
    return calls
  }
}

/// A file on a disk that may lose its power: what is on the disk for sure, and what is on its way there.
///
/// The disk is assumed to write sectors of 512 bytes whole, and to write what was not synced in any order, in part, or
/// not at all; also a file's new length without its content.
struct UncertainFile {
  static let sectorSize = 512
  static let pageSize = 4_096

  private enum Change {
    case bytes(offset: Int, bytes: [UInt8])
    case length(Int)
  }

  private(set) var durable: [UInt8] = []
  private var pending: [Change] = []

  var hasPending: Bool { !pending.isEmpty }

  mutating func write(_ bytes: [UInt8], at offset: Int) {
    pending.append(.bytes(offset: offset, bytes: bytes))
  }
  mutating func truncate(to length: Int) { pending.append(.length(length)) }

  mutating func sync() {
    durable = surviving { _, _ in true }
    pending = []
  }

  /// The call was durable by itself, and says nothing of those before it.
  mutating func writeDurably(_ bytes: [UInt8], at offset: Int) {
    Self.put(bytes[...], at: offset, into: &durable)
    // Whatever was on its way to the same place came before.
    pending.append(.bytes(offset: offset, bytes: bytes))
  }

  private static func put(_ bytes: ArraySlice<UInt8>, at offset: Int, into content: inout [UInt8]) {
    if content.count < offset + bytes.count {
      content += [UInt8](repeating: 0, count: offset + bytes.count - content.count)
    }
    content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }

  /// What is on the disk if of the changes under way those sectors arrived which `arrives` says, by change and sector.
  private func surviving(_ arrives: (_ change: Int, _ sector: Int) -> Bool) -> [UInt8] {
    var content = durable
    for (number, change) in pending.enumerated() {
      switch change {
      case .length(let length):
        guard arrives(number, -1) else { continue }
        if content.count > length { content.removeLast(content.count - length) }
        if content.count < length { content += [UInt8](repeating: 0, count: length - content.count) }
      case .bytes(let offset, let bytes):
        var start = 0
        while start < bytes.count {
          let sector = (offset + start) / Self.sectorSize
          let end = min(bytes.count, (sector + 1) * Self.sectorSize - offset)
          if arrives(number, sector) { Self.put(bytes[start..<end], at: offset + start, into: &content) }
          start = end
        }
      }
    }
    return content
  }

  /// How a disk loses what is under way.
  enum Loss: CaseIterable {
    case all, nothing, theRest, pages, sectors, theFirst, pagesAndLength
  }

  /// What may be on the disk after a loss.
  func afterLoss(_ loss: Loss, _ random: inout some RandomNumberGenerator) -> [UInt8] {
    let salt = random.next()
    func coin(_ number: Int) -> Bool {
      var hash = (UInt64(bitPattern: Int64(number)) ^ salt) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 29
      return (hash &* 0xbf58_476d_1ce4_e5b9) >> 63 == 1
    }
    let perPage = Self.pageSize / Self.sectorSize
    let cut = pending.isEmpty ? 0 : Int(random.next() % UInt64(pending.count))
    let torn = Int(random.next() % 64)
    func first(_ change: Int) -> Int {
      if case .bytes(let offset, _) = pending[change] { offset / Self.sectorSize } else { 0 }
    }
    switch loss {
    case .all: return surviving { _, _ in false }
    case .nothing: return surviving { _, _ in true }
    // In order, up to somewhere within a write.
    case .theRest: return surviving { $0 < cut || $0 == cut && $1 - first($0) < torn }
    // Out of order: only what came last.
    case .theFirst: return surviving { $0 > cut || $0 == cut && $1 - first($0) >= torn }
    case .pages: return surviving { coin(($0 << 32) + $1 / perPage) }
    case .sectors: return surviving { coin(($0 << 32) + $1) }
    case .pagesAndLength:
      let whole = surviving { _, _ in true }
      var content = surviving { coin(($0 << 32) + $1 / perPage) }
      if content.count < whole.count { content += [UInt8](repeating: 0, count: whole.count - content.count) }
      return content
    }
  }
}

/// The folder of a store on such a disk.
struct UncertainFolder {
  /// A name, in its folder for sure or perhaps.
  struct Name {
    private var mayBeThere = false
    private var mayBeMissing = true

    var isUncertain: Bool { mayBeThere && mayBeMissing }
    mutating func add() { mayBeThere = true }
    mutating func remove() { mayBeMissing = true }
    mutating func sync(isThere: Bool) { (mayBeThere, mayBeMissing) = (isThere, !isThere) }
    func isThere(_ random: inout some RandomNumberGenerator) -> Bool {
      isUncertain ? random.next() & 1 == 1 : mayBeThere
    }
  }

  var data = UncertainFile()
  var marker = UncertainFile()
  private(set) var folderName = Name(), dataName = Name(), markerName = Name(), makingName = Name()
  /// Names as they are until the power goes.
  private var isThere: Set<TracedCall.File> = []

  var hasUncertainNames: Bool {
    [folderName, dataName, markerName, makingName].contains { $0.isUncertain }
  }

  mutating func apply(_ call: TracedCall) {
    switch (call.kind, call.file) {
    case (.created, .folder): folderName.add()
    case (_, .parent): folderName.sync(isThere: true)
    case (.created, .data): change(.data, \.dataName, isThere: true)
    case (.created, .making): change(.making, \.makingName, isThere: true)
    case (.removed, .making): change(.making, \.makingName, isThere: false)
    case (.created, .marker): marker = UncertainFile()
    case (.renamed, .marker): change(.marker, \.markerName, isThere: true)
    case (.folderSync, .folder):
      dataName.sync(isThere: isThere.contains(.data))
      markerName.sync(isThere: isThere.contains(.marker))
      makingName.sync(isThere: isThere.contains(.making))
    case (_, .data): Self.apply(call, to: &data)
    case (_, .marker): Self.apply(call, to: &marker)
    default: break
    }
  }

  private mutating func change(_ file: TracedCall.File, _ name: WritableKeyPath<Self, Name>, isThere: Bool) {
    if isThere {
      self.isThere.insert(file)
      self[keyPath: name].add()
    } else {
      self.isThere.remove(file)
      self[keyPath: name].remove()
    }
  }

  private static func apply(_ call: TracedCall, to file: inout UncertainFile) {
    switch call.kind {
    case .write: file.write(call.bytes, at: call.offset)
    case .durableWrite: file.writeDurably(call.bytes, at: call.offset)
    case .truncate: file.truncate(to: call.offset)
    case .sync: file.sync()
    default: break
    }
  }
}
