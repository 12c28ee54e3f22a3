// The fold against the model, and states against their encoded form.
import Bytes
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `Folding any history` {
  @Test(arguments: 1...15, FoldOrder.allCases)
  func `comes out as the plain model says, after every event`(seed: UInt64, order: FoldOrder) throws {
    var random = SeededRandom(seed: seed)
    let history = try History.random(events: 250, with: &random)
    let projector = ContextProjector()
    let entries = history.ordered(by: order)
    var state = projector.initialState()
    var model = ModelState()
    try history.forEach(by: order) { index, event in
      if event.isRedacted {
        try projector.applyRedacted(event, to: &state)
      } else {
        try projector.apply(event, to: &state)
      }
      try model.apply(entries[index], MemoirEvent(history.recorded(entries[index].version)))
      try #require(state.lines == model.lines, "seed \(seed), after event \(index)")
    }
  }

  @Test(arguments: 41...50, FoldOrder.allCases)
  func `gives states that know their size and come back from their bytes`(seed: UInt64, order: FoldOrder)
    throws
  {
    var random = SeededRandom(seed: seed)
    let history = try History.random(events: 200, with: &random)
    let projector = ContextProjector()
    var state = projector.initialState()
    var stored = projector.initialState()
    try history.forEach(by: order) { index, event in
      try #require(state.encodedSize == state.bytes.count, "seed \(seed), after event \(index)")
      stored = try ContextState.decode(state.bytes)
      try #require(stored.bytes == state.bytes, "seed \(seed), after event \(index)")
      // Going on from the bytes is the same as going on.
      if event.isRedacted {
        try projector.applyRedacted(event, to: &state)
        try projector.applyRedacted(event, to: &stored)
      } else {
        try projector.apply(event, to: &state)
        try projector.apply(event, to: &stored)
      }
      try #require(stored == state, "seed \(seed), after event \(index)")
    }
  }

  @Test func `the parts folded alone are the parts of the whole`() throws {
    var random = SeededRandom(seed: 99)
    let history = try History.random(events: 300, with: &random)
    let whole = try history.fold(ContextProjector())
    #expect(try history.fold(MessageProjector()).bytes == whole.messages.bytes)
    #expect(try history.fold(SessionProjector()).bytes == whole.sessions.bytes)
    #expect(try history.fold(FactProjector()).bytes == whole.facts.bytes)
    #expect(try history.fold(PreferenceProjector()).bytes == whole.preferences.bytes)
    #expect(try history.fold(RelationshipProjector()).bytes == whole.relationships.bytes)
    #expect(try history.fold(EpisodeProjector()).bytes == whole.episodes.bytes)
    #expect(try history.fold(ProfileProjector()).bytes == whole.preferences.bytes + whole.facts.bytes)
  }

  @Test func `equal histories at other places in the log and other recorded times give equal states`() throws {
    var random = SeededRandom(seed: 5)
    let history = try History.random(events: 100, with: &random)
    let projector = ContextProjector()
    var moved = projector.initialState()
    try history.forEach { _, event in
      let copy = EventView(
        version: event.version, position: LogPosition(event.position.number + 1_000), id: event.id,
        type: event.type, isRedacted: event.isRedacted, typeVersion: event.typeVersion,
        occurredAt: event.occurredAt, recordedAt: .latest, customType: event.customType,
        metadata: event.metadata, payload: event.payload, sessionNumber: event.sessionNumber,
        isSessionNamedBefore: event.isSessionNamedBefore, hasSessionName: event.hasSessionName,
        sessionName: event.sessionName)
      if copy.isRedacted {
        try projector.applyRedacted(copy, to: &moved)
      } else {
        try projector.apply(copy, to: &moved)
      }
    }
    #expect(try history.fold(projector) == moved)
  }
}

