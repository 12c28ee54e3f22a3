// A person's report as JSON, the same on every surface. Keys are sorted.
internal import EventStore
public import JSON

extension TransparencyReport {
  /// Prints `{"facts_by_category","grants","how_to","made_at","memory_since","namespace","readers","recent_sessions",
  /// "totals","user","version"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("facts_by_category")
    writer.beginObject()
    for (category, count) in factsByCategory {
      writer.key(text: category)
      writer.integer(count)
    }
    writer.endObject()
    writer.key("grants")
    writer.array(grants) { $1.write(to: &$0) }
    writer.key("how_to")
    writer.beginObject()
    writer.key("erase")
    howToErase.write(to: &writer)
    writer.key("export")
    howToExport.write(to: &writer)
    writer.endObject()
    writer.key("made_at")
    writer.write(madeAt)
    writer.key("memory_since")
    if let memorySince { writer.write(memorySince) } else { writer.null() }
    writer.key("namespace")
    writer.string(user.namespace.description)
    writer.key("readers")
    writer.array(readers) { $1.write(to: &$0) }
    writer.key("recent_sessions")
    writer.array(recentSessions) { $0.write($1) }
    writer.key("totals")
    totals.write(to: &writer)
    writer.key("user")
    writer.string(user.user.description)
    writer.key("version")
    writer.integer(version.number)
    writer.endObject()
  }
}

extension TransparencyReport.Totals {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("episodes")
    writer.integer(episodes)
    writer.key("events")
    writer.integer(events)
    writer.key("facts")
    writer.integer(facts)
    writer.key("messages")
    writer.integer(messages)
    writer.key("preferences")
    writer.integer(preferences)
    writer.key("relationships")
    writer.integer(relationships)
    writer.key("sessions")
    writer.integer(sessions)
    writer.endObject()
  }
}

extension TransparencyReport.Reader {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("answered")
    writer.integer(answered)
    writer.key("denied")
    writer.integer(denied)
    writer.key("first_at")
    writer.write(firstAt)
    writer.key("last_at")
    writer.write(lastAt)
    if let name {
      writer.key("name")
      writer.string(name)
    }
    writer.key("not_found")
    writer.integer(notFound)
    writer.key("reader")
    writer.string(accessor.description)
    writer.endObject()
  }
}

extension TransparencyReport.Instruction {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("command")
    writer.string(command)
    writer.key("request")
    writer.string(request)
    writer.endObject()
  }
}
