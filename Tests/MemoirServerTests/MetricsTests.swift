// What `/metrics` and `/` say of the server and its store.
import Memoir
import MemoirServer
import TestSupport
import Testing

/// The text form of Prometheus, read: values by name and labels.
private struct Samples {
  var values: [String: Double] = [:]
  var types: [String: String] = [:]
  var malformed: [String] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if line.hasPrefix("# TYPE "), words.count == 4 { types[String(words[2])] = String(words[3]) }
      if line.hasPrefix("#") { continue }
      guard words.count == 2, let value = Double(words[1]) else {
        malformed.append(String(line))
        continue
      }
      values[String(words[0])] = value
    }
  }

  subscript(name: String) -> Double? { values[name] }
}

private let message = #"{"events":[{"type":"MessageAdded","session":"s","data":{"role":"user","content":"hi"}}]}"#

@Suite struct `The metrics` {
  @Test func `count what was appended, folded and asked`() async throws {
    let served = try ServedStore()
    for _ in 1...3 { #expect(try await served.post("/v1/users/bob/events", message).status == 201) }
    #expect(try await served.get("/v1/users/bob/state").status == 200)
    #expect(try await served.get("/v1/users/bob/state").status == 200)
    #expect(try await served.get("/v1/users/nobody/state").status == 404)
    let reply = try await served.get("/metrics")
    #expect(reply.status == 200)
    #expect(reply.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
    let samples = Samples(reply.text)
    #expect(samples.malformed.isEmpty, "\(samples.malformed)")
    #expect(samples["memoir_events_appended_total"] == 3)
    #expect(samples["memoir_last_position"] == 3)
    #expect(samples["memoir_commit_requests_count"] ?? 0 >= 3)
    #expect(samples["memoir_commit_seconds_sum"] ?? 0 > 0)
    #expect(samples["memoir_folds_total"] ?? 0 >= 1)
    #expect(samples["memoir_state_cache_hits_total"] ?? 0 >= 1)
    #expect(samples["memoir_tail_events"] == 3)
    #expect(samples["memoir_http_connections"] ?? 0 >= 1)
    #expect(samples[#"memoir_http_request_seconds_count{operation="append_events",status="201"}"#] == 3)
    #expect(samples[#"memoir_http_request_seconds_count{operation="state",status="404"}"#] == 1)
  }

  @Test func `of a histogram grow to its count`() async throws {
    let served = try ServedStore()
    for _ in 1...5 { _ = try await served.get("/healthz") }
    let samples = Samples(try await served.get("/metrics").text)
    let name = "memoir_http_request_seconds"
    #expect(samples.types[name] == "histogram")
    let labels = #"operation="health",status="200""#
    #expect(samples["\(name)_bucket{\(labels),le=\"+Inf\"}"] == 5)
    #expect(samples["\(name)_count{\(labels)}"] == 5)
    var last = 0.0
    for bound in ["0.0001", "0.001", "0.01", "0.1", "1", "10"] {
      let count = try #require(samples["\(name)_bucket{\(labels),le=\"\(bound)\"}"], "\(bound)")
      #expect(count >= last && count <= 5)
      last = count
    }
  }

  @Test func `say nothing of people, and count paths that lead nowhere as one`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob-of-lisbon/events", message)
    for number in 1...20 { _ = try await served.get("/nowhere/\(number)") }
    let text = try await served.get("/metrics").text
    #expect(!text.contains("bob-of-lisbon") && !text.contains("nowhere"))
    #expect(Samples(text)[#"memoir_http_request_seconds_count{operation="none",status="404"}"#] == 20)
  }
}

@Suite struct `The page for people` {
  @Test func `says what runs here, without scripts or names`() async throws {
    let served = try ServedStore { $0.version = "7.8.9" }
    _ = try await served.post("/v1/users/bob-of-lisbon/events", message)
    let reply = try await served.get("/")
    #expect(reply.status == 200)
    #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
    #expect(reply.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    for part in ["7.8.9", "<td>1</td>", "/openapi.json", "/metrics"] { #expect(reply.text.contains(part), "\(part)") }
    #expect(!reply.text.contains("<script") && !reply.text.contains("bob"))
  }

  @Test func `does not say how much is kept where there are keys`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", message)
    _ = try await served.store.keys.create(APIKeyDraft("web", namespaces: .only([.default]), scopes: [.read]))
    let reply = try await served.get("/")
    #expect(reply.status == 200)
    #expect(!reply.text.contains("<th>Events</th>"))
  }
}
