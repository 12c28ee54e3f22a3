// Requests that are refused: why, and what they leave behind.
import EventStore
import TestSupport
import Testing

@Suite struct `A refused append` {
  // The conflict named the stream of the request's first append, or of its last conflict, with another's ids.
  @Test func `names the stream whose ids are taken`() throws {
    let store = try TemporaryStore()
    try store.append(Diary.written("a", "1", id: .number(1)), to: .alice)
    try store.append(Diary.written("a", "1", id: .number(2)), to: .bob)
    let others = Diary.written("a", "else", id: .number(1))

    #expect(throws: AppendError.idConflict(stream: .alice, ids: [.number(1), .number(2)], isErased: false)) {
      try store.log.appendAndWait([
        StreamAppend([others], to: .alice),
        StreamAppend([Diary.written("a", "else", id: .number(2))], to: .bob),
      ])
    }
    #expect(throws: AppendError.idConflict(stream: .alice, ids: [.number(1)], isErased: false)) {
      try store.log.appendAndWait([
        StreamAppend([Diary.written("b", "new", id: .number(3))], to: .bob),
        StreamAppend([Diary.written("a", "1", id: .number(1))], to: .alice),
      ])
    }
    #expect(try store.log.lastPosition() == 2)
  }
}
