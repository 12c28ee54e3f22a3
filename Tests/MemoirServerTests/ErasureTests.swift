// Erasing a person over HTTP.
import EventStore
import JSON
import Memoir
import TestSupport
import Testing

@Suite struct `Erasing over HTTP` {
  @Test func `takes what was said, and says how much it was`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/ann/events", said("my secret"))
    #expect(try await served.get("/v1/users/ann/state").text.contains("my secret"))
    let reply = try await served.ask("DELETE", "/v1/users/ann")
    #expect(reply.status == 200)
    #expect(reply.text == #"{"erased":1,"scrubbed":true}"#)
    let state = try await served.get("/v1/users/ann/state")
    #expect(state.status == 200 && state.text.contains("erased_at") && !state.text.contains("secret"))
    #expect(try await served.get("/v1/users").text.contains("ann") == false)
    let events = try await served.get("/v1/events").text
    #expect(events.contains("UserErased") && !events.contains("ann") && !events.contains("secret"))
    #expect(try await served.ask("DELETE", "/v1/users/ann").text == #"{"erased":0,"scrubbed":true}"#)
    #expect(try await served.ask("DELETE", "/v1/users/nobody").status == 404)
  }

  @Test func `needs the scope, and stays within the namespace`() async throws {
    let served = try ServedStore()
    for namespace in ["default", "other"] {
      _ = try await served.post("/v1/users/ann/events?namespace=\(namespace)", said("secret"))
    }
    func ask(_ scopes: Set<AccessScope>, _ target: String) async throws -> LoopbackReply {
      let key = try await served.store.keys.create(
        APIKeyDraft("test", namespaces: .only([.default]), scopes: scopes)
      ).secret.revealed
      return try await served.ask("DELETE", target, headers: [("Authorization", "Bearer \(key)")])
    }
    #expect(try await ask([.read, .append, .recall], "/v1/users/ann").status == 403)
    #expect(try await ask([.erase], "/v1/users/ann?namespace=other").status == 404)
    #expect(try await ask([.erase], "/v1/users/ann").text == #"{"erased":1,"scrubbed":true}"#)
    let other = StreamName(try UserID("ann"), in: try Namespace("other"))
    #expect(try served.store.log.erasableEvents(of: other) == 1)
    #expect(try served.store.log.lastErasure(of: StreamName(try UserID("ann")))?.by.hasPrefix("key:") == true)
  }
}
