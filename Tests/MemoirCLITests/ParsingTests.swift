// How command lines are read.

import Memoir
import Testing

@testable import MemoirCLI

@Suite struct `Reading a command line` {
  @Test func `an option's value stands after a space or an equals sign`() throws {
    #expect(try Sample.parse("sample", "f", "--count", "7")[Sample.count] == 7)
    #expect(try Sample.parse("sample", "f", "--count=7")[Sample.count] == 7)
    #expect(try Sample.parse("sample", "f", "--tag=a=b")[Sample.tags] == ["a=b"])
  }

  @Test func `a short option takes its value with or without a space, behind flags too`() throws {
    #expect(try Sample.parse("sample", "f", "-c", "7")[Sample.count] == 7)
    #expect(try Sample.parse("sample", "f", "-c7")[Sample.count] == 7)
    #expect(try Sample.parse("sample", "f", "-c=7")[Sample.count] == 7)
    let arguments = try Sample.parse("sample", "f", "-qc7")
    #expect(arguments[Sample.quiet])
    #expect(arguments[Sample.count] == 7)
  }

  @Test func `options stand anywhere among the other arguments`() throws {
    let arguments = try Sample.parse("sample", "--quiet", "file", "--tag", "x", "one", "-t", "y", "two")
    #expect(arguments[Sample.input] == .file("file"))
    #expect(arguments[Sample.more] == ["one", "two"])
    #expect(arguments[Sample.tags] == ["x", "y"])
  }

  @Test func `global options stand before or after the command`() throws {
    let before = try Sample.parse("--store", "s", "--json", "--namespace=n", "sample", "f")
    let after = try Sample.parse("sample", "f", "--store=s", "--namespace", "n", "--json")
    for arguments in [before, after] {
      #expect(arguments[GlobalOptions.store] == "s")
      #expect(arguments[GlobalOptions.namespace]?.description == "n")
      #expect(arguments[GlobalOptions.json])
    }
  }

  @Test func `two dashes end the options`() throws {
    let arguments = try Sample.parse("sample", "--", "--quiet", "--", "-c")
    #expect(arguments[Sample.input] == .file("--quiet"))
    #expect(arguments[Sample.more] == ["--", "-c"])
    #expect(!arguments[Sample.quiet])
    #expect(try Sample.parse("--", "sample", "f")[Sample.input] == .file("f"))
  }

  @Test func `a negative number is a value, not an option`() throws {
    #expect(try Sample.parse("sample", "f", "--count", "-7")[Sample.count] == -7)
    #expect(try Sample.parse("sample", "f", "-c", "-7")[Sample.count] == -7)
    #expect(try Sample.parse("sample", "f", "-12", "-.5")[Sample.more] == ["-12", "-.5"])
  }

  @Test func `a single dash is standard input`() throws {
    #expect(try Sample.parse("sample", "-")[Sample.input] == .standardInput)
    #expect(try Sample.parse("sample", "f", "--tag", "-")[Sample.tags] == ["-"])
  }

  @Test func `what is not given has its default`() throws {
    let arguments = try Sample.parse("sample", "f")
    #expect(arguments[Sample.count] == nil)
    #expect(arguments[Sample.size] == 5)
    #expect(arguments[Sample.tags] == [])
    #expect(arguments[Sample.more] == [])
    #expect(!arguments[Sample.quiet])
  }

  @Test func `a flag given twice says the same twice`() throws {
    #expect(try Sample.parse("sample", "f", "-qq", "--json", "--json")[Sample.quiet])
  }

  @Test func `the store is the option's, else the environment's, else in this folder`() throws {
    let given = try Sample.parse("sample", "f", "--store", "here")
    let bare = try Sample.parse("sample", "f")
    #expect(given.storePath { _ in "there" } == "here")
    #expect(bare.storePath { $0 == "MEMOIR_STORE" ? "there" : nil } == "there")
    #expect(bare.storePath { _ in "" } == "./memoir.store")
    #expect(bare.storePath { _ in nil } == "./memoir.store")
  }

