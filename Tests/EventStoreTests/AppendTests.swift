// Appending: expected versions, all or nothing, commits shared by many.
import EventStore
import Foundation
import TestSupport
import Testing

/// What a stream looks like to an appender, and whether it is as expected.
struct Expectation: CustomTestStringConvertible {
  var events: Int
  var expected: ExpectedVersion
  var isMet: Bool
  var testDescription: String { "\(expected) of a stream at \(events)" }

  static let all = [
    Expectation(events: 0, expected: .any, isMet: true),
    Expectation(events: 0, expected: .noStream, isMet: true),
    Expectation(events: 0, expected: .exactly(0), isMet: true),
    Expectation(events: 0, expected: .streamExists, isMet: false),
    Expectation(events: 0, expected: .exactly(1), isMet: false),
    Expectation(events: 3, expected: .any, isMet: true),
    Expectation(events: 3, expected: .noStream, isMet: false),
    Expectation(events: 3, expected: .streamExists, isMet: true),
    Expectation(events: 3, expected: .exactly(0), isMet: false),
    Expectation(events: 3, expected: .exactly(2), isMet: false),
    Expectation(events: 3, expected: .exactly(3), isMet: true),
    Expectation(events: 3, expected: .exactly(4), isMet: false),
    Expectation(events: 3, expected: .exactly(StreamVersion(.max)), isMet: false),
  ]
}

private func note(_ number: Int, _ text: String = "text") -> EventData {
  Diary.written("k\(number)", text, id: .number(number))
}

@Suite struct `Appending with an expected version` {
  @Test(arguments: Expectation.all) func `is done where it is met, and else changes nothing`(
    _ it: Expectation
  ) throws {
    let store = try TemporaryStore()
    for number in 0..<it.events { try store.append(note(number)) }
    let actual = StreamVersion(UInt64(it.events))

    if it.isMet {
      let result = try store.append(note(100), to: .bob, expecting: it.expected)
      #expect(result.firstVersion == actual.next && result.appended == 1)
      #expect(try store.log.version(of: .bob) == actual.next)
    } else {
      #expect(throws: AppendError.versionConflict(stream: .bob, expected: it.expected, actual: actual)) {
        try store.append(note(100), to: .bob, expecting: it.expected)
      }
      #expect(try store.log.version(of: .bob) == actual)
      #expect(try store.log.lastPosition() == LogPosition(actual.number))
      #expect(try store.log.event(.number(100), of: .bob) == nil)
    }
  }

  @Test func `chains where a user comes twice in a request`() throws {
    let store = try TemporaryStore()
    let results = try store.log.appendAndWait([
      StreamAppend([note(1), note(2)], to: .bob, expecting: .noStream),
      StreamAppend([note(3)], to: .alice, expecting: .noStream),
      StreamAppend([note(4)], to: .bob, expecting: .exactly(2)),
    ])
    #expect(results.map(\.firstVersion) == [1, 1, 3])
    #expect(results.map(\.lastVersion) == [2, 1, 3])
    #expect(results.map(\.lastPosition) == [2, 3, 4])

    #expect(throws: AppendError.versionConflict(stream: .bob, expected: .exactly(3), actual: 4)) {
      try store.log.appendAndWait([
        StreamAppend([note(5)], to: .bob, expecting: .exactly(3)),
        StreamAppend([note(6)], to: .bob, expecting: .exactly(3)),
      ])
    }
    #expect(try store.log.version(of: .bob) == 3)
  }
}

@Suite struct `An append over several users` {
  @Test func `stores nothing where one of them refuses`() throws {
    let store = try TemporaryStore()
    try store.append(note(1), to: .alice)

    #expect(throws: AppendError.versionConflict(stream: .alice, expected: .exactly(7), actual: 1)) {
      try store.log.appendAndWait([
        StreamAppend([note(2)], to: .bob), StreamAppend([note(3)], to: .alice, expecting: .exactly(7)),
      ])
    }
    #expect(try store.log.version(of: .bob) == 0)
    #expect(try store.log.summary(of: .bob) == nil)
    #expect(try store.log.streams().map(\.name) == [.alice])
  }

  @Test func `stores neighbours that share the time they were recorded`() throws {
    let store = try TemporaryStore()
    let results = try store.log.appendAndWait([
      StreamAppend([note(1), note(2)], to: .bob), StreamAppend([note(1)], to: .alice),
    ])
    let events = try store.log.readAll().events
    #expect(events.map(\.stream) == [.bob, .bob, .alice])
    #expect(Set(events.map(\.recordedAt)) == [results[0].recordedAt])
    #expect(results[1].recordedAt == results[0].recordedAt)
  }

  @Test func `needs events`() throws {
    let store = try TemporaryStore()
    #expect(throws: AppendError.invalid(InvalidValue(field: "events", reason: "must not be empty"))) {
      try store.log.appendAndWait([StreamAppend([note(1)], to: .bob), StreamAppend([], to: .alice)])
    }
    #expect(throws: AppendError.invalid(InvalidValue(field: "appends", reason: "must not be empty"))) {
      try store.log.appendAndWait([])
    }
    #expect(try store.log.lastPosition() == 0)
  }
}

