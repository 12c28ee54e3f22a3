// Handing in again what the log has already.
import Bytes
import EventStore
import JSON
import TestSupport
import Testing

@Suite struct `A repeated append` {
  private let first = Diary.written("k", "text", id: .number(1)).inSession(.named("s"))
    .with(metadata: "{\"agent\":\"web\"}")
  private let second = Diary.written("k", "more", id: .number(2))

  @Test func `gives the first result, whatever the expected version says`() throws {
    let store = try TemporaryStore()
    let result = try store.append(first, second, expecting: .noStream)
    try store.append(Diary.removed("k", id: .number(3)))
    store.clock.advance(byMicroseconds: 1_000_000)

    for expected: ExpectedVersion in [.noStream, .any, .exactly(77), .streamExists] {
      let again = try store.append(first, second, expecting: expected)
      #expect(again.isDuplicate && again.duplicates == 2)
      #expect(again.firstVersion == 1 && again.lastVersion == 2)
      #expect(again.firstPosition == 1 && again.lastPosition == 2)
      #expect(again.recordedAt == result.recordedAt)
    }
    #expect(try store.log.lastPosition() == 3)
  }

  @Test(arguments: [1, 65_536]) func `is known after opening again`(blockSize: Int) throws {
    var options = EventLog.Options()
    options.blockSize = blockSize
    let store = try TemporaryStore(options)
    let result = try store.append(first, second)
    for number in 10..<20 { try store.append(Diary.written("k", "\(number)", id: .number(number))) }

    try store.reopen()
    let again = try store.append(first, second)
    #expect(again.isDuplicate && again.recordedAt == result.recordedAt && again.lastVersion == 2)
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(2)], isErased: false)) {
      try store.append(Diary.written("k", "else", id: .number(2)))
    }
  }

  @Test func `is known after closing has sealed a long tail`() throws {
    let store = try TemporaryStore()
    let result = try store.append(first, second)
    let many = (0..<17_000).map { Diary.removed("k", id: .number(100 + $0)) }
    try store.log.appendAndWait([StreamAppend(many, to: .alice)])
    try store.reopen()
    let tail = try store.log.storeStatistics(for: NotebookProjector()).tailEvents
    #expect(tail == 0)
    #expect(try store.append(first, second).recordedAt == result.recordedAt)
    #expect(try store.append(many[16_999], to: .alice).lastVersion == 17_000)
    #expect(try store.log.verify().isSound)
  }

  @Test func `is the same where it gives no time`() throws {
    let store = try TemporaryStore()
    let time = store.clock.now.advanced(byMicroseconds: -5)
    try store.append(first.occurring(at: time))
    #expect(try store.append(first).isDuplicate)
    #expect(try store.append(first.occurring(at: time)).isDuplicate)
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false)) {
      try store.append(first.occurring(at: time.advanced(byMicroseconds: 1)))
    }
  }

  static let others: [(String, @Sendable (inout EventData) -> Void)] = [
    ("another type", { $0.type = Diary.sized }),
    ("another session", { $0.session = .named("t") }),
    ("no session", { $0.session = nil }),
    ("other data", { $0.payload = Diary.written("k", "texts", id: $0.id).payload }),
    ("other metadata", { $0.metadata = JSONText(canonical: Array("{\"agent\":\"cli\"}".utf8)) }),
    ("no metadata", { $0.metadata = .emptyObject }),
  ]

  @Test(arguments: 0..<others.count) func `is a conflict with other content`(other: Int) throws {
    let store = try TemporaryStore()
    try store.append(first, second)
    var changed = first
    Self.others[other].1(&changed)
    for event in [Diary.removed("k", id: .number(3)), second] {
      #expect(
        throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false),
        "\(Self.others[other].0)"
      ) {
        try store.append(changed, event)
      }
    }
    #expect(try store.log.lastPosition() == 2)
  }

  @Test func `of an application's own type has the type's name for content`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.custom("x", named: "app.One", id: .number(1)))
    #expect(try store.append(Diary.custom("x", named: "app.One", id: .number(1))).isDuplicate)
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false)) {
      try store.append(Diary.custom("x", named: "app.Two", id: .number(1)))
    }
  }

  @Test func `is a conflict where only some are known, or not as neighbours in this order`() throws {
    let store = try TemporaryStore()
    let third = Diary.removed("k", id: .number(3))
    try store.append(first)
    try store.append(second)
    try store.append(Diary.removed("k", id: .number(9)), to: .alice)
    try store.append(third)

    // Two requests whose events are neighbours are as good as one.
    #expect(try store.append(first, second).isDuplicate)
    let requests: [[EventData]] = [
      [first, Diary.removed("k", id: .number(4))], [second, first], [second, third], [first, third],
    ]
    for events in requests {
      let known = events.map(\.id).filter { $0 != .number(4) }
      #expect(throws: AppendError.idConflict(stream: .bob, ids: known, isErased: false)) {
        try store.log.appendAndWait([StreamAppend(events, to: .bob)])
      }
    }
    #expect(try store.log.lastPosition() == 4)
  }

  @Test func `with an id twice in it is a conflict`() throws {
    let store = try TemporaryStore()
    for _ in 1...2 {
      #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false)) {
        try store.append(first, first)
      }
      #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: false)) {
        try store.log.appendAndWait([StreamAppend([first], to: .bob), StreamAppend([first], to: .bob)])
      }
      try store.append(first)
    }
    #expect(try store.append(first, to: .alice).lastVersion == 1)
  }

  @Test func `of an erased event says that it was erased`() throws {
    let store = try TemporaryStore()
    try store.append(first, second)
    try store.log.redact(1, of: .bob)
    for events in [[first], [first, second]] {
      #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: true)) {
        try store.log.appendAndWait([StreamAppend(events, to: .bob)])
      }
    }
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(1)], isErased: true)) {
      try store.log.appendAndWait([StreamAppend([first], to: .bob)], repeats: .event)
    }
    #expect(try store.append(second).isDuplicate)
  }

  @Test func `may spell its numbers otherwise`() throws {
    let store = try TemporaryStore()
    try store.append(
      Diary.valued("k", "{\"a\":[1.50,2e2]}", id: .number(1)).with(metadata: "{\"n\":10}"))
    let again = Diary.valued("k", "{\"a\":[1.5,200]}", id: .number(1))
    #expect(try store.append(again.with(metadata: "{\"n\":1e1}")).isDuplicate)
    #expect(throws: AppendError.self) { try store.append(again.with(metadata: "{\"n\":11}")) }
    #expect(throws: AppendError.self) {
      try store.append(Diary.valued("k", "{\"a\":[1.5,201]}", id: .number(1)))
    }
  }
}