  @Test func `a point in time is read from whichever option gives it`() throws {
    let time = "2026-03-02T14:00:00.000000Z"
    #expect(try Sample.parse("sample", "f").asOf == .now)
    #expect(try Sample.parse("sample", "f", "--at-version", "12").asOf == .version(12))
    #expect(try Sample.parse("sample", "f", "--at-position", "0").asOf == .position(0))
    #expect(try Sample.parse("sample", "f", "--recorded-at", time).asOf.description == "recorded:\(time)")
    #expect(try Sample.parse("sample", "f", "--occurred-at", time).asOf.description == "occurred:\(time)")
  }

  @Test func `an argument that no row declares traps`() async {
    await #expect(processExitsWith: .failure) {
      let arguments = try Sample.parse("plain")
      _ = arguments[Sample.count]
    }
  }

  @Test func `help wins over whatever else is wrong`() throws {
    let parser = ArgumentParser(table: CommandTable(rows: [Sample.row, Sample.plain]))
    for words in [
      ["sample", "--bogus", "--help"], ["--store", "plain", "sample", "-h"], ["--help", "sample"],
    ] {
      guard case .help(let row) = try parser.parse(words) else {
        Issue.record("\(words) is no help")
        continue
      }
      #expect(row?.name == "sample")
    }
    guard case .help(nil) = try parser.parse(["--help"]) else {
      Issue.record("--help alone is not the program's help")
      return
    }
    guard case .run = try parser.parse(["sample", "--", "--help"]) else {
      Issue.record("help behind -- is a value")
      return
    }
  }

  @Test func `the version needs no command`() throws {
    guard case .version = try ArgumentParser(table: .all).parse(["--version"]) else {
      Issue.record("no version")
      return
    }
  }
}

@Suite struct `Refusing a command line` {
  @Test func `a misspelt command is named with the nearest one`() {
    #expect(Sample.refusal(of: "smaple")?.message == "there is no command 'smaple'")
    #expect(Sample.refusal(of: "smaple")?.suggestion == "sample")
    #expect(Sample.refusal(of: "unheard")?.suggestion == nil)
    #expect(Sample.refusal()?.message == "no command is given")
  }

  @Test func `a misspelt option is named with the nearest one`() {
    let refusal = Sample.refusal(of: "sample", "f", "--coutn", "7")
    #expect(refusal?.message == "--coutn: sample has no such option")
    #expect(refusal?.suggestion == "--count")
    #expect(Sample.refusal(of: "sample", "f", "--namspace=n")?.suggestion == "--namespace")
    #expect(Sample.refusal(of: "sample", "f", "-x")?.message == "-x: sample has no such option")
  }

  @Test func `an option is never taken for its beginning`() {
    let refusal = Sample.refusal(of: "sample", "f", "--cou", "7")
    #expect(refusal?.field == "--cou")
    #expect(refusal?.suggestion == "--count")
  }

