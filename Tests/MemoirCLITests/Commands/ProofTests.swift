// What can be proved: attestations, exports, backups, by the program itself.
import Foundation
import TestSupport
import Testing

@Suite struct `Attesting` {
  @Test func `prints a line that verification holds the store to`() throws {
    let memoir = try TestProgram.withBob()
    let attested = try memoir.run("attest")
    #expect(attested.exitCode == 0 && attested.lines.count == 1)
    let object = try attested.object()
    #expect(object["position"] as? Int == 8 && object["memoir_attestation"] as? Int == 1)
    #expect(try memoir.run("attest", "--json").output == attested.output)
    let file = try memoir.file("attestation", attested.output)
    try memoir.run("append", input: line(9))

    let run = try memoir.run("verify", "--since", file)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.contains("Up to position 8"))
    #expect(try memoir.run("verify", "--since", "-", "--json", input: attested.output).object()["since"] as? Int == 8)
    let key = try #require(object["public_key"] as? String)
    #expect(try memoir.run("verify", "--since", file, "--public-key", key).exitCode == 0)
    let other = String(repeating: "ab", count: 32)
    #expect(try memoir.run("verify", "--since", file, "--public-key", other).exitCode == 2)
  }

  @Test func `never shows the secret it signs with`() throws {
    let memoir = try TestProgram.withBob()
    let key = try #require(try memoir.run("attest").object()["public_key"] as? String)
    // The seed stands in the file, in front of nothing that is ever printed.
    for words in [["attest"], ["export", "bob"], ["stats", "--json"], ["verify", "--json"], ["events"]] {
      let run = try memoir.run(words, input: Data())
      #expect(run.exitCode == 0)
      let data = try Data(contentsOf: URL(filePath: memoir.store + "/data.mdb"))
      for text in run.output.split(whereSeparator: { !$0.isHexDigit }) where text.count == 64 && text != key {
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { offset in
          UInt8(text.dropFirst(offset).prefix(2), radix: 16)
        }
        // Behind the form of the key's record.
        #expect(data.range(of: Data([1] + bytes)) == nil, "\(words) prints \(text)")
      }
    }
  }

  @Test(arguments: [
    "", "{}", "nonsense", #"{"memoir_attestation":1}"#, "[1]\n[2]\n", String(repeating: "x", count: 10_000),
  ]) func `what is no attestation is refused`(text: String) throws {
    let memoir = try TestProgram.withBob()
    let run = try memoir.run("verify", "--since", memoir.file("attestation", text), "--json")
    #expect(run.exitCode == 2, "\(run.errors)")
  }

  @Test func `an empty file and a namespace are refused by name`() throws {
    let memoir = try TestProgram.withBob()
    for text in ["", "nonsense"] {
      let run = try memoir.run("verify", "--since", memoir.file("attestation", text), "--json")
      #expect(run.exitCode == 2)
      #expect(try (run.error()["message"] as? String)?.hasPrefix("--since: ") == true)
    }
    let run = try memoir.run("attest", "--namespace", "two", "--json")
    #expect(run.exitCode == 2 && run.output.isEmpty)
    #expect(try (run.error()["message"] as? String)?.hasPrefix("--namespace: ") == true)
  }

  @Test func `that was changed, or is of another store, is refused`() throws {
    let memoir = try TestProgram.withBob(), other = try TestProgram.withBob()
    let text = try memoir.run("attest").output
    let changed = try memoir.file("changed", text.replacing(#""position":8"#, with: #""position":7"#))
    let run = try memoir.run("verify", "--since", changed)
    #expect(run.exitCode == 2 && run.errors.contains("signature"), "\(run.errors)")
    let foreign = try memoir.file("foreign", other.run("attest").output)
    let refused = try memoir.run("verify", "--since", foreign)
    #expect(refused.exitCode == 2 && refused.errors.contains("another store"), "\(refused.errors)")
    #expect(try memoir.run("verify", "--since", memoir.path("nothing")).exitCode == 3)
    #expect(try memoir.run("verify", "--since", memoir.folder.path).exitCode == 2)
    #expect(try memoir.run("verify", "--public-key", String(repeating: "ab", count: 32)).exitCode == 2)
    #expect(try memoir.run("verify", "--since", foreign, "--public-key", "ab").exitCode == 2)
  }

  @Test func `a store that ends before is found out`() throws {
    let memoir = try TestProgram.withBob()
    try memoir.run("backup", memoir.path("copy"))
    try memoir.run("append", input: line(9))
    let file = try memoir.file("attestation", memoir.run("attest").output)
    let restored = memoir.path("restored")
    try memoir.run("restore", memoir.path("copy"), "--store", restored)
    // The copy was made before there was a key.
    let key = try #require(try memoir.run("attest").object()["public_key"] as? String)
    let run = try memoir.run("verify", "--since", file, "--public-key", key, "--store", restored)
    #expect(run.exitCode == 5, "\(run.errors)")
    #expect(run.output.contains("attested up to 9"))
  }
}

@Suite struct `Exporting` {
  @Test func `brings the same state and the same proof to another store`() throws {
    let memoir = try TestProgram.withBob(), other = TestProgram()
    let lines = try memoir.run("export", "bob")
    #expect(lines.lines.count == 10)
    let file = try memoir.file("bob.jsonl", lines.output)
    #expect(try other.run("append", file).object()["appended"] as? Int == 8)
    #expect(try other.run("append", file).object()["duplicates"] as? Int == 8)
    #expect(try other.run("state", "bob", "--json").output == memoir.run("state", "bob", "--json").output)
    func chain(_ lines: Run) throws -> [String] {
      let header = try #require(try lines.objects().first)
      return try ["secret", "chain_before", "chain_after"].map { try #require(header[$0] as? String) }
    }
    #expect(try chain(other.run("export", "bob")) == chain(lines))
  }

  @Test func `is checked without a store, and the first wrong line is named`() throws {
    let memoir = try TestProgram.withBob()
    let lines = try memoir.run("export", "bob").lines
    let key = try #require(try memoir.run("attest").object()["public_key"] as? String)
    func check(_ lines: [String], _ words: String...) throws -> Run {
      let file = try memoir.file("export.jsonl", lines.joined(separator: "\n") + "\n")
      return try memoir.run(["verify", "--export", file, "--store", memoir.path("no store")] + words, input: Data())
    }
    let sound = try check(lines)
    #expect(sound.exitCode == 0 && sound.output.contains("Sound. 8 events of bob"), "\(sound.output) \(sound.errors)")
    #expect(sound.output.contains(key))
    let pinned = try check(lines, "--public-key", key, "--json").object()
    #expect(pinned["sound"] as? Bool == true && pinned["events"] as? Int == 8 && pinned["user"] as? String == "bob")
    #expect(try check(lines, "--public-key", String(repeating: "ab", count: 32)).exitCode == 5)

    var changed = lines
    changed[3] = changed[3].replacing("Porto", with: "Paris")
    let found = try check(changed, "--json")
    #expect(found.exitCode == 5)
    #expect(try found.object()["line"] as? Int == 4)
    #expect(try check(changed).output.contains("line 4"))
    #expect(try check(Array(lines.dropLast())).output.contains("line 10 is missing"))
    #expect(try check(["hello"]).exitCode == 2)
    #expect(try check([]).exitCode == 2)
    #expect(try memoir.run("verify", "--export", memoir.path("nothing")).exitCode == 3)
    #expect(try memoir.run("verify", "--export", memoir.folder.path).exitCode == 2)
  }

  @Test func `of two people can be appended together`() throws {
    let memoir = try TestProgram.withBob(), other = TestProgram()
    try memoir.run("append", input: line(21, "eve") + line(22, "eve"))
    let both = try memoir.run("export", "bob").output + memoir.run("export", "eve").output
    #expect(try other.run("append", "--batch", "3", input: both).object()["appended"] as? Int == 10)
    for user in ["bob", "eve"] {
      let (here, there) = (try memoir.run("export", user).lines, try other.run("export", user).lines)
      #expect(here.count == there.count)
    }
    #expect(try other.run("verify").exitCode == 0)
  }

  /// An export of Bob: eight events, so ten lines.
  private func lines() throws -> [String] { try TestProgram.withBob().run("export", "bob").lines }

  private func text(_ lines: some Sequence<String>) -> String { lines.map { $0 + "\n" }.joined() }

  @Test func `that was changed or cut is refused before anything of it is stored`() throws {
    let lines = try lines()
    var changed = lines
    changed[4] = changed[4].replacing("2026", with: "2025")
    try #require(changed != lines)
    var renamed = lines
    renamed[0] = renamed[0].replacing(#""user":"bob""#, with: #""user":"eve""#)
    var spaced = lines
    spaced.insert("", at: 3)
    let whole = text(lines)
    let cases: [(text: String, line: Int)] = [
      (text(changed), 5), (text(lines.dropLast()), 10), (text(lines[..<5]), 6), (String(whole.dropLast(9)), 10),
      (String(text(lines[..<5]).dropLast(9)), 5), (text(renamed), 2), (text(spaced), 4),
      (text(lines[..<6] + [lines[7], lines[6]] + lines[8...]), 7), (text(lines[..<1]), 2), (text(lines + changed), 15),
    ]
    for (text, line) in cases {
      let memoir = TestProgram()
      let file = try memoir.file("export.jsonl", text)
      // However small a batch is.
      let run = try memoir.run("append", file, "--batch", "2", "--json")
      #expect(run.exitCode == 5, "line \(line): \(run.output) \(run.errors)")
      #expect(try run.errorCode() == "corrupt")
      #expect(try run.errorDetails()["line"] as? Int == line, "\(run.errors)")
      #expect(try run.errorDetails()["appended"] as? Int == 0)
      #expect(!FileManager.default.fileExists(atPath: memoir.store), "line \(line)")
    }
    let memoir = TestProgram()
    // Without its beginning it is found at its end, and small enough for one batch.
    #expect(try memoir.run("append", memoir.file("export.jsonl", text(lines.dropFirst()))).exitCode == 5)
    #expect(!FileManager.default.fileExists(atPath: memoir.store))
    let said = try memoir.run("append", memoir.file("export.jsonl", text(changed))).errors
    #expect(said.contains("line 5: export: is not the line that was exported here"), "\(said)")
    #expect(said.contains("Nothing was stored."), "\(said)")
  }

  @Test func `that comes through a pipe is checked as it comes`() throws {
    let lines = try lines()
    let cut = TestProgram()
    let run = try cut.run("append", "--batch", "3", "--json", input: text(lines.dropLast()))
    #expect(run.exitCode == 5, "\(run.errors)")
    #expect(try run.errorDetails()["line"] as? Int == 10)
    #expect(try run.errorDetails()["appended"] as? Int == 6)
    #expect(try cut.run("events", "bob").lines.count == 6)
    #expect(try cut.run("append", "--batch", "3", input: text(lines.dropLast())).errors.contains("are stored"))
    // What is missing comes in with the whole one.
    let whole = try cut.run("append", input: text(lines)).object()
    #expect(whole["appended"] as? Int == 2 && whole["duplicates"] as? Int == 6)

    let memoir = TestProgram()
    var changed = lines
    changed[4] = changed[4].replacing("2026", with: "2025")
    #expect(try memoir.run("append", "--batch", "1", input: text(changed)).exitCode == 5)
    #expect(try memoir.run("events", "bob").lines.count == 3)
  }

  @Test func `comes in among other events, and where some of it is known`() throws {
    let memoir = TestProgram()
    try memoir.run(
      "append", input: bobsHistory.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n" + line(9))
    let lines = try lines()
    let file = try memoir.file("mixed.jsonl", text(lines) + "\n" + line(10) + text(lines) + line(11, "eve"))
    let run = try memoir.run("append", file)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try memoir.run("verify").exitCode == 0)
    #expect(try memoir.run("append", file).object()["appended"] as? Int == 0)
  }

  @Test func `a first line that is broken stops the append`() throws {
    let memoir = TestProgram()
    let run = try memoir.run("append", "--json", input: line(1) + #"{"memoir_export":1,"user":"bob"}"# + "\n" + line(2))
    #expect(run.exitCode == 2)
    #expect(try run.errorDetails()["line"] as? Int == 2)
  }
}

@Suite struct `Backing up` {
  @Test func `into the store itself, or where nothing can be made, is refused`() throws {
    let memoir = try TestProgram.withBob()
    let link = memoir.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: memoir.store)
    for place in [memoir.store + "/inner", memoir.store + "/a/b/", link + "/inner", "/proc/x"] {
      let run = try memoir.run("backup", place, "--json")
      #expect(run.exitCode == 2, "\(run.errors)")
      #expect(try (run.error()["message"] as? String)?.hasPrefix("DEST: \(place) ") == true, "\(run.errors)")
    }
    #expect(try !FileManager.default.contentsOfDirectory(atPath: memoir.store).contains("inner"))
    // Beside it, by a name that begins like it, is another place.
    let beside = memoir.store + "-copy"
    #expect(try memoir.run("backup", beside).exitCode == 0)
    for place in [beside + "/inner", "/proc/x"] {
      let run = try memoir.run("restore", beside, "--store", place, "--json")
      #expect(run.exitCode == 2, "\(run.errors)")
      #expect(try (run.error()["message"] as? String)?.hasPrefix("--store: \(place) ") == true, "\(run.errors)")
    }
    #expect(try memoir.run("verify", "--store", beside).exitCode == 0)
  }

  @Test func `again adds what came since, and restores at any point`() throws {
    let memoir = TestProgram()
    let copy = memoir.path("copy")
    for number in 1...6 {
      try memoir.run("append", input: line(number))
      let backup = try memoir.run("backup", copy, "--json").object()
      #expect(backup["added"] as? Int == 1 && backup["position"] as? Int == number)
    }
    #expect(try memoir.run("backup", copy).output.contains("Copied 0 events"))
    #expect(try memoir.run("verify", "--store", copy).exitCode == 0)
    let events = try memoir.run("events").lines
    for position in [0, 3, 6] {
      let restored = memoir.path("at \(position)")
      let run = try memoir.run("restore", copy, "--at-position", "\(position)", "--store", restored, "--json")
      #expect(try run.object()["position"] as? Int == position, "\(run.errors)")
      #expect(try memoir.run("events", "--store", restored).lines == Array(events.prefix(position)))
    }
    let time = try #require(try memoir.run("events").objects()[3]["recorded_at"] as? String)
    let restored = memoir.path("then")
    #expect(try memoir.run("restore", copy, "--recorded-at", time, "--store", restored).output.contains("Restored 4"))
    #expect(try memoir.run("restore", copy, "--at-position", "7", "--store", memoir.path("x")).exitCode == 2)
    #expect(
      try memoir.run(
        "restore", copy, "--at-position", "7", "--recorded-at", time, "--store", memoir.path("x")
      ).exitCode == 2)
  }

  @Test func `into something else is refused`() throws {
    let memoir = try TestProgram.withBob(), other = try TestProgram.withBob()
    try memoir.run("backup", memoir.path("copy"))
    let run = try other.run("backup", memoir.path("copy"), "--json")
    #expect(run.exitCode == 2)
    #expect(try run.errorDetails()["field"] as? String == "DEST")
    #expect(try other.run("backup", memoir.store).exitCode == 2)
    #expect(try other.run("backup", memoir.folder.path).exitCode == 2)
  }
}
