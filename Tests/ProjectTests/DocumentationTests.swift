// What the pages show: that it compiles, runs, and prints what they say.
import Foundation
import Testing

@Suite struct `What README and the guides show` {
  @Test func `of Swift is taken from snippets that compile and run`() throws {
    let snippets = try Snippets.all()
    var shown: Set<String> = []
    for document in try Document.all() {
      for block in document.blocks where block.language == "swift" {
        #expect(snippets.contains(block.text), "\(document):\(block.line)")
        shown.insert(block.text)
      }
    }
    #expect(shown == snippets, "a snippet that no page shows")
  }

  @Test func `of the shell prints what they say`() throws {
    for document in try Document.all() {
      let transcripts = document.blocks.filter { $0.language == "console" }.flatMap(Transcript.all)
      guard !transcripts.isEmpty else { continue }
      let shell = try Workplace()
      for transcript in transcripts {
        let output = try shell.run(transcript.command)
        #expect(transcript.isMet(by: output), "\(document): \(transcript.command)\n\(output)")
      }
    }
  }

  @Test func `says in which language it is`() throws {
    for document in try Document.all() {
      for block in document.blocks {
        let known = ["swift", "sh", "console", "text", "json", "python"]
        #expect(known.contains(block.language), "\(document):\(block.line)")
      }
    }
  }

  @Test func `links to what there is`() throws {
    for document in try Document.all() {
      let folder = URL(fileURLWithPath: document.path, relativeTo: Project.root).deletingLastPathComponent()
      for link in document.links {
        let path = URL(fileURLWithPath: link, relativeTo: folder).path
        #expect(FileManager.default.fileExists(atPath: path), "\(document): \(link)")
      }
      for name in document.text.matches(of: /<doc:(\w+)>/).map({ String($0.1) }) {
        #expect(Project.exists("Sources/Memoir/Memoir.docc/\(name).md"), "\(document): \(name)")
      }
    }
  }
}

@Suite struct `README` {
  /// The shell commands that a newcomer is to run, by a word they contain.
  private func commands(naming word: String) throws -> String {
    let block = try Document("README.md").blocks.first { $0.language == "sh" && $0.text.contains(word) }
    return try #require(block).text
  }

  @Test func `installs what the test command would install to build`() throws {
    let script = try Project.text("Tests/run")
    let list = try #require(script.firstMatch(of: /build_packages=\(([^)]*)\)/)).1
    let packages = list.split(separator: " ").map(String.init)
    let commands = try commands(naming: "demo")
    for package in packages { #expect(commands.contains(package), "\(package)") }
    let installed = commands.matches(of: /\b(?:z?lib[a-z0-9-]+-dev|pkg-config)\b/).map { String($0.0) }
    #expect(Set(installed) == Set(packages))
  }

  @Test func `has commands that a shell understands`() throws {
    for word in ["demo", "Tests/run"] {
      let checked = try Workplace().run("bash -n <<'SCRIPT'\n\(commands(naming: word))\nSCRIPT\necho $?")
      #expect(checked == "0\n")
    }
  }

  @Test func `can be read in one sitting`() throws {
    let lines = try Document("README.md").text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 200)
  }
}

/// A folder to run commands in: with the fixtures, without a store, and with `memoir` as it was just built.
final class Workplace {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: folder.appending(path: "Fixtures"), withDestinationURL: Project.root.appending(path: "Fixtures"))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// What `command` prints, on both ways out.
  func run(_ command: String) throws -> String {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let products = URL(fileURLWithPath: program).deletingLastPathComponent().path
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return try Shell.run(
      "{ \(command)\n} 2>&1", in: folder.path,
      environment: [
        "PATH": "\(products):\(path)", "MEMOIR_STORE": "memoir.store", "LC_ALL": "C.UTF-8", "TZ": "UTC",
      ]
    ).output
  }
}