  @Test func `a command's option before the command is said to belong after it`() {
    #expect(
      Sample.refusal(of: "--count", "7", "sample")?.message
        == "--count: is an option of a command and stands after it")
  }

  @Test func `a missing value is named with what it should be`() {
    #expect(Sample.refusal(of: "sample", "f", "--count")?.message == "--count: needs a value, N")
    #expect(
      Sample.refusal(of: "sample", "f", "--tag", "--quiet")?.message
        == "--tag: needs a value, T; one that begins with a dash is written --tag=--quiet")
    #expect(Sample.refusal(of: "sample", "f", "--tag=")?.message == "--tag: must not be empty")
  }

  @Test func `a flag with a value is refused`() {
    #expect(Sample.refusal(of: "sample", "f", "--quiet=yes")?.message == "--quiet: takes no value")
  }

  @Test func `of two values for one option it is not known which is meant`() {
    #expect(
      Sample.refusal(of: "sample", "f", "--count", "1", "--count", "2")?.message == "--count: is given twice")
  }

  @Test(arguments: [
    ("abc", "'abc' is not a whole number"), ("1.5", "'1.5' is not a whole number"),
    ("+5", "'+5' is not a whole number"), ("٣", "'٣' is not a whole number"),
    ("-", "'-' is not a whole number"),
    ("1001", "must be between -10 and 1000, not '1001'"), ("-11", "must be between -10 and 1000, not '-11'"),
  ])
  func `a number is told from what is none, and kept in its range`(text: String, reason: String) {
    #expect(Sample.refusal(of: "sample", "f", "--count", text)?.message == "--count: " + reason)
  }

  @Test func `a number past all numbers is called too large, and a negative one too small`() {
    let kind = ArgumentKind<UInt64>.ordinal
    #expect(throws: ArgumentProblem("'18446744073709551616' is too large a number")) {
      try kind.read("18446744073709551616")
    }
    #expect(throws: ArgumentProblem("must be 0 or more, not '-1'")) { try kind.read("-1") }
    #expect(throws: Never.self) { try kind.read("18446744073709551615") }
  }

  @Test func `a choice that there is not is answered with those there are`() {
    let refusal = Sample.refusal(of: "sample", "f", "--loud", "--colour", "gren")
    #expect(refusal?.message == "--colour: 'gren' is none of red, green")
    #expect(refusal?.suggestion == "green")
  }

  @Test func `missing and surplus arguments are named`() {
    #expect(Sample.refusal(of: "sample")?.message == "FILE|-: is missing")
    #expect(Sample.refusal(of: "plain", "x")?.message == "'x' is too much: plain takes no arguments")
  }

  @Test func `options that need or exclude one another say so`() {
    #expect(Sample.refusal(of: "sample", "f", "--colour", "red")?.message == "--colour: needs --loud")
    #expect(
      Sample.refusal(of: "sample", "f", "--quiet", "--loud")?.message == "--loud: cannot stand beside --quiet"
    )
  }

  @Test func `one point in time at most`() {
    #expect(
      Sample.refusal(of: "sample", "f", "--recorded-at", "2026-03-02T14:00:00Z", "--at-version", "3")?.message
        == """
        --recorded-at: cannot stand beside --at-version: AS-OF is one of \
        --at-version, --at-position, --recorded-at, --occurred-at
        """)
  }

  @Test func `what strangers wrote cannot steer the terminal from an error`() {
    let refusal = Sample.refusal(of: "evil\u{1B}[2J\u{202E}")
    #expect(refusal?.message == #"there is no command 'evil\u{1B}[2J\u{202E}'"#)
    #expect(
      Sample.refusal(of: "sample", "--\u{7}bell")?.message == #"--\u{7}bell: sample has no such option"#)
  }

  @Test func `an accent on the equals sign does not hide it`() {
    #expect(Sample.refusal(of: "sample", "f", "--count=\u{301}7")?.field == "--count")
  }
}

@Suite struct `Guessing what was meant` {
  @Test(arguments: [
    ("stat", "state"), ("sttae", "state"), ("vrify", "verify"), ("snap", "snapshots"), ("EVENTS", "events"),
    ("user", "users"), ("histroy", nil), ("xyz", nil), ("", nil),
  ])
  func `a slip is mended and a stranger is not`(word: String, meant: String?) {
    #expect(Suggestion.nearest(to: word, among: CommandTable.all.shownRows.map(\.name)) == meant)
  }

  @Test func `a swap of neighbours is one slip`() {
    #expect(Suggestion.distance(Array("abcd".utf8), Array("abdc".utf8)) == 1)
    #expect(Suggestion.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    #expect(Suggestion.distance([], Array("ab".utf8)) == 2)
  }
}