@Suite struct `Appends at the same time` {
  @Test func `are each accepted or refused on their own, without gaps`() async throws {
    let store = try TemporaryStore()
    let log = store.log
    // Of every four tasks of a stream only one can be the one that finds it empty; the others' events are refused.
    let outcomes = await withTaskGroup(of: (Int, Result<AppendResult, any Error>).self) { group in
      for number in 0..<64 {
        group.addTask {
          do {
            let stream = StreamName.named("user-\(number % 16)")
            let result = try await log.append(
              [note(number), note(number + 100)], to: stream, expecting: .noStream)
            return (number, .success(result))
          } catch {
            return (number, .failure(error))
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }

    var accepted: [AppendResult] = []
    for (number, outcome) in outcomes {
      let stream = StreamName.named("user-\(number % 16)")
      switch outcome {
      case .success(let result):
        accepted.append(result)
        #expect(result.stream == stream && result.lastVersion == 2)
        #expect(try log.event(.number(number), of: stream)?.position == result.firstPosition)
      case .failure(let error):
        #expect(error as? AppendError == .versionConflict(stream: stream, expected: .noStream, actual: 2))
        #expect(try log.event(.number(number), of: stream) == nil)
      }
    }
    #expect(accepted.count == 16)
    #expect(accepted.map(\.firstPosition.number).sorted() == Array(stride(from: 1, to: 32, by: 2)))
    #expect(try log.readAll().events.map(\.position.number) == Array(1...32))
    #expect(try log.verify().isSound)
  }

  @Test func `are all found again by readers that read meanwhile`() async throws {
    var options = EventLog.Options()
    options.blockSize = 16
    let store = try TemporaryStore(options)
    let log = store.log
    try await withThrowingTaskGroup { group in
      for writer in 0..<4 {
        group.addTask {
          let stream = StreamName.named("user-\(writer)")
          for number in 1...100 {
            let result = try await log.append(
              [note(number)], to: stream, expecting: .exactly(StreamVersion(UInt64(number - 1))))
            // Who was told so finds the event, and all before it.
            let seen = try log.readStream(stream, direction: .backward, limit: 1).events.first
            #expect(seen?.version == result.lastVersion)
            #expect(try log.state(of: stream, by: NotebookProjector())?.state.events == UInt64(number))
          }
        }
      }
      group.addTask {
        var last: LogPosition = 0
        while last < 400 {
          let events = try log.readAll().events
          #expect(events.map(\.position.number) == (0..<events.count).map { UInt64($0 + 1) })
          let position = LogPosition(UInt64(events.count))
          #expect(position >= last)
          last = position
          await Task.yield()
        }
      }
      try await group.waitForAll()
    }
    #expect(try log.verify().isSound)
  }
}

@Suite struct `The time of recording` {
  @Test func `never goes back when the clock does`() throws {
    let store = try TemporaryStore()
    let first = try store.append(note(1)).recordedAt
    #expect(first == store.clock.now)
    store.clock.advance(byMicroseconds: -3_600_000_000)
    let second = try store.append(note(2)).recordedAt
    #expect(second == first.advanced(byMicroseconds: 1))
    try store.reopen()
    let third = try store.append(note(3), to: .alice).recordedAt
    #expect(third == first.advanced(byMicroseconds: 2))
    store.clock.advance(byMicroseconds: 7_200_000_000)
    #expect(try store.append(note(4)).recordedAt == store.clock.now)
  }

  @Test func `differs between requests of one commit, and is what a question as of then goes by`()
    async throws
  {
    let store = try TemporaryStore()
    let log = store.log
    let results = try await withThrowingTaskGroup(of: AppendResult.self) { group in
      for number in 1...20 { group.addTask { try await log.append([note(number)], to: .bob) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let times = results.sorted { $0.lastVersion < $1.lastVersion }.map(\.recordedAt)
    #expect(times == times.sorted() && Set(times).count == 20)
    for (index, time) in times.enumerated() {
      #expect(try log.version(of: .bob, at: .recordedAt(time))?.number == UInt64(index + 1))
    }
  }
}

@Suite struct `Names` {
  @Test func `of full length make streams of their own`() throws {
    let user = String(repeating: "u", count: 247) + "ä"
    let long = String(repeating: "n", count: 100)
    let streams = [
      StreamName.named(user + "1", in: long), .named(user + "2", in: long), .named(user + "1"),
      .named(user, in: long),
    ]
    let session = SessionID.named(String(repeating: "s", count: 250))
    var options = EventLog.Options()
    options.blockSize = 1
    let store = try TemporaryStore(options)
    for (number, stream) in streams.enumerated() {
      for version in 0..<3 { try store.append(note(10 * number + version).inSession(session), to: stream) }
    }
    for _ in 1...2 {
      #expect(try store.log.streams().map(\.name) == streams.sorted())
      for (number, stream) in streams.enumerated() {
        let events = try store.log.readStream(stream, filter: EventFilter(session: session)).events
        #expect(events.map(\.id) == (0..<3).map { .number(10 * number + $0) })
        #expect(events.allSatisfy { $0.stream == stream && $0.session == session })
      }
      try store.reopen()
    }
  }

  @Test(arguments: [
    "", ".", "..", "a\u{200b}b", "a\nb", "\u{202e}a", "a\u{2028}", "a\u{e0041}", "a\u{fe0f}", "a\u{fff9}",
    String(repeating: "x", count: 251),
  ])
  func `that could mislead are refused`(name: String) {
    #expect(throws: InvalidValue.self) { try UserID(name) }
    #expect(throws: InvalidValue.self) { try SessionID(name) }
    #expect(throws: InvalidValue.self) { try Namespace(name) }
  }

  @Test func `that look alike but differ in bytes are two`() throws {
    let store = try TemporaryStore()
    let composed = StreamName.named("caf\u{e9}")
    let decomposed = StreamName.named("cafe\u{301}")
    try store.append(note(1), to: composed)
    #expect(try store.log.version(of: decomposed) == 0)
    try store.append(note(2), to: decomposed, expecting: .noStream)
    #expect(try store.log.streams().count == 2)
  }
}
