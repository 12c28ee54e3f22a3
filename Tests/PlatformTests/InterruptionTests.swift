// A signal is noticed. A suite of its own: what came stays noticed for the rest of the process.
import Glibc
import Platform
import Testing

@Suite struct `A signal that asks to end` {
  @Test func `is told, and ends nothing`() throws {
    try Interruption.watch()
    #expect(Interruption.signal == nil)
    #expect(kill(getpid(), SIGTERM) == 0)
    let deadline = MonotonicClock.nanoseconds + 10_000_000_000
    while Interruption.signal == nil, MonotonicClock.nanoseconds < deadline {
      MonotonicClock.sleep(nanoseconds: 1_000_000)
    }
    #expect(Interruption.signal == SIGTERM)
  }
}
