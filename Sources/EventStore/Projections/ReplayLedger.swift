// How far a replay has come, kept beside the data so that one that was killed can go on.
internal import Bytes
internal import Platform
internal import Sodium
internal import Synchronization

/// What one stream adds to a replay.
struct StreamOutcome {
  var stream: StreamNumber
  var version: StreamVersion
  var digest: Bytes32
  /// Whether it came from an interrupted replay.
  var isResumed = false
  var eventsFolded = 0
}

extension StreamOutcome {
  /// What `state` of a stream adds: a digest of whose it is, as of which version, and its bytes.
  init(
    _ name: StreamName, _ stream: StreamNumber, _ version: StreamVersion, _ state: some ProjectionState,
    eventsFolded: Int
  ) {
    var writer = ByteWriter(capacity: state.encodedSize + 64)
    writer.writeString(name.namespace.description)
    writer.writeString(name.user.description)
    writer.writeVarint(version.number)
    state.encode(into: &writer)
    self.init(
      stream: stream, version: version, digest: BLAKE2b.digest(writer.bytes.rawSpan),
      eventsFolded: eventsFolded)
  }
}

/// Which streams an unfinished replay has done, in a file beside the data: a line each, written as it is done.
///
/// In an encrypted store the digests are sealed: of a state that says little, one could be guessed by its digest. It is
/// not synced: after a power loss the replay begins anew, after a kill it goes on. A line that is cut short, or
/// that belongs to a stream which has grown since, is passed over.
final class ReplayLedger: Sendable {
  private let path: String
  private let done: [StreamNumber: (last: StreamVersion, outcome: StreamOutcome)]
  private let file: Mutex<Descriptor?>
  private let seal: DigestSeal?

  init(_ path: String, kind: String, resumes: Bool, cipher: StoreCipher? = nil) {
    self.path = path
    let header = "memoir-replay 1 \(kind)"
    let seal = cipher.map { DigestSeal(cipher: $0, header: header) }
    self.seal = seal
    var done: [StreamNumber: (last: StreamVersion, outcome: StreamOutcome)] = [:]
    var isSame = false
    let isFile = (try? Files.status(path))?.kind == .file
    if resumes, isFile, let bytes = try? Files.read(path, limit: 1 << 30) {
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      isSame = lines.first.map { $0.elementsEqual(header.utf8) } ?? false
      if isSame {
        for line in lines.dropFirst() {
          guard let (last, outcome) = Self.read(String(decoding: line, as: UTF8.self), seal) else { continue }
          done[outcome.stream] = (last, outcome)
        }
      }
    }
    self.done = done
    // Without the file the replay goes on all the same; it only can't be resumed.
    if !isSame { _ = try? Files.remove(path) }
    let opened = try? Descriptor(opening: path, for: .appending)
    // A line that was cut short must not swallow the next one.
    try? opened?.write(isSame ? "\n" : header + "\n")
    file = Mutex(opened)
  }

  func outcome(of stream: StreamNumber, at last: StreamVersion) -> StreamOutcome? {
    guard let known = done[stream], known.last == last else { return nil }
    return known.outcome
  }

  func add(_ outcome: StreamOutcome, at last: StreamVersion) {
    let place = "\(outcome.stream) \(last) \(outcome.version) \(outcome.eventsFolded)"
    let text = "\(place) \(seal?.sealed(outcome.digest, at: place) ?? outcome.digest.hexadecimal)"
    file.withLock { file in try? file?.write("\(text) \(Self.checksum(text))\n") }
  }

  func finish() {
    file.withLock { $0 = nil }
    _ = try? Files.remove(path)
  }

  private static func checksum(_ text: String) -> UInt64 { XXH3.hash(Array(text.utf8).rawSpan) }

  private static func read(_ line: String, _ seal: DigestSeal?) -> (StreamVersion, StreamOutcome)? {
    let words = line.split(separator: " ")
    guard words.count == 6, UInt64(words[5]) == checksum(words[0..<5].joined(separator: " ")),
      let stream = StreamNumber(words[0]), let last = UInt64(words[1]), let version = UInt64(words[2])
    else { return nil }
    let text = String(words[4])
    let known = seal.map { $0.opened(text, at: words[0..<4].joined(separator: " ")) } ?? Bytes32(hexadecimal: text)
    guard let digest = known else { return nil }
    return (
      StreamVersion(last),
      StreamOutcome(stream: stream, version: StreamVersion(version), digest: digest, isResumed: true)
    )
  }
}

/// Seals digests for their lines in a file.
private struct DigestSeal {
  let cipher: StoreCipher
  /// What the file begins with.
  let header: String

  func sealed(_ digest: Bytes32, at place: String) -> String {
    var writer = ByteWriter(capacity: 32)
    digest.write(into: &writer)
    return cipher.seal(writer.bytes.rawSpan, at: Array(place.utf8).rawSpan, in: header).hexadecimal
  }

  /// `nil` where it was not sealed for that line.
  func opened(_ text: String, at place: String) -> Bytes32? {
    guard let sealed = [UInt8](hexadecimal: text),
      let digest = cipher.open(sealed.rawSpan, at: Array(place.utf8).rawSpan, in: header)
    else { return nil }
    var reader = ByteReader(digest.rawSpan)
    return try? Bytes32(reading: &reader)
  }
}
