// What became of a change as JSON, the same on every surface. Keys are sorted.
internal import EventStore
public import JSON

extension Updated<MemoryOutcome> {
  /// Prints `{"event_ids","fact_id","outcome","superseded","version"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeEventIDs(eventIDs)
    writer.key("fact_id")
    writer.string(result.factID.description)
    writer.key("outcome")
    writer.string(result.kind.rawValue)
    writer.key("superseded")
    writer.array(result.superseded) { $0.string($1.description) }
    writer.key("version")
    writer.integer(version.number)
    writer.endObject()
  }
}

extension Updated<Fact> {
  /// Prints `{"event_ids","fact_id","version"}`: what became of a fact that was forgotten.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.writeEventIDs(eventIDs)
    writer.key("fact_id")
    writer.string(result.factID.description)
    writer.key("version")
    writer.integer(version.number)
    writer.endObject()
  }
}

extension StartedSession {
  /// Prints `{"context","event_ids","session","version"}`; the context as its receipt has it.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    if let context {
      writer.key("context")
      context.write(receipt, to: &writer)
    }
    writer.writeEventIDs(eventIDs)
    writer.key("session")
    session.write(to: &writer)
    writer.key("version")
    writer.integer(version.number)
    writer.endObject()
  }
}

extension EndedSession {
  /// Prints `{"distiller","event_ids","failure","had_ended","session","version"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writeMembers(to: &writer)
    writer.endObject()
  }

  /// Prints the same members into an object that has others, too.
  public func writeMembers(to writer: inout JSONWriter) {
    if let distiller {
      writer.key("distiller")
      writer.string(distiller.description)
    }
    writer.writeEventIDs(eventIDs)
    if let failure {
      writer.key("failure")
      writer.string(failure.rawValue)
    }
    writer.key("had_ended")
    writer.bool(hadEnded)
    writer.key("session")
    session.write(to: &writer)
    writer.key("version")
    writer.integer(version.number)
  }
}

extension JSONWriter {
  fileprivate mutating func writeEventIDs(_ ids: [EventID]) {
    key("event_ids")
    array(ids) { $0.write($1) }
  }
}
