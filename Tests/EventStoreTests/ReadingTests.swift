// Readings at the edges of what there is.
import EventStore
import TestSupport
import Testing

private func note(_ number: Int) -> EventData { Diary.written("k", "text", id: .number(number)) }

@Suite struct `Points and pages at the ends of numbers` {
  // The position after the last number there is was asked for, and trapped.
  @Test func `are answered`() throws {
    let store = try TemporaryStore()
    for number in 1...3 { try store.append(note(number)) }
    let log = store.log
    let last = LogPosition(.max)
    #expect(try log.readAll(after: last).events.isEmpty)
    #expect(try log.readAll(after: last, direction: .backward).events.count == 3)
    #expect(try log.readAll(after: 0, to: last).events.count == 3)
    #expect(try log.readAll(after: 0, direction: .backward).events.isEmpty)
    #expect(try log.readAll(after: 0, limit: 1).next == 1)
    #expect(try log.readStream(.bob, from: StreamVersion(.max)).events.isEmpty)
    #expect(try log.readStream(.bob, from: StreamVersion(.max), direction: .backward).events.count == 3)
    #expect(try log.readStream(.bob, from: 0, to: StreamVersion(.max)).events.count == 3)
    #expect(try log.event(at: StreamVersion(.max), of: .bob) == nil)
    #expect(try log.event(at: 0, of: .bob) == nil)
    for point: AsOf in [.version(StreamVersion(.max)), .position(last), .recordedAt(.latest)] {
      #expect(throws: ReadError.self) { try store.notebook(at: point) }
    }
    #expect(try store.notebook(at: .occurredAt(.latest))?.events == 3)
    #expect(try store.notebook(at: .occurredAt(.earliest))?.events == 0)
    #expect(try store.notebook(of: .alice) == nil)
  }

  @Test(arguments: [1, 65_536]) func `are looked up version by version as one by one`(blockSize: Int) throws {
    var options = EventLog.Options()
    options.blockSize = blockSize
    let store = try TemporaryStore(options)
    for number in 1...9 { try store.append(note(number)) }
    let versions: [StreamVersion] = [3, 1, 9, 0, 10, StreamVersion(.max), 3]
    let events = try store.log.events(at: versions, of: .bob)
    #expect(events.map(\.version) == [3, 1, 9, 3])
    for event in events {
      let alone = try #require(try store.log.event(at: event.version, of: .bob))
      #expect(event.id == alone.id && event.payload == alone.payload && event.position == alone.position)
    }
    #expect(try store.log.events(at: [], of: .bob).isEmpty)
    #expect(try store.log.events(at: [1], of: .alice).isEmpty)
  }

  // A page of the streams of a namespace that goes on after a stream of one before it came out empty.
  @Test(arguments: [1, 65_536]) func `go on after a stream of another namespace`(blockSize: Int)
    throws
  {
    var options = EventLog.Options()
    options.blockSize = blockSize
    let store = try TemporaryStore(options)
    let streams = ["a", "b", "c"].map { StreamName.named("bob", in: $0) }
    let zoe = StreamName.named("zoe", in: "a")
    for stream in [zoe] + streams {
      for number in 1...4 { try store.append(note(number), to: stream) }
    }
    // Until the tables have taken over all but the last stream.
    for number in 5...40 { try store.append(note(number), to: streams[2]) }
    func names(_ namespace: Int, after stream: Int) throws -> [StreamName] {
      try store.log.streams(in: streams[namespace].namespace, after: streams[stream]).map(\.name)
    }
    #expect(try names(1, after: 0) == [streams[1]])
    #expect(try names(1, after: 1) == [])
    #expect(try names(1, after: 2) == [])
    #expect(try store.log.streams(after: streams[0]).map(\.name) == [zoe, streams[1], streams[2]])
  }
}
