// What can be read by address: a person's state, and what happened to them.
import JSON
import Memoir

/// A resource of a person: `memoir://users/{user}/state` or `…/timeline`.
struct PersonResource: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case state, timeline

    var title: String {
      switch self {
      case .state: "What is known"
      case .timeline: "What happened"
      }
    }

    var help: String {
      switch self {
      case .state: "All that is known of the person now: facts, preferences, sessions, episodes, latest messages."
      case .timeline: "The person's latest \(MCPServer.timelineLength) events, the latest first."
      }
    }
  }

  let kind: Kind
  let user: UserID

  private static let scheme = "memoir://users/"

  init(_ kind: Kind, of user: UserID) {
    self.kind = kind
    self.user = user
  }

  /// Reads an address; `nil` where there can be nothing.
  init?(uri: String) {
    guard uri.utf8.starts(with: Self.scheme.utf8) else { return nil }
    let parts = uri.utf8.dropFirst(Self.scheme.utf8.count).split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = Kind(rawValue: String(decoding: parts[1], as: UTF8.self)),
      let name = PercentCoding.decode(parts[0]), let user = try? UserID(name)
    else { return nil }
    self.init(kind, of: user)
  }

  var uri: String { "\(Self.scheme)\(PercentCoding.encode(user.description))/\(kind.rawValue)" }

  static func template(_ kind: Kind) -> String { "\(scheme){user}/\(kind.rawValue)" }
}

extension MCPServer {
  /// How many events a timeline shows.
  static let timelineLength = 100

  /// The member `resources`: those of the person it is all about.
  func writeResources(to writer: inout JSONWriter, in version: ProtocolVersion) {
    let kinds = user == nil ? [] : PersonResource.Kind.allCases
    writer.member("resources", array: kinds) { writer, kind in
      guard let user else { return }
      write(kind, "uri", PersonResource(kind, of: user).uri, to: &writer, in: version)
    }
  }

  /// The member `resourceTemplates`: for everybody, unless it is all about one person.
  func writeResourceTemplates(to writer: inout JSONWriter, in version: ProtocolVersion) {
    let kinds = user == nil ? PersonResource.Kind.allCases : []
    writer.member("resourceTemplates", array: kinds) { writer, kind in
      write(kind, "uriTemplate", PersonResource.template(kind), to: &writer, in: version)
    }
  }

  private func write(
    _ kind: PersonResource.Kind, _ key: StaticString, _ address: String, to writer: inout JSONWriter,
    in version: ProtocolVersion
  ) {
    writer.object { writer in
      writer.member(key, address)
      writer.member("name", kind.rawValue)
      if version.hasStructuredContent { writer.member("title", kind.title) }
      writer.member("description", kind.help)
      writer.member("mimeType", "application/json")
    }
  }

  /// Reads a resource: one text of JSON.
  func readResource(_ params: Params) throws(RPCError) -> MCPSession.Answer {
    let uri = try params.text("uri")
    guard let resource = PersonResource(uri: uri), user == nil || user == resource.user else {
      throw .resourceNotFound(uri)
    }
    let stream = StreamName(resource.user, in: namespace)
    return MCPSession.Answer { [self] () throws(RPCError) in
      let text: JSONText
      do {
        text = try await MCPAccess.current.granting([.read], resource.kind.rawValue, about: stream) {
          switch resource.kind {
          case .state: try state(of: stream)
          case .timeline: try timeline(of: stream)
          }
        }
      } catch {
        let error = MemoirError(error)
        throw error.code == .notFound ? .resourceNotFound(uri) : RPCError(error)
      }
      return .object { writer in
        writer.member("contents", array: [text]) { writer, text in
          writer.object { writer in
            writer.member("uri", uri)
            writer.member("mimeType", "application/json")
            writer.member("text", text.description)
          }
        }
      }
    }
  }

  private func state(of user: StreamName) throws(MemoirError) -> JSONText {
    let state = try store.state(of: user)
    return try .written { writer throws(MemoirError) in try store.write(state, to: &writer) }
  }

  /// `{"events":[…],"namespace","next","user"}`; next is the version that the events before these end with.
  private func timeline(of user: StreamName) throws(MemoirError) -> JSONText {
    do {
      guard try store.log.version(of: user) > 0 else { throw MemoirError.noUser(user) }
      let page = try store.log.readStream(user, direction: .backward, limit: Self.timelineLength)
      return try .written { writer in
        writer.beginObject()
        writer.key("events")
        writer.beginArray()
        for event in page.events { try EventJSON.write(event, to: &writer) }
        writer.endArray()
        writer.member("namespace", user.namespace.description)
        writer.key("next")
        if let next = page.next { writer.integer(next.number) } else { writer.null() }
        writer.member("user", user.user.description)
        writer.endObject()
      }
    } catch {
      throw MemoirError(error)
    }
  }
}
