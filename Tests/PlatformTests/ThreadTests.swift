// Threads that work for each other.
import Platform
import Synchronization
import Testing

@Suite struct `Threads` {
  @Test func `a thread runs under its name and can be waited for`() throws {
    let name = Mutex<[UInt8]?>(nil)
    let thread = try DedicatedThread(name: "memoir-writer-and-more") {
      name.withLock { $0 = try? Files.read("/proc/thread-self/comm") }
    }
    thread.join()
    thread.join()
    #expect(name.withLock { $0 } == Array("memoir-writer-a\n".utf8))
  }

  @Test func `a sleeper wakes for work and is told when there was none`() throws {
    let wakeup = Wakeup()
    let begin = MonotonicClock.nanoseconds
    #expect(!wakeup.wait(until: begin + 5_000_000))
    #expect(MonotonicClock.nanoseconds >= begin + 5_000_000)
    wakeup.wake()
    wakeup.wake()
    #expect(wakeup.wait())
    #expect(!wakeup.wait(until: 0))

    let thread = try DedicatedThread(name: "waker") {
      MonotonicClock.sleep(nanoseconds: 2_000_000)
      wakeup.wake()
    }
    #expect(wakeup.wait())
    thread.join()
  }

  @Test func `threads hand each other every item once`() throws {
    let queue = Monitor<(items: [Int], isDone: Bool)>((items: [], isDone: false))
    let total = Mutex(0)
    let threads = try (0..<4).map { _ in
      try DedicatedThread(name: "consumer") {
        while true {
          let item: Int?? = queue.wait(for: { state -> Int?? in
            if let item = state.items.popLast() { return .some(item) }
            return state.isDone ? .some(nil) : nil
          })
          guard let item, let item else { return }
          total.withLock { $0 += item }
        }
      }
    }
    for n in 1...10_000 { queue.change { $0.items.append(n) } }
    queue.change { $0.isDone = true }
    for thread in threads { thread.join() }
    #expect(total.withLock { $0 } == 50_005_000)
  }

  @Test func `a thread that waits is not woken by a change that nobody waits for, and looks again when woken`() throws {
    let looks = Monitor(0)
    let state = Monitor(0)
    let thread = try DedicatedThread(name: "waiter") {
      _ = state.wait { state -> Bool? in
        looks.change { $0 += 1 }
        return state == 2 ? true : nil
      }
    }
    _ = looks.wait { $0 == 1 ? true : nil }
    for _ in 0..<2 { state.withLock { $0 += 1 } }
    MonotonicClock.sleep(nanoseconds: 5_000_000)
    #expect(looks.withLock { $0 } == 1)
    state.wake()
    thread.join()
    #expect(looks.withLock { $0 } == 2)
  }

  @Test func `clocks go on`() {
    let begin = MonotonicClock.nanoseconds
    MonotonicClock.sleep(nanoseconds: 1_000_000)
    #expect(MonotonicClock.nanoseconds - begin >= 1_000_000)
    #expect(WallClock.microseconds > 1_700_000_000_000_000)
  }

  @Test func `what surrounds the process`() {
    #expect(CurrentProcess.environment("PATH") != nil)
    #expect(CurrentProcess.environment("NO_SUCH_VARIABLE_HERE") == nil)
    #expect(CurrentProcess.processorCount > 0)
  }
}
