// From records to the two forms of an event: the borrowed view for folding, and the copy that is given back.
internal import Bytes
internal import JSON
internal import LMDB

/// Reads events of one view, with what repeats among them kept at hand: stream and session names.
struct EventDecoder {
  private var sessions: [StreamNumber: [StreamVersion: SessionEntry]] = [:]
  private var names: [StreamNumber: StreamName] = [:]
  private var contents = ContentReader()

  init() {}

  /// The event of `record`, copied and in today's form.
  mutating func event(_ record: borrowing RecordView, _ view: borrowing LogView) throws(StorageError)
    -> RecordedEvent
  {
    let name = try streamName(record, view)
    let isRedacted = record.flags.contains(.redacted)
    var typeName = view.schema.name(of: record.type)
    if record.type == .custom {
      do throws(DamagedBytes) {
        typeName = isRedacted ? "Custom" : try record.typeName.string()
      } catch {
        throw .corrupt(reason: "the type's name is no text", position: record.position)
      }
    }
    let (metadata, stored) = try content(record, view)
    var payload = stored
    var version = record.typeVersion
    if !isRedacted {
      (payload, version) = try view.schema.upcastForShow(
        payload, of: record.type, named: typeName, from: version, at: record.position)
    }
    return RecordedEvent(
      stream: name, version: record.version, position: record.position, id: record.id, type: record.type,
      typeName: typeName, typeVersion: version, session: try session(record, view)?.name,
      occurredAt: record.occurredAt, recordedAt: record.recordedAt,
      metadata: metadata, payload: payload, isRedacted: isRedacted)
  }

  private mutating func content(
    _ record: borrowing RecordView, _ view: borrowing LogView
  ) throws(StorageError) -> (metadata: JSONText, payload: [UInt8]) {
    try contents.open(record, view)
    let content = try contents.content(of: record)
    return (
      content.metadata.isEmpty ? .emptyObject : JSONText(canonical: content.metadata.array()), content.payload.array()
    )
  }

  private mutating func streamName(
    _ record: borrowing RecordView, _ view: borrowing LogView
  ) throws(StorageError) -> StreamName {
    if let known = names[record.stream] { return known }
    let name = try view.index.name(of: record.stream, in: view.transaction)
    if names.count > 65_536 { names.removeAll() }
    names[record.stream] = name
    return name
  }

  /// The session of an event.
  mutating func session(
    _ record: borrowing RecordView, _ view: borrowing LogView
  ) throws(StorageError) -> SessionEntry? {
    guard record.session > 0 else { return nil }
    if let known = sessions[record.stream]?[record.session] { return known }
    guard let entry = try view.index.session(record.session, in: record.stream, view.transaction) else {
      // Its name was erased with its payload.
      if view.index.catalog.erasures > 0, record.flags.contains(.redacted) { return nil }
      throw .corrupt(reason: "the record's session was never named", position: record.position)
    }
    if sessions.count > 4_096 { sessions.removeAll() }
    sessions[record.stream, default: [:]][record.session] = entry
    return entry
  }
}

extension EventSchema {
  /// Like ``upcast(_:of:named:from:at:)``, but an event in a newer form than ours is given as it is.
  fileprivate func upcastForShow(
    _ payload: [UInt8], of code: EventTypeCode, named name: String, from version: UInt16,
    at position: LogPosition
  ) throws(StorageError) -> ([UInt8], UInt16) {
    let known = code == .custom ? definition(ofCustom: name) : definition(of: code)
    guard let known, version < known.version else { return (payload, version) }
    let (payload, version) = try upcast(
      payload, of: code, named: code == .custom ? name : nil, from: version, at: position)
    return (payload, version)
  }
}
