// Answers compressed for whoever takes them so.
import Gzip
import Memoir
import MemoirServer
import Platform
import TestSupport
import Testing

@Suite struct `An answer` {
  private func expanded(_ bytes: [UInt8]) throws -> String {
    let folder = TemporaryFolder()
    let file = try Descriptor(opening: folder.path + "/body.gz", for: .appending)
    try file.write(RawSpan(_elements: bytes.span))
    let process = try RunningProcess("/bin/sh", ["-c", #"gzip -dc "$0"; echo"#, folder.path + "/body.gz"])
    return try process.lines().joined(separator: "\n")
  }

  /// A store whose user has said much.
  private func talkative() async throws -> ServedStore {
    let served = try ServedStore()
    let text = String(repeating: "Lisbon is on the Tejo. ", count: 100)
    let body =
      #"{"events":[{"type":"MessageAdded","session":"s","data":{"role":"user","content":"\#(text)"}}]}"#
    #expect(try await served.post("/v1/users/bob/events", body).status == 201)
    return served
  }

  @Test(arguments: [
    "gzip", "GZIP", "deflate, gzip", "gzip;q=0.5", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "identity;q=0.5, gzip",
    "gzip ; q=1",
  ]) func `is compressed for whoever takes gzip`(accepted: String) async throws {
    let served = try await talkative()
    let plain = try await served.get("/v1/users/bob/state")
    let reply = try await served.ask("GET", "/v1/users/bob/state", headers: [("Accept-Encoding", accepted)])
    #expect(reply.headers["content-encoding"] == "gzip")
    #expect(reply.headers["vary"] == "Accept-Encoding" && plain.headers["vary"] == "Accept-Encoding")
    #expect(reply.body.count < plain.body.count / 2)
    #expect(try expanded(reply.body) == plain.text)
  }

  @Test(arguments: [
    "", "identity", "gzip;q=0", "gzip;q=0.000", "*;q=0", "br", "gzip;q=0.3, identity;q=0.9", "gzip;q=2", "gzip;q=x",
    "notgzip", "gzip;q=0, *",
  ]) func `is sent as it is to whoever does not`(accepted: String) async throws {
    let served = try await talkative()
    let reply = try await served.ask("GET", "/v1/users/bob/state", headers: [("Accept-Encoding", accepted)])
    #expect(reply.headers["content-encoding"] == nil)
    #expect(reply.json("user") == "bob")
  }

  @Test func `that is short is never compressed`() async throws {
    let reply = try await ServedStore().ask("GET", "/healthz", headers: [("Accept-Encoding", "gzip")])
    #expect(reply.headers["content-encoding"] == nil && reply.headers["vary"] == nil)
    #expect(reply.json("status") == "ok")
  }

  @Test(arguments: [0, 1, 1_000, 100_000]) func `comes out of gzip as it went in`(count: Int) throws {
    var random = SeededRandom(seed: UInt64(count))
    let letters = Array("abcdefgh \n".utf8)
    // A text, so that lines of it can be compared; the last line has no end.
    let bytes = (0..<count).map { _ in letters.randomElement(using: &random) ?? 0x61 } + [0x2e]
    let compressed = try #require(Gzip.compressed(bytes))
    #expect(try expanded(compressed) == String(decoding: bytes, as: UTF8.self))
  }
}
