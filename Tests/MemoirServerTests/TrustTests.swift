// Proofs over HTTP.
import EventStore
import Memoir
import MemoirServer
import TestSupport
import Testing

@Suite struct `A proof over HTTP` {
  @Test func `of the history is the attestation that the library makes`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1", "2"))
    let reply = try await served.get("/v1/attestation")
    #expect(reply.status == 200)
    #expect(reply.text == String(decoding: try served.store.attest().text, as: UTF8.self))
    let attestation = try Attestation(Array(reply.text.utf8))
    _ = try await served.post("/v1/users/bob/events", said("3"))
    #expect(try served.store.verify(since: attestation).isSound)
    #expect(try await served.get("/v1/attestation?user=bob").status == 400)
  }

  @Test func `of a person is the export that the library makes`() async throws {
    let served = try ServedStore()
    _ = try await served.post("/v1/users/bob/events", said("1", "2", "3"))
    _ = try await served.post("/v1/users/ann/events", said("of ann"))
    let reply = try await served.get("/v1/users/bob/export")
    var text = ""
    try served.store.export(StreamName(try UserID("bob"))) { text += String(decoding: $0, as: UTF8.self) }
    #expect(reply.status == 200 && reply.text == text)
    let lines = reply.text.split(separator: "\n").map { Array($0.utf8) }
    var verifier = try ExportVerifier(firstLine: lines[0])
    for line in lines.dropFirst() { verifier.add(line) }
    let report = verifier.finish()
    #expect(report.isSound && report.events == 3)
    #expect(try await served.get("/v1/users/nobody/export").status == 404)
  }
}