@Suite struct `Repeats left out one by one` {
  @Test func `append the rest`() throws {
    let store = try TemporaryStore()
    func event(_ number: Int) -> EventData { Diary.written("k", "\(number)", id: .number(number)) }
    try store.append(event(1), event(2))
    try store.append(event(1), to: .alice)

    let results = try store.log.appendAndWait(
      [
        StreamAppend([event(2), event(3), event(3), event(1)], to: .bob, expecting: .exactly(2)),
        StreamAppend([event(1)], to: .alice, expecting: .noStream),
        StreamAppend([event(3), event(4)], to: .bob, expecting: .exactly(3)),
      ], repeats: .event)
    #expect(results.map(\.appended) == [1, 0, 1])
    #expect(results.map(\.duplicates) == [3, 1, 1])
    #expect(try store.log.readStream(.bob).events.map(\.id) == [1, 2, 3, 4].map { .number($0) })
    #expect(try store.log.version(of: .alice) == 1)
    #expect(try store.log.verify().isSound)

    // Twice with other content is still a conflict.
    #expect(throws: AppendError.idConflict(stream: .bob, ids: [.number(5)], isErased: false)) {
      try store.log.appendAndWait(
        [StreamAppend([event(5), Diary.removed("k", id: .number(5))], to: .bob)], repeats: .event)
    }
    #expect(try store.log.lastPosition() == 5)
  }

  @Test func `leave nothing behind where all are known`() throws {
    let store = try TemporaryStore()
    let event = Diary.written("k", "1", id: .number(1))
    try store.append(event)
    let result = try store.log.appendAndWait(
      [StreamAppend([event, event], to: .bob, expecting: .exactly(9))], repeats: .event)[0]
    #expect(result.isDuplicate && result.duplicates == 2 && result.lastPosition == 1)
    #expect(try store.log.lastPosition() == 1)
  }
}

@Suite struct `Ids that share a hash` {
  // The construction rests on how XXH3 works inside; this says whether it still does.
  @Test func `are made in families`() {
    for index in stride(from: 0, to: 60, by: CollidingIDs.familySize) {
      let hashes = (0..<CollidingIDs.familySize).map { offset in
        var bytes = ByteWriter()
        CollidingIDs.id(index + offset, seed: 42).write(into: &bytes)
        return XXH3.hash(bytes.bytes.rawSpan, seed: 42)
      }
      #expect(Set(hashes).count == 1)
    }
    #expect(Set((0..<60).map { CollidingIDs.id($0, seed: 42) }).count == 60)
  }

  @Test(arguments: [1, 3, 65_536]) func `are told apart`(blockSize: Int) throws {
    var options = EventLog.Options()
    options.hashSeed = 7
    options.blockSize = blockSize
    let store = try TemporaryStore(options)
    let ids = (0..<6).map { CollidingIDs.id($0, seed: 7) }
    for (index, id) in ids.enumerated() {
      #expect(try store.log.event(id, of: .bob) == nil)
      try store.append(Diary.written("k", "\(index)", id: id))
    }
    for (index, id) in ids.enumerated() {
      #expect(try store.log.event(id, of: .bob)?.version.number == UInt64(index + 1))
      #expect(try store.append(Diary.written("k", "\(index)", id: id)).isDuplicate)
      #expect(throws: AppendError.self) { try store.append(Diary.written("k", "other", id: id)) }
    }
  }
}
