// A state as a list of items, so that two states of any kind can be laid side by side.
internal import EventStore
internal import JSON

/// Something in a state, as JSON says it.
struct StateItem {
  /// `fact:ID`, `preference:KEY`, `session:ID` and the like; one item of a state has it.
  var name: String
  /// What it says, for people.
  var text: String
  /// The version of the event that put it there; `nil` for what is not from one event.
  var version: StreamVersion?
  /// An object.
  var json: JSONText

  init(_ name: String, _ text: String, from version: StreamVersion?, _ write: (inout JSONWriter) -> Void) {
    self.name = name
    self.text = text
    self.version = version
    var writer = JSONWriter()
    write(&writer)
    json = JSONText(canonical: writer.finish())
  }
}

/// A state whose items can be listed.
protocol ItemizedState: ProjectionState {
  /// What it says: items of a kind together, in the order of the versions that put them there.
  var items: [StateItem] { get }
}

extension MessagesState: ItemizedState {
  var items: [StateItem] {
    [
      StateItem("messages", total == 1 ? "1 message" : "\(total) messages", from: nil) { writer in
        writer.beginObject()
        writer.key("recent")
        writer.array(recent) { $0.integer($1.number) }
        writer.key("total")
        writer.integer(total)
        writer.endObject()
      }
    ]
  }
}

extension FactsState: ItemizedState {
  var items: [StateItem] {
    facts.map { fact in
      StateItem("fact:\(fact.factID)", fact.fact, from: fact.origin.version) { $0.write(fact, isArchived: nil) }
    }
  }
}

extension PreferencesState: ItemizedState {
  var items: [StateItem] {
    all.map { preference in
      StateItem("preference:\(preference.key)", "\(preference.value)", from: preference.origin.version) {
        $0.write(preference)
      }
    }
  }
}

extension RelationshipsState: ItemizedState {
  var items: [StateItem] {
    all.map { relationship in
      let text = "\(relationship.subject) \(relationship.predicate) \(relationship.object)"
      return StateItem("relationship:\(text)", text, from: relationship.origin.version) { $0.write(relationship) }
    }
  }
}

extension EpisodesState: ItemizedState {
  var items: [StateItem] {
    all.map { episode in
      StateItem("episode:\(episode.origin.id)", episode.task, from: episode.origin.version) { $0.write(episode) }
    }
  }
}

extension SessionsState: ItemizedState {
  var items: [StateItem] {
    let counts = StateItem("sessions", total == 1 ? "1 session" : "\(total) sessions", from: nil) { writer in
      writer.beginObject()
      writer.key("open")
      writer.integer(openCount)
      writer.key("total")
      writer.integer(total)
      writer.endObject()
    }
    let sessions = (open + ended).sorted { $0.origin < $1.origin }.map { session in
      StateItem(
        "session:\(session.id)", session.end?.summary ?? session.end?.reason ?? "open",
        from: session.origin.version
      ) { $0.write(session) }
    }
    let summaries = compacted.map { compacted in
      StateItem("compacted:\(compacted.origin.id)", compacted.summary, from: compacted.origin.version) {
        $0.write(compacted)
      }
    }
    return [counts] + sessions + summaries
  }
}

extension ProfileState: ItemizedState {
  var items: [StateItem] { facts.items + preferences.items }
}

extension ContextState: ItemizedState {
  var items: [StateItem] {
    facts.items + preferences.items + relationships.items + episodes.items + sessions.items + messages.items
  }
}
