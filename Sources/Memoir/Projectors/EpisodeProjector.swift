// Episodes: what was tried, and how it went.
public import Bytes
public import EventStore

/// A task that was worked on.
public struct Episode: Sendable {
  /// What was to be done.
  public let task: String
  /// What was done.
  public let actions: TextList
  /// What came of it.
  public let outcomes: TextList
  /// Whether it was what was wanted.
  public let success: Bool
  /// What to remember next time.
  public let lessons: TextList?
  /// When it was recorded.
  public let occurredAt: Timestamp
  /// The event that put it there.
  public let origin: EventReference

  var encodedSize: Int {
    EncodedSize.string(task) + EncodedSize.textList(actions) + EncodedSize.textList(outcomes) + 2
      + (lessons.map(EncodedSize.textList) ?? 0) + EncodedSize.time(occurredAt) + origin.encodedSize
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeString(task)
    writer.write(actions)
    writer.write(outcomes)
    writer.write(success ? 1 : 0 as UInt8)
    writer.write(lessons == nil ? 0 : 1 as UInt8)
    if let lessons { writer.write(lessons) }
    writer.write(occurredAt)
    origin.encode(into: &writer)
  }
}

extension Episode {
  init(_ event: borrowing EventView) throws(DamagedBytes) {
    let content = try EpisodeRecorded(payload: event.payload)
    task = content.task
    actions = content.actions
    outcomes = content.outcomes
    success = content.success
    lessons = content.lessons
    occurredAt = event.occurredAt
    origin = EventReference(event)
  }

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    task = try reader.readString()
    actions = try reader.readTextList()
    outcomes = try reader.readTextList()
    success = try reader.readUInt8() != 0
    lessons = try reader.readUInt8() == 0 ? nil : try reader.readTextList()
    occurredAt = try reader.readTime()
    origin = try EventReference(decoding: &reader)
  }
}

extension EncodedSize {
  fileprivate static func textList(_ list: TextList) -> Int {
    switch list {
    case .one(let text): 1 + string(text)
    case .many(let texts): texts.reduce(varint(texts.count + 1)) { $0 + string($1) }
    }
  }
}

extension ByteWriter {
  /// 0 and a single text, or the count plus one and the texts.
  fileprivate mutating func write(_ list: TextList) {
    switch list {
    case .one(let text):
      writeVarint(0)
      writeString(text)
    case .many(let texts):
      writeVarint(texts.count + 1)
      for text in texts { writeString(text) }
    }
  }
}

extension ByteReader {
  @_lifetime(self: copy self)
  fileprivate mutating func readTextList() throws(DamagedBytes) -> TextList {
    let mark = try readCount(limit: remaining)
    if mark == 0 { return .one(try readString()) }
    var texts: [String] = []
    texts.reserveCapacity(plausible(mark - 1, ofSize: 1))
    for _ in 1..<mark { texts.append(try readString()) }
    return .many(texts)
  }
}

/// All episodes.
public struct EpisodesState: ProjectionState {
  /// The episodes, in the order of the fold.
  private var episodes: [Episode] = []
  private var size = 0

  init() {}

  /// The episodes, in the order of the versions that put them there.
  public var all: [Episode] { episodes.sorted { $0.origin < $1.origin } }

  mutating func apply(_ event: borrowing EventView) throws(DamagedBytes) {
    guard event.type == .episodeRecorded else { return }
    let episode = try Episode(event)
    size += episode.encodedSize
    episodes.append(episode)
  }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int { EncodedSize.varint(episodes.count) + size }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    writer.writeVarint(episodes.count)
    for episode in all { episode.encode(into: &writer) }
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    let count = try reader.readCount()
    episodes.reserveCapacity(reader.plausible(count, ofSize: 20))
    for _ in 0..<count {
      let episode = try Episode(decoding: &reader)
      size += episode.encodedSize
      episodes.append(episode)
    }
  }
}

/// Folds episodes.
public struct EpisodeProjector: Projector {
  /// Its name on every surface.
  public let name = "episodes"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 1

  /// Makes the projector.
  public init() {}

  /// The state before the first event.
  public func initialState() -> EpisodesState { EpisodesState() }

  /// Folds one event.
  public func apply(_ event: borrowing EventView, to state: inout EpisodesState) throws(DamagedBytes) {
    try state.apply(event)
  }
}