// Too much for random histories to come upon.
@Suite struct `A state holds no more than it promises` {
  @Test func `of sessions that ended, the twenty that did so last`() throws {
    var history = History()
    for number in 1...25 {
      try history.append(.sessionEnded(SessionEnded()), session: "s-\(number)", at: number <= 2 ? 100 : number)
    }
    for order in FoldOrder.allCases {
      let state = try history.fold(SessionProjector(), by: order)
      #expect(state.total == 25)
      #expect(state.ended.map(\.number.number) == Array(8...25) + [1, 2])
    }
  }

  @Test func `of the events that revised a fact, the twenty latest`() throws {
    var history = History()
    try history.append(
      .factLearned(FactLearned(fact: "f", category: "c", confidence: 1, factID: FactID("f"))))
    for _ in 1...25 { try history.append(.factRevised(FactRevised(factID: FactID("f")))) }
    let fact = try #require(try history.fold(FactProjector())[FactID("f")])
    #expect(fact.revisedBy.events.map(\.version.number) == Array(7...26))
  }

  @Test func `of compacted summaries, the twenty latest`() throws {
    var history = History()
    for _ in 1...22 {
      try history.append(.sessionsCompacted(SessionsCompacted(sessions: [SessionID("s")], summary: "")))
    }
    #expect(try history.fold(SessionProjector()).compacted.map(\.origin.version.number) == Array(3...22))
  }

  @Test func `and of sessions active at the same time counts the later version as the later`() throws {
    var history = History()
    for session in ["a", "b", "a"] {
      try history.append(.messageAdded(MessageAdded(role: .user, content: "")), session: session, at: 1)
    }
    #expect(try history.fold(SessionProjector()).mostActive(1).map(\.id.description) == ["a"])
  }
}

@Suite struct `Damaged bytes of a state` {
  @Test(arguments: 1...8) func `are refused or read as another state, and never trap`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let history = try History.random(events: 120, with: &random)
    let whole = try history.fold(ContextProjector()).bytes
    for _ in 0..<400 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      guard let state = try? ContextState.decode(bytes) else { continue }
      #expect(state.encodedSize == state.bytes.count)
    }
  }

  @Test func `of random bytes are refused`() throws {
    var random = SeededRandom(seed: 1)
    for _ in 0..<2_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...200, using: &random) {
        bytes.append(UInt8.random(in: 0...255, using: &random))
      }
      guard let state = try? ContextState.decode(bytes) else { continue }
      #expect(state.encodedSize == state.bytes.count)
    }
  }

  @Test func `of a payload make the fold fail`() throws {
    var random = SeededRandom(seed: 3)
    let projector = ContextProjector()
    var state = projector.initialState()
    for number in 1...4_000 {
      var history = History()
      let type = EventTypeCode(UInt8.random(in: 1...11, using: &random))
      var payload: [UInt8] = []
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        payload.append(
          UInt8.random(in: 0...255, using: &random) & (Bool.random(using: &random) ? 0x0f : 0xff))
      }
      history.append(
        EventData(id: History.id(number), type: type, session: try SessionID("s-\(number)"), payload: payload)
      )
      try? history.forEach { _, event in try projector.apply(event, to: &state) }
      #expect(state.encodedSize == state.bytes.count)
    }
  }
}

@Suite struct `A set of keys` {
  @Test func `holds what was inserted, in bursts and out of order, and comes back from its bytes`() throws {
    var random = SeededRandom(seed: 11)
    var set = KeySet()
    var model: Set<ItemKey> = []
    for _ in 0..<5_000 {
      let key = ItemKey(
        high: UInt64.random(in: 0...9_000, using: &random), low: 1, isName: Bool.random(using: &random))
      #expect(set.contains(key) == model.contains(key))
      if model.insert(key).inserted { set.insert(key) }
    }
    var writer = ByteWriter()
    set.encode(into: &writer)
    #expect(writer.count == set.encodedSize)
    let bytes = writer.bytes
    var reader = ByteReader(bytes.rawSpan)
    let again = try KeySet(decoding: &reader)
    #expect(again.count == model.count)
    for key in model { #expect(again.contains(key)) }
  }
}
