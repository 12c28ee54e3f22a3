// For how long what people said is kept, over HTTP.
import EventStore
import Memoir
import TestSupport
import Testing

@testable import MemoirServer

@Suite struct `Retention over HTTP` {
  @Test func `a policy is set, told and removed`() async throws {
    let served = try ServedStore()
    #expect(try await served.get("/v1/retention").json("messages_days") == "null")
    let set = try await served.ask(
      "PUT", "/v1/retention", headers: [], body: #"{"messages_days":30,"facts_days":null,"namespace":"default"}"#)
    #expect(set.status == 200)
    #expect(try await served.get("/v1/retention").json("messages_days") == "30")
    #expect(try await served.get("/v1/retention?namespace=other").json("messages_days") == "null")
    #expect(try await served.ask("DELETE", "/v1/retention", headers: [], body: nil).status == 204)
    #expect(try served.store.retentionPolicies().isEmpty)
  }

  @Test(arguments: [
    "{}", #"{"messages_days":0}"#, #"{"messages_days":36501}"#, #"{"messages_days":"30"}"#, #"{"messages_days":1.5}"#,
    #"{"days":30}"#, #"{"messages_days":30,"namespace":""}"#, "[]",
  ])
  func `what is no policy is refused, and nothing is changed`(body: String) async throws {
    let served = try ServedStore()
    let reply = try await served.ask("PUT", "/v1/retention", headers: [], body: body)
    #expect(reply.status == 400)
    #expect(reply.json("error", "code") == "invalid_argument")
    #expect(try served.store.retentionPolicies().isEmpty)
  }

  @Test func `a run takes out what a dry run tells`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/ann/events", said("long ago"))
    served.clock.advance(byMicroseconds: 31 * 86_400_000_000)
    _ = try await served.post("/v1/users/ann/events", said("just now"))
    try await served.store.setRetention(try RetentionPolicy(of: .default, days: [.messages: 30]))
    let dry = try await served.ask("POST", "/v1/retention/run", headers: [], body: #"{"dry_run":true}"#)
    #expect(dry.status == 200 && dry.text.contains(#""dry_run":true"#))
    #expect(dry.text.contains(#"{"facts":0,"messages":1,"summaries":0,"user":"ann"}"#))
    #expect(try await served.get("/v1/users/ann/events").text.contains("long ago"))
    let run = try await served.ask("POST", "/v1/retention/run", headers: [], body: "{}")
    #expect(run.status == 200 && run.text.contains(#""scrubbed":"#))
    let events = try await served.get("/v1/users/ann/events").text
    #expect(!events.contains("long ago") && events.contains("just now"))
  }
}
