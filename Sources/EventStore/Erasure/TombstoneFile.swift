// The file TOMBSTONES beside the data: the store's erasures once more, so that a backup from before them can be told.
//
//   memoir-tombstones 1 STORE-ID KEY CHECKSUM
//   ERASED-AT NAME-HASH EVENTS VERSION POSITION SIGNATURE CHECKSUM BY
//
// A line each, words parted by a space; who did it may have spaces. KEY is what names are hashed with, SIGNATURE is "-"
// where there is none, CHECKSUM (XXH3, 16 hexadecimal digits) is that of the line without it. The file says what the
// records of the store say and is written after each erasure, as a whole.
internal import Bytes
internal import Platform
internal import Sodium

struct TombstoneFile: Equatable {
  static let name = "TOMBSTONES"
  private static let form = "memoir-tombstones 1"
  private static let limit = 1 << 28

  var storeID: EventID
  var key: NameKey
  var tombstones: [Tombstone]

  init(storeID: EventID, key: NameKey, tombstones: [Tombstone]) {
    self.storeID = storeID
    self.key = key
    self.tombstones = tombstones
  }

  /// The file at `path`; `nil` where there is none.
  static func read(_ path: String) throws(StorageError) -> TombstoneFile? {
    let bytes = try asking(path) { () throws(PlatformError) in try Files.read(path, limit: limit) }
    guard let bytes else { return nil }
    return try TombstoneFile(bytes, path)
  }

  func write(to path: String) throws(StorageError) {
    try asking(path) { () throws(PlatformError) in
      try Files.writeAtomically(encoded().rawSpan, to: path)
    }
  }
}

extension TombstoneFile {
  /// What two files of the same store say: the second one may be older than the first, and the first than the second.
  ///
  /// - Throws: ``StorageError/corrupt(reason:position:)`` where they hash names otherwise: no store has two keys for that.
  func joined(with other: TombstoneFile) throws(StorageError) -> TombstoneFile {
    guard storeID == other.storeID, key == other.key else {
      throw .corrupt(reason: "the tombstones given are not of the store that the backup was made of", position: nil)
    }
    var joined = self
    joined.tombstones += other.tombstones.filter { tombstone in !tombstones.contains { $0.isSame(as: tombstone) } }
    return joined
  }

  func encoded() -> [UInt8] {
    var text = Self.line("\(Self.form) \(storeID) \(key.key.hexadecimal)", "")
    for tombstone in tombstones {
      text += Self.line(
        "\(tombstone.erasedAt) \(tombstone.nameHash.hexadecimal) \(tombstone.events) \(tombstone.version)"
          + " \(tombstone.position) \(Self.hexadecimal(tombstone.signature))", tombstone.by)
    }
    return Array(text.utf8)
  }

  private static func line(_ words: String, _ rest: String) -> String {
    "\(words) \(checksum(words, rest))\(rest.isEmpty ? "" : " \(rest)")\n"
  }

  private static func checksum(_ words: String, _ rest: String) -> String {
    let digits = String(XXH3.hash(Array("\(words) \(rest)".utf8).rawSpan), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    if bytes.isEmpty { return "-" }
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func bytes(hexadecimal text: Substring) -> [UInt8]? {
    if text == "-" { return [] }
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  fileprivate init(_ bytes: [UInt8], _ path: String) throws(StorageError) {
    func damaged(_ line: Int) -> StorageError {
      .corrupt(
        reason: "line \(line) of \(path) is damaged; put a whole copy of the file in its place, or take it away",
        position: nil)
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // Each ends with a line break, the last one too.
    guard lines.popLast()?.isEmpty == true else { throw damaged(lines.count + 1) }
    guard let first = lines.first, let header = Self.words(first, count: 5), "\(header[0]) \(header[1])" == Self.form,
      let storeID = try? EventID(header[2]), let key = Bytes32(hexadecimal: header[3])
    else { throw damaged(1) }
    self.storeID = storeID
    self.key = NameKey(key: key)
    tombstones = []
    for (index, line) in lines.enumerated().dropFirst() {
      guard let tombstone = Self.tombstone(line) else { throw damaged(index + 1) }
      tombstones.append(tombstone)
    }
  }

  private static func tombstone(_ line: ArraySlice<UInt8>) -> Tombstone? {
    guard let words = words(line, count: 7), let time = try? Timestamp(words[0]),
      let hash = Bytes32(hexadecimal: words[1]), let events = UInt64(words[2]), let version = UInt64(words[3]),
      let position = UInt64(words[4]), let signature = bytes(hexadecimal: words[5][...]), !words[7].isEmpty
    else { return nil }
    return Tombstone(
      erasedAt: time, by: words[7], events: events, version: StreamVersion(version),
      position: LogPosition(position), nameHash: hash, signature: signature)
  }

  /// The first `count` words of a line, of which the last one is its checksum, and what follows; `nil` for a line of
  /// another form, or that is not what was written.
  private static func words(_ line: ArraySlice<UInt8>, count: Int) -> [String]? {
    guard let text = String(validating: line, as: UTF8.self) else { return nil }
    var parts = text.split(separator: " ", maxSplits: count, omittingEmptySubsequences: false).map { String($0) }
    if parts.count == count { parts.append("") }
    guard parts.count == count + 1,
      checksum(parts[..<(count - 1)].joined(separator: " "), parts[count]) == parts[count - 1]
    else { return nil }
    return parts
  }
}
