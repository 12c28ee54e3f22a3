// A disk that may lose its power: what is on it for sure, and what is on its way there.

/// A file on such a disk.
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
    Self.put(bytes, 0..<bytes.count, at: offset, into: &durable)
    // Whatever was on its way to the same place came before.
    pending.append(.bytes(offset: offset, bytes: bytes))
  }

  private static func put(_ bytes: [UInt8], _ range: Range<Int>, at offset: Int, into content: inout [UInt8]) {
    if content.count < offset + range.count {
      content += [UInt8](repeating: 0, count: offset + range.count - content.count)
    }
    unsafe content.withUnsafeMutableBytes { content in
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(rebasing: content[offset..<offset + range.count])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
      }
    }
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
          if arrives(number, sector) { Self.put(bytes, start..<end, at: offset + start, into: &content) }
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

/// Folders and files on such a disk, from a folder on that is there for sure.
struct UncertainDisk {
  private enum Node: Equatable {
    case missing, file(Int), folder(Int)
  }

  /// A name in a folder, and what it may lead to when the power is gone: each name for itself.
  private struct Name {
    var now = Node.missing
    var durable = Node.missing
    var underWay: [Node] = []

    var isUncertain: Bool { underWay.contains { $0 != durable } }
  }

  private var files: [UncertainFile] = []
  private var folders: [[String: Name]] = [[:]]
  private var byInode: [UInt64: Int] = [:]

  /// Whether any file has something on its way.
  var hasPending: Bool { files.contains { $0.hasPending } }
  /// Whether a name may lead to one thing or another.
  var hasUncertainNames: Bool { folders.contains { $0.values.contains { $0.isUncertain } } }

  mutating func apply(_ call: TracedCall) {
    switch call.kind {
    case .said: break
    case .created:
      files.append(UncertainFile())
      byInode[call.inode] = files.count - 1
      set(call.text, .file(files.count - 1))
    case .madeFolder:
      folders.append([:])
      set(call.text, .folder(folders.count - 1))
    case .removed: set(call.text, .missing)
    case .renamed:
      let paths = call.text.split(separator: "\n").map(String.init)
      let node = node(paths[0])
      set(paths[0], .missing)
      set(paths[1], node)
    case .folderSync:
      guard case .folder(let folder) = node(call.text) else { break }
      folders[folder] = folders[folder].mapValues { Name(now: $0.now, durable: $0.now) }
    case .write: change(call) { $0.write(call.bytes, at: call.offset) }
    case .durableWrite: change(call) { $0.writeDurably(call.bytes, at: call.offset) }
    case .truncate: change(call) { $0.truncate(to: call.offset) }
    case .sync: change(call) { $0.sync() }
    }
  }

  private mutating func change(_ call: TracedCall, _ body: (inout UncertainFile) -> Void) {
    if let file = byInode[call.inode] { body(&files[file]) }
  }

  /// What is at a path now.
  private func node(_ path: String) -> Node {
    var node = Node.folder(0)
    for part in path.split(separator: "/") {
      guard case .folder(let folder) = node, let name = folders[folder][String(part)] else { return .missing }
      node = name.now
    }
    return node
  }

  private mutating func set(_ path: String, _ node: Node) {
    var parts = path.split(separator: "/").map(String.init)
    guard let last = parts.popLast(), case .folder(let folder) = self.node(parts.joined(separator: "/")) else { return }
    folders[folder][last, default: Name()].now = node
    folders[folder][last]?.underWay.append(node)
  }

  /// The files, and folders with a slash at the end, that may be there after a loss, by their paths.
  func afterLoss(
    _ loss: UncertainFile.Loss, _ random: inout some RandomNumberGenerator
  ) -> [String: [UInt8]] {
    collect { name in
      ([name.durable] + name.underWay).randomElement(using: &random) ?? .missing
    } content: { file in
      file.afterLoss(loss, &random)
    }
  }

  /// Everything that was written.
  var whole: [String: [UInt8]] {
    collect {
      $0.now
    } content: { file in
      var file = file
      file.sync()
      return file.durable
    }
  }

  private func collect(
    _ choose: (Name) -> Node, content: (UncertainFile) -> [UInt8]
  ) -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    func visit(_ folder: Int, _ path: String) {
      // In one order, so that the same random numbers come to the same.
      for (name, state) in folders[folder].sorted(by: { $0.key < $1.key }) {
        switch choose(state) {
        case .missing: break
        case .file(let file): found[path + name] = content(files[file])
        case .folder(let folder):
          found[path + name + "/"] = []
          visit(folder, path + name + "/")
        }
      }
    }
    visit(0, "")
    return found
  }
}
