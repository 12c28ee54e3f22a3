// A toy projector that forgives nothing: a fold that misses, doubles, reorders or changes an event shows in its state.
package import Bytes
package import EventStore

/// The notes of a user, and a digest of all that was folded, in its order.
package struct Notebook: ProjectionState, Hashable {
  /// The notes there are.
  package private(set) var notes: [String: [UInt8]] = [:]
  /// The names of the sessions, by their numbers.
  package private(set) var sessions: [UInt64: String] = [:]
  /// Over every field of every event, in order.
  package private(set) var digest: UInt64
  /// How many events there were.
  package private(set) var events: UInt64 = 0
  /// How often an event did not keep what ``SessionReference`` promises.
  package private(set) var brokenPromises: UInt64 = 0
  private var notesSize = 0
  private var sessionsSize = 0

  package init(digest: UInt64) { self.digest = digest }

  package var encodedSize: Int {
    24 + EncodedSize.varint(notes.count) + notesSize + EncodedSize.varint(sessions.count) + sessionsSize
  }

  package func encode(into writer: inout ByteWriter) {
    writer.write(digest)
    writer.write(events)
    writer.write(brokenPromises)
    writer.writeVarint(notes.count)
    for (key, text) in notes.sorted(by: { $0.key < $1.key }) {
      writer.writeString(key)
      writer.writeLengthPrefixed(text)
    }
    writer.writeVarint(sessions.count)
    for (number, name) in sessions.sorted(by: { $0.key < $1.key }) {
      writer.writeVarint(number)
      writer.writeString(name)
    }
  }

  package init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    digest = try reader.readUInt64()
    events = try reader.readUInt64()
    brokenPromises = try reader.readUInt64()
    for _ in 0..<(try reader.readCount()) {
      let key = try reader.readString()
      setNote(key, to: try reader.readLengthPrefixed().array())
    }
    for _ in 0..<(try reader.readCount()) {
      let number = try reader.readVarint()
      setSession(number, to: try reader.readString())
    }
  }

  private static func size(_ key: String, _ text: [UInt8]) -> Int {
    EncodedSize.string(key) + EncodedSize.lengthPrefixed(text.count)
  }

  fileprivate mutating func setNote(_ key: String, to text: [UInt8]?) {
    if let old = notes[key] { notesSize -= Self.size(key, old) }
    if let text { notesSize += Self.size(key, text) }
    notes[key] = text
  }

  fileprivate mutating func setSession(_ number: UInt64, to name: String) {
    if let old = sessions[number] { sessionsSize -= EncodedSize.varint(number) + EncodedSize.string(old) }
    sessionsSize += EncodedSize.varint(number) + EncodedSize.string(name)
    sessions[number] = name
  }

  /// Takes note of an event whatever it says, and of its session as ``SessionReference`` asks for it.
  fileprivate mutating func note(_ event: borrowing EventView) throws(DamagedBytes) {
    var bytes = ByteWriter(capacity: 200)
    bytes.write(event.version.number)
    bytes.write(event.position.number)
    event.id.write(into: &bytes)
    bytes.write(event.type.number)
    bytes.write(event.typeVersion)
    bytes.write(event.isRedacted ? 1 as UInt8 : 0)
    bytes.write(UInt64(bitPattern: event.occurredAt.microseconds))
    bytes.write(UInt64(bitPattern: event.recordedAt.microseconds))
    bytes.writeLengthPrefixed(event.customType)
    bytes.writeLengthPrefixed(event.metadata)
    bytes.writeLengthPrefixed(event.payload)
    if let session = event.session {
      let isFirst = session.number == event.version
      if isFirst && !session.isNamedBefore { brokenPromises += 1 }
      if (session.name != nil) != (isFirst || !session.isNamedBefore) { brokenPromises += 1 }
      if let name = session.name {
        setSession(session.number.number, to: try name.string())
      } else if sessions[session.number.number] == nil {
        brokenPromises += 1
      }
      bytes.write(session.number.number)
      bytes.write(session.isNamedBefore ? 1 as UInt8 : 0)
      bytes.writeString(sessions[session.number.number] ?? "")
    }
    digest = XXH3.hash(bytes.bytes.rawSpan, seed: digest)
    events += 1
  }
}

/// Folds a ``Diary`` into a ``Notebook``. Each version and each set of parameters has other states.
package struct NotebookProjector: Projector {
  package let name = "notebook"
  package var version: Int
  package var parameters: String

  package init(version: Int = 1, parameters: String = "") {
    self.version = version
    self.parameters = parameters
  }

  package func initialState() -> Notebook {
    Notebook(digest: XXH3.hash(Array("\(version) \(parameters)".utf8).rawSpan))
  }

  package func apply(_ event: borrowing EventView, to state: inout Notebook) throws(DamagedBytes) {
    try state.note(event)
    switch event.type {
    case Diary.written, Diary.valued, Diary.sized:
      var reader = PayloadReader(event.payload)
      guard let field = try reader.next() else { throw DamagedBytes() }
      let key = try field.text()
      guard let value = try reader.next() else { return state.setNote(key, to: []) }
      state.setNote(
        key, to: value.kind == .integer ? Array(repeating: 7, count: Int(value.integer)) : value.bytes.array()
      )
    case Diary.removed:
      var reader = PayloadReader(event.payload)
      guard let field = try reader.next() else { throw DamagedBytes() }
      state.setNote(try field.text(), to: nil)
    case .custom:
      guard try event.customType.string() == Diary.mood else { return }
      state.setNote("mood", to: event.payload.array())
    default: return
    }
  }

  package func applyRedacted(_ event: borrowing EventView, to state: inout Notebook) throws(DamagedBytes) {
    try state.note(event)
  }
}
