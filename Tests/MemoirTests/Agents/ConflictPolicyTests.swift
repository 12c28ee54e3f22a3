// Preferences that several agents change at once.
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

extension JSONText {
  /// A value as a literal of a test.
  fileprivate init(_ text: String) throws { try self.init(parsing: text) }
}

extension Desk {
  fileprivate func set(_ key: String, _ json: String) async throws {
    try await store.append([.preferenceUpdated(PreferenceUpdated(key: key, value: JSONText(json)))], to: bob)
  }

  fileprivate func value(_ key: String) throws -> String? {
    try store.state(of: bob).state.preferences[key]?.value.description
  }
}

@Suite struct `Changing preferences that others change` {
  /// Bob's preferences at version 3, of which another agent changed two since.
  private func desk() async throws -> Desk {
    let desk = try Desk()
    try await desk.set("theme", #""light""#)
    try await desk.set("editor", #"{"font":"mono","size":12,"tabs":{"width":8}}"#)
    try await desk.set("name", #""Bob""#)
    try await desk.set("theme", #""dark""#)
    try await desk.set("editor", #"{"font":"sans","size":12,"tabs":{"width":8}}"#)
    return desk
  }

  private func details(_ body: () async throws -> Void) async throws -> (String, [String]?) {
    do {
      try await body()
      return ("", nil)
    } catch let error as MemoirError {
      let keys = try JSONParser().parse(error.details.utf8.span) { details -> JSONText? in
        guard let keys = details["keys"] else { return nil }
        return JSONText(keys)
      }
      return (error.code.rawValue, keys?.strings)
    }
  }

  @Test func `the last write wins where that is asked for`() async throws {
    let desk = try await desk()
    let updated = try await desk.store.updatePreferences(
      ["theme": JSONText(#""blue""#), "name": JSONText(#""Bob""#)], of: desk.bob, basedOn: 3, policy: .lastWriteWins)
    #expect(updated.eventIDs.count == 2 && updated.version == 7)
    #expect(try desk.value("theme") == #""blue""#)
  }

  @Test func `a merge takes what only one side has changed, member by member`() async throws {
    let desk = try await desk()
    let mine = try JSONText(#"{"font":"mono","size":14,"tabs":{"width":8,"soft":true}}"#)
    let updated = try await desk.store.updatePreferences(
      ["editor": mine, "name": JSONText(#""Rob""#), "theme": JSONText(#""light""#)], of: desk.bob, basedOn: 3,
      agent: "web")
    let merged = #"{"font":"sans","size":14,"tabs":{"soft":true,"width":8}}"#
    #expect(try desk.value("editor") == merged && desk.value("name") == #""Rob""#)
    // What the caller left as it was is the other's.
    #expect(try desk.value("theme") == #""dark""#)
    #expect(updated.result["editor"]?.description == merged && updated.result["theme"]?.description == #""dark""#)
    #expect(updated.eventIDs.count == 2)
    #expect(try desk.store.log.event(updated.eventIDs[0], of: desk.bob)?.agent == "web")
  }

  @Test func `a merge takes out what only one side has taken out`() async throws {
    let desk = try await desk()
    try await desk.store.updatePreferences(
      ["editor": JSONText(#"{"font":"mono","size":12}"#)], of: desk.bob, basedOn: 3)
    #expect(try desk.value("editor") == #"{"font":"sans","size":12}"#)
  }

  @Test func `changes that are equal are no conflict, also where numbers are written otherwise`() async throws {
    let desk = try await desk()
    let updated = try await desk.store.updatePreferences(
      ["theme": JSONText(#""dark""#), "editor": JSONText(#"{"font":"sans","size":12.0,"tabs":{"width":8}}"#)],
      of: desk.bob, basedOn: 3)
    #expect(updated.eventIDs.isEmpty && updated.version == 5)
  }

  @Test func `a conflict of a merge names the keys, and nothing is stored`() async throws {
    let desk = try await desk()
    let (code, keys) = try await details {
      try await desk.store.updatePreferences(
        [
          "theme": JSONText(#""blue""#), "name": JSONText(#""Rob""#),
          "editor": JSONText(#"{"font":"serif","size":12,"tabs":{"width":8}}"#),
        ], of: desk.bob, basedOn: 3)
    }
    #expect(code == "version_conflict" && keys == ["editor", "theme"])
    #expect(try desk.store.log.version(of: desk.bob) == 5)
  }

  @Test func `a resolver decides the conflicts it can`() async throws {
    let desk = try await desk()
    let updated = try await desk.store.updatePreferences(
      ["editor": JSONText(#"{"font":"serif","size":14,"tabs":{"width":8}}"#)], of: desk.bob, basedOn: 3,
      policy: .merge { conflict in
        conflict.path == ["editor", "font"] && conflict.base == JSONText(string: "mono")
          && conflict.theirs == JSONText(string: "sans") ? conflict.yours : nil
      })
    #expect(updated.result["editor"]?.description == #"{"font":"serif","size":14,"tabs":{"width":8}}"#)
    let (code, keys) = try await details {
      try await desk.store.updatePreferences(
        ["theme": JSONText(#""blue""#)], of: desk.bob, basedOn: 3, policy: .merge { _ in nil })
    }
    #expect(code == "version_conflict" && keys == ["theme"])
  }

  @Test func `any change since is refused where that is asked for`() async throws {
    let desk = try await desk()
    let (code, keys) = try await details {
      try await desk.store.updatePreferences(
        ["name": JSONText(#""Rob""#)], of: desk.bob, basedOn: 3, policy: .reject)
    }
    #expect(code == "version_conflict" && keys == ["editor", "theme"])
    // Other events than preferences do not matter.
    try await desk.remember("Owns a cat")
    try await desk.store.updatePreferences(["name": JSONText(#""Rob""#)], of: desk.bob, basedOn: 5, policy: .reject)
    #expect(try desk.value("name") == #""Rob""#)
  }

  @Test func `without a base, only what comes in between can conflict`() async throws {
    let desk = try await desk()
    for policy in [ConflictPolicy.merge, .reject, .lastWriteWins] {
      try await desk.store.updatePreferences(["theme": JSONText(#""blue""#)], of: desk.bob, policy: policy)
    }
    try await desk.store.updatePreferences(["theme": JSONText(#""red""#)], of: .alice, policy: .reject)
    #expect(try desk.store.log.version(of: .alice) == 1)
  }

  @Test func `bad input is refused`() async throws {
    let desk = try await desk()
    let value = JSONText.null
    #expect(await code { try await desk.store.updatePreferences([:], of: desk.bob) } == .invalidArgument)
    #expect(await code { try await desk.store.updatePreferences(["": value], of: desk.bob) } == .invalidArgument)
    #expect(
      await code { try await desk.store.updatePreferences(["a": value], of: desk.bob, basedOn: 6) } == .invalidArgument)
    #expect(
      await code { try await desk.store.updatePreferences(["a": value], of: .alice, basedOn: 1) } == .invalidArgument)
    #expect(try desk.store.log.version(of: desk.bob) == 5)
  }

  @Test func `agents that set members of one preference lose none`() async throws {
    let desk = try Desk()
    try await desk.set("seen", "{}")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for agent in 1...12 {
        group.addTask {
          try await desk.store.updatePreferences(
            ["seen": JSONText("{\"agent-\(agent)\":true}")], of: desk.bob, basedOn: 1,
            retry: RetryPolicy(attempts: 500))
        }
      }
      try await group.waitForAll()
    }
    let seen = try #require(try desk.store.state(of: desk.bob).state.preferences["seen"]).value
    #expect(try JSONParser().parse(seen.utf8.span) { $0.count } == 12)
  }
}

@Suite struct `A three-way merge` {
  /// What a key's value can be: absent, one of two scalars.
  private static let scalars = [nil, "1", "2"]

  /// The model of one key: `nil` where it is a conflict.
  private func merged(_ base: String?, _ yours: String?, _ theirs: String?) -> String?? {
    if yours == theirs || theirs == base { return .some(yours) }
    return yours == base ? .some(theirs) : nil
  }

  private func object(_ members: [(String, String?)]) throws -> JSONText {
    let pairs = members.compactMap { key, value in value.map { "\"\(key)\":\($0)" } }
    return try JSONText("{" + pairs.joined(separator: ",") + "}")
  }

  @Test func `of every small object is as the model of its keys says`() throws {
    // Two keys, one of them within an object: every combination of three sides.
    var count = 0
    for a in 0..<27 {
      for b in 0..<27 {
        func pick(_ number: Int, _ side: Int) -> String? { Self.scalars[number / [1, 3, 9][side] % 3] }
        func side(_ side: Int) throws -> JSONText {
          let inner = try object([("b", pick(b, side)), ("c", "0")])
          return try object([("a", pick(a, side)), ("o", inner.description)])
        }
        let outer = merged(pick(a, 0), pick(a, 1), pick(a, 2))
        let inner = merged(pick(b, 0), pick(b, 1), pick(b, 2))
        var merge = ThreeWayMerge()
        let result = try merge.merge(base: side(0), yours: side(1), theirs: side(2), at: ["k"])
        #expect(
          merge.conflicts.map(\.path) == (outer == nil ? [["k", "a"]] : []) + (inner == nil ? [["k", "o", "b"]] : []))
        if let outer, let inner {
          let expected = try object([("a", outer), ("o", object([("b", inner), ("c", "0")]).description)])
          #expect(result?.isSame(as: expected) == true, "\(a) \(b)")
          var reverse = ThreeWayMerge()
          #expect(try reverse.merge(base: side(0), yours: side(2), theirs: side(1), at: []) == result)
        }
        count += 1
      }
    }
    #expect(count == 729)
  }

  @Test func `takes anything but objects as a whole`() throws {
    func merge(_ base: String?, _ yours: String?, _ theirs: String?) throws -> String? {
      var merge = ThreeWayMerge()
      let values = try [base, yours, theirs].map { text throws in try text.map { text throws in try JSONText(text) } }
      let result = merge.merge(base: values[0], yours: values[1], theirs: values[2], at: [])
      return merge.conflicts.isEmpty ? result?.description ?? "absent" : nil
    }
    #expect(try merge("[1]", "[1,2]", "[1,3]") == nil)
    #expect(try merge("[1]", "[1,2]", "[1]") == "[1,2]")
    #expect(try merge(nil, #"{"a":1}"#, #"{"b":1}"#) == #"{"a":1,"b":1}"#)
    #expect(try merge("1", #"{"a":1}"#, #"{"b":1}"#) == nil)
    #expect(try merge(#"{"a":1}"#, nil, #"{"a":1}"#) == "absent")
    #expect(try merge(#"{"a":1}"#, nil, #"{"a":2}"#) == nil)
    #expect(try merge(#"{"é":1,"e\u0301":1}"#, #"{"é":2,"e\u0301":1}"#, #"{"é":1,"e\u0301":3}"#)?.utf8.count == 16)
  }
}
