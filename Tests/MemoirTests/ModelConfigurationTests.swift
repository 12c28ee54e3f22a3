// Which models to ask, as said in the environment or a file; and what is refused, by name.
import Foundation
import Memoir
import TestSupport
import Testing

private func configuration(_ variables: [String: String]) throws -> ModelConfiguration {
  try ModelConfiguration { variables[$0] }
}

@Suite struct `A configuration of models` {
  static let url = "MEMOIR_EMBEDDINGS_URL", model = "MEMOIR_EMBEDDINGS_MODEL"

  @Test func `without a word has none`() throws {
    let none = try configuration(["MEMOIR_STORE": "x", Self.url: ""])
    #expect(none.embeddings == nil && none.chat == nil)
  }

  @Test func `takes what the environment says`() throws {
    let found = try configuration([
      Self.url: "http://127.0.0.1:8080/v1", Self.model: "mini", "MEMOIR_CHAT_URL": "https://api.example.com/v1",
      "MEMOIR_CHAT_MODEL": "large", "MEMOIR_CHAT_KEY": "sk-1", "MEMOIR_CHAT_TIMEOUT": "2.5",
    ])
    let (embeddings, chat) = (try #require(found.embeddings), try #require(found.chat))
    #expect(embeddings.baseURL == "http://127.0.0.1:8080/v1" && embeddings.model == "mini" && embeddings.key == nil)
    #expect(embeddings.timeLimit == .seconds(60))
    #expect(chat.model == "large" && chat.key == SecretKey("sk-1") && chat.timeLimit == .seconds(2.5))
  }

  @Test func `takes a key from a file, and all of it from one that the environment goes before`() throws {
    let folder = TemporaryFolder()
    try "  sk-file\n".write(toFile: folder.path + "/key", atomically: true, encoding: .utf8)
    let lines = """
      # The embedding server of this machine.
      MEMOIR_EMBEDDINGS_URL = http://localhost:1/v1

      MEMOIR_EMBEDDINGS_MODEL=from=file
      MEMOIR_EMBEDDINGS_KEY_FILE=\(folder.path)/key
      """
    try lines.write(toFile: folder.path + "/models", atomically: true, encoding: .utf8)
    let file = ["MEMOIR_MODELS_FILE": folder.path + "/models"]
    let found = try #require(try configuration(file).embeddings)
    #expect(found.baseURL == "http://localhost:1/v1" && found.model == "from=file" && found.key == SecretKey("sk-file"))
    let other = try #require(try configuration(file.merging([Self.model: "mine"]) { $1 }).embeddings)
    #expect(other.model == "mine" && other.baseURL == "http://localhost:1/v1")
  }

  @Test(
    arguments: [
      ([url: "http://h/v1"], "MEMOIR_EMBEDDINGS_MODEL"), ([model: "m"], url),
      (["MEMOIR_CHAT_KEY": "sk"], "MEMOIR_CHAT_URL"),
      ([url: "h/v1", model: "m"], url), ([url: "http://u:sk-secret@h/v1", model: "m"], url),
      ([url: "http://h/v1?key=sk-secret", model: "m"], url), ([url: "http://h", model: "a\nb"], model),
      ([url: "http://h", model: String(repeating: "m", count: 201)], model),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_KEY": "sk-secret with space"], "MEMOIR_EMBEDDINGS_KEY"),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_KEY": "sk-secret\r\nX: y"], "MEMOIR_EMBEDDINGS_KEY"),
      (
        [url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_KEY": "sk-secret", "MEMOIR_EMBEDDINGS_KEY_FILE": "/dev/null"],
        "MEMOIR_EMBEDDINGS_KEY_FILE"
      ),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_KEY_FILE": "/nowhere/key"], "MEMOIR_EMBEDDINGS_KEY_FILE"),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_KEY_FILE": "/dev/zero"], "MEMOIR_EMBEDDINGS_KEY_FILE"),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_KEY_FILE": "/tmp"], "MEMOIR_EMBEDDINGS_KEY_FILE"),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_TIMEOUT": "0"], "MEMOIR_EMBEDDINGS_TIMEOUT"),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_TIMEOUT": "soon"], "MEMOIR_EMBEDDINGS_TIMEOUT"),
      ([url: "http://h", model: "m", "MEMOIR_EMBEDDINGS_TIMEOUT": "inf"], "MEMOIR_EMBEDDINGS_TIMEOUT"),
      (["MEMOIR_MODELS_FILE": "/nowhere/models"], "MEMOIR_MODELS_FILE"),
    ] as [([String: String], String)]) func `that cannot be meant is refused, naming the variable`(
      variables: [String: String], field: String
    ) throws
  {
    #expect {
      try configuration(variables)
    } throws: { error in
      guard let error = error as? MemoirError, error.code == .invalidArgument else { return false }
      return error.message.hasPrefix("\(field): ") && !error.message.contains("secret")
        && error.details.description.contains("\"\(field)\"")
    }
  }

  @Test(arguments: ["MEMOIR_EMBEDDINGS_URL", "PATH=/bin", "MEMOIR_CHAT_KEY=a\nMEMOIR_CHAT_KEY=b", "\u{0}=1"])
  func `of a file with a line that is none is refused, by its number`(lines: String) throws {
    let folder = TemporaryFolder()
    try "\n\(lines)".write(toFile: folder.path + "/models", atomically: true, encoding: .utf8)
    #expect {
      try configuration(["MEMOIR_MODELS_FILE": folder.path + "/models"])
    } throws: {
      "\($0)".contains("line \(lines.contains("\n") ? 3 : 2)")
    }
  }

  @Test func `shows no key, however it is printed`() throws {
    let found = try configuration([Self.url: "http://h", Self.model: "m", "MEMOIR_EMBEDDINGS_KEY": "sk-very-secret"])
    var dumped = ""
    dump(found, to: &dumped)
    for text in ["\(found)", String(reflecting: found), dumped] { #expect(!text.contains("very-secret")) }
    #expect("\(found)".contains("(secret)"))
  }
}
