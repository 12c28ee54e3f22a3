// Whatever bytes come in: an answer or an error, never a trap.
import Bytes
import JSON
import TestSupport
import Testing

@testable import EventStore
@testable import Memoir

@Suite struct `Any bytes` {
  @Test(arguments: 1...6) func `are an event that prints and reads back, or are refused`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let history = try History.random(events: 60, with: &random)
    let parser = JSONParser()
    var accepted = 0
    for entry in history.entries where !entry.isRedacted {
      var writer = JSONWriter()
      try EventJSON.write(history.recorded(entry.version), to: &writer)
      let line = writer.finish()
      for _ in 0..<60 {
        var bytes = line
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<4, using: &random) {
          case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.remove(at: place)
          case 2: bytes.insert(UInt8.random(in: 0x20...0x7e, using: &random), at: place)
          default: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)
          }
        }
        guard let event = try? EventJSON.read(bytes.span, with: parser, now: .earliest).event else {
          continue
        }
        accepted += 1
        var again = History()
        again.append(event)
        var printer = JSONWriter()
        try EventJSON.write(again.recorded(1), to: &printer)
        let text = printer.finish()
        let reread = try EventJSON.read(text.span, with: parser, now: .earliest).event
        #expect(reread.payload == event.payload, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        #expect(reread.metadata == event.metadata)
        _ = try MemoirEvent(again.recorded(1))
        _ = try again.fold(ContextProjector())
      }
    }
    #expect(accepted > 0)
  }

  @Test func `as a payload are read, printed or found damaged`() throws {
    var random = SeededRandom(seed: 8)
    for _ in 0..<20_000 {
      var history = History()
      var payload: [UInt8] = []
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        payload.append(
          UInt8.random(in: 0...255, using: &random) & (Bool.random(using: &random) ? 0x0f : 0xff))
      }
      history.append(
        EventData(
          id: History.id(1), type: EventTypeCode(UInt8.random(in: 0...12, using: &random)), customType: "X",
          payload: payload))
      _ = try? MemoirEvent(history.recorded(1))
      var writer = JSONWriter()
      _ = try? EventJSON.writeData(of: history.recorded(1), to: &writer)
      let upcaster = EventSchema.memoir.definition(of: .factLearned)?.upcasters.first
      _ = try? upcaster?.transform(payload.rawSpan)
    }
  }
}
