// `memoir embed` as people run it: against a server on this machine, without one, and with a wrong word.
import Foundation
import TestSupport
import Testing

/// Gives every text the same two numbers.
private func server() throws -> LoopbackServer {
  try LoopbackServer { request in
    let object = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
    let texts = object?["input"] as? [String] ?? []
    let items = texts.indices.map { #"{"index":\#($0),"embedding":[1,\#($0)]}"# }.joined(separator: ",")
    return .json(#"{"data":[\#(items)]}"#)
  }
}

@Suite struct `The command embed` {
  private static let events = """
    {"user":"bob","type":"MessageAdded","session":"s","data":{"role":"user","content":"I moved to Lisbon."}}
    {"user":"bob","type":"FactLearned","data":{"fact":"Lives in Lisbon","category":"home","confidence":0.9}}

    """

  @Test func `embeds what has no vector yet, once`() throws {
    let (memoir, server) = (TestProgram(), try server())
    #expect(try memoir.run("append", "-", input: Self.events).exitCode == 0)
    let embed = "MEMOIR_EMBEDDINGS_URL=\(server.url)/v1 MEMOIR_EMBEDDINGS_MODEL=two memoir embed"
    let first = try memoir.shell(embed).object()
    #expect(first["embedded"] as? Int == 2 && first["refused"] as? Int == 0 && first["model"] as? String == "two")
    #expect(try memoir.shell(embed).object()["embedded"] as? Int == 0)
    #expect(server.requests.count == 1)
    #expect(try memoir.shell("memoir embed --drop two").object()["dropped"] as? String == "two")
    #expect(try memoir.shell(embed).object()["embedded"] as? Int == 2)
    #expect(try memoir.run("verify").exitCode == 0)
  }

  @Test func `is missed by a context and by the beginning of a session, which say so`() throws {
    let (memoir, server) = (TestProgram(), try server())
    #expect(try memoir.run("append", "-", input: Self.events).exitCode == 0)
    let model = "MEMOIR_EMBEDDINGS_URL=\(server.url)/v1 MEMOIR_EMBEDDINGS_MODEL=two"
    #expect(try memoir.shell("\(model) memoir context bob Lisbon").errors.contains("without a vector"))
    server.close()
    let late = "MEMOIR_EMBEDDINGS_TIMEOUT=0.3 \(model) memoir"
    let context = try memoir.shell("\(late) context bob Lisbon")
    #expect(context.exitCode == 0 && context.errors.contains("Found by words alone: "))
    let object = try memoir.shell("\(late) context bob Lisbon --json").object()
    #expect((object["meaning"] as? [String: Any])?["absence"] is String)
    #expect(try memoir.shell("\(late) sessions bob --start --message Lisbon").errors.contains("Found by words alone: "))
  }

  @Test func `sends the texts of a namespace alone where one is given`() throws {
    let (memoir, server) = (TestProgram(), try server())
    #expect(try memoir.run("append", "-", input: Self.events).exitCode == 0)
    #expect(try memoir.run("append", "-", "--namespace", "other", input: Self.events).exitCode == 0)
    let embed = "MEMOIR_EMBEDDINGS_URL=\(server.url)/v1 MEMOIR_EMBEDDINGS_MODEL=two memoir embed"
    #expect(try memoir.shell(embed + " --namespace nobody").object()["embedded"] as? Int == 0)
    #expect(server.requests.isEmpty)
    #expect(try memoir.shell(embed + " --namespace other").object()["embedded"] as? Int == 2)
    #expect(try memoir.shell(embed).object()["embedded"] as? Int == 2)
  }

  @Test func `without a model, or one that is not there, fails and says so`() throws {
    let memoir = TestProgram()
    #expect(try memoir.run("append", "-", input: Self.events).exitCode == 0)
    let none = try memoir.run("embed", "--json")
    #expect(try none.exitCode == 1 && none.errorCode() == "unavailable")
    #expect(none.errors.contains("$MEMOIR_EMBEDDINGS_URL") && none.errors.contains("$MEMOIR_EMBEDDINGS_MODEL"))
    let server = try server()
    server.close()
    let gone = try memoir.shell(
      "MEMOIR_EMBEDDINGS_TIMEOUT=0.3 MEMOIR_EMBEDDINGS_URL=\(server.url) MEMOIR_EMBEDDINGS_MODEL=two memoir embed --json"
    )
    #expect(try gone.exitCode == 1 && gone.errorCode() == "unavailable")
  }

  @Test func `names the variable that cannot be meant, and no key`() throws {
    let memoir = TestProgram()
    #expect(try memoir.run("append", "-", input: Self.events).exitCode == 0)
    let run = try memoir.shell(
      "MEMOIR_EMBEDDINGS_URL=ftp://x MEMOIR_EMBEDDINGS_MODEL=m MEMOIR_EMBEDDINGS_KEY=sk-secret memoir embed --json")
    #expect(try run.exitCode == 2 && run.errorDetails()["field"] as? String == "MEMOIR_EMBEDDINGS_URL")
    #expect(!run.errors.contains("sk-secret"))
  }
}
