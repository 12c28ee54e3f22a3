// Two events of the memory's own that are no core events: a session is alive, and a session was distilled after its end.
// They are written as an application's own are, so that the log needs no new format for them.
internal import Bytes
internal import EventStore
internal import JSON

enum SessionTouched {
  static let typeName = "SessionTouched"

  static func event() throws(InvalidValue) -> MemoirEvent {
    .custom(try CustomEvent(type: typeName, data: .emptyObject))
  }
}

/// `{"distiller":{…}, "summary"}`: what a distiller made of a session that had ended before.
enum SessionDistilled {
  static let typeName = "SessionDistilled"

  /// - Parameter summary: Takes the place of the session's summary; `nil` leaves that as it is.
  static func event(by distiller: DistillerIdentity, summary: String?) throws(InvalidValue) -> MemoirEvent {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("distiller")
    distiller.write(to: &writer)
    if let summary {
      writer.key("summary")
      writer.string(summary)
    }
    writer.endObject()
    return .custom(try CustomEvent(type: typeName, data: JSONText(canonical: writer.finish())))
  }

  /// The summary that an event gives its session; `nil` where it is no such event.
  ///
  /// Anybody may append an event of this name, so its content is believed as far as it goes, and never damage.
  static func summary(in event: borrowing EventView) throws(DamagedBytes) -> String? {
    guard event.isSessionDistilled, let data = try CustomEvent.data(of: event.payload) else { return nil }
    return summary(in: data)
  }

  /// The same of an event that was read.
  static func summary(of event: CustomEvent) -> String? {
    event.type == typeName ? summary(in: event.data) : nil
  }

  private static func summary(in data: JSONText) -> String? {
    let summary = try? JSONParser().parse(data.utf8.span) { node in node["summary"]?.string }
    guard let summary else { return nil }
    return summary
  }
}

extension EventView {
  /// Whether it says that its session was distilled after its end.
  var isSessionDistilled: Bool {
    borrowing get {
      guard type == .custom, customType.byteCount == SessionDistilled.typeName.utf8.count else { return false }
      return (try? customType.string()) == SessionDistilled.typeName
    }
  }
}

extension DistillerIdentity {
  /// Prints `{"model","name","version"}`.
  func write(to writer: inout JSONWriter, failure: DistillerError? = nil) {
    writer.beginObject()
    if let failure {
      writer.key("failure")
      writer.string(failure.rawValue)
    }
    if let model {
      writer.key("model")
      writer.string(model)
    }
    writer.key("name")
    writer.string(name)
    writer.key("version")
    writer.string(version)
    writer.endObject()
  }

  /// Reads what ``write(to:failure:)`` prints; `nil` for anything else.
  init?(_ node: JSONNode) {
    guard let name = node["name"]?.string, let version = node["version"]?.string else { return nil }
    self.init(name: name, model: node["model"]?.string, version: version)
  }
}

/// The metadata of events that the memory makes of a session: which agent asked for it, and who distilled.
struct SessionEventMetadata {
  var agent: String?
  var distillation: AttributedDistillation?

  var json: JSONText {
    var writer = JSONWriter()
    writer.beginObject()
    if let agent {
      writer.key("agent")
      writer.string(agent)
    }
    if let distillation {
      writer.key("distiller")
      distillation.distiller.write(to: &writer)
      if let failure = distillation.failure {
        writer.key("distiller_failed")
        failure.distiller.write(to: &writer, failure: failure.error)
      }
    }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }
}
