// A signal is noticed. A suite of its own: what came stays noticed for the rest of the process.
import Glibc
import Platform
import Testing

@Suite struct `A signal that asks to end` {
  @Test func `ends a wait and is told`() throws {
    try Interruption.watch()
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    let source = Descriptor(owning: ends[0]), sink = Descriptor(owning: ends[1])
    #expect(try Interruption.wait(for: source, timeout: 1) == .timedOut)
    try sink.write("x")
    #expect(try Interruption.wait(for: source) == .readable)
    #expect(try source.read(upTo: 10) == [UInt8(ascii: "x")])

    let thread = try DedicatedThread(name: "signal") {
      MonotonicClock.sleep(nanoseconds: 2_000_000)
      kill(getpid(), SIGTERM)
    }
    #expect(try Interruption.wait(for: source) == .interrupted)
    #expect(Interruption.signal == SIGTERM)
    thread.join()
  }
}
