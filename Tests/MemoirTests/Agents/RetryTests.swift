// Reading, deciding, appending: what happens when others come in between.
import EventStore
import JSON
import Memoir
import Synchronization
import TestSupport
import Testing

/// Appends one to a counter kept as a preference.
private func count(_ desk: Desk, retry: RetryPolicy = RetryPolicy(attempts: 500)) async throws -> Updated<Int> {
  try await desk.store.update(desk.bob, retry: retry) { state throws(MemoirError) in
    let next = (state?.state.preferences["count"].flatMap { Int($0.value.description) } ?? 0) + 1
    return Decision(append: [try desk.counted(next)], result: next)
  }
}

extension Desk {
  fileprivate func counted(_ number: Int) throws(MemoirError) -> EventData {
    do {
      let value = try JSONText(parsing: "\(number)")
      return try store.event(.preferenceUpdated(try PreferenceUpdated(key: "count", value: value)))
    } catch {
      throw MemoirError(error)
    }
  }
}

@Suite struct `Updating` {
  @Test func `decides on the state there is, and says what became of it`() async throws {
    let desk = try Desk()
    let first = try await count(desk)
    #expect(first.result == 1 && first.version == 1 && first.eventIDs.count == 1)
    #expect(try await count(desk).result == 2)
    let nothing = try await desk.store.update(desk.bob) { state throws(MemoirError) in
      .nothing(state?.version ?? 0)
    }
    #expect(nothing.result == 2 && nothing.version == 2 && nothing.eventIDs.isEmpty)
    #expect(try desk.store.log.version(of: desk.bob) == 2)
  }

  @Test func `of many tasks counts each of them`() async throws {
    let desk = try Desk()
    let results = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<24 { group.addTask { try await count(desk).result } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.sorted() == Array(1...24))
    #expect(try desk.store.state(of: desk.bob).state.preferences["count"]?.value.description == "24")
  }

  @Test func `gives up with the conflict after as many attempts as are allowed`() async throws {
    let desk = try Desk()
    let calls = Mutex(0)
    // Somebody else is quicker, each time.
    func decide(_ attempts: Int) async throws -> Updated<Int> {
      let policy = RetryPolicy(attempts: attempts, firstDelay: .microseconds(10), longestDelay: .microseconds(20))
      return try await desk.store.update(desk.bob, retry: policy) { state throws(MemoirError) in
        let call = calls.withLock { calls in
          calls += 1
          return calls
        }
        let other = try desk.counted(-call)
        do { _ = try desk.store.log.appendAndWait([StreamAppend([other], to: desk.bob)]) } catch {
          throw MemoirError(error)
        }
        return Decision(append: [try desk.counted(call)], result: call)
      }
    }
    #expect(await code { _ = try await decide(4) } == .versionConflict)
    #expect(calls.withLock { $0 } == 4)
    #expect(await code { _ = try await decide(1) } == .versionConflict)
    #expect(calls.withLock { $0 } == 5)
    #expect(try desk.store.log.version(of: desk.bob) == 5)
  }

  @Test func `hands on what the decision throws, at once`() async throws {
    let desk = try Desk()
    let calls = Mutex(0)
    let error = await code {
      _ = try await desk.store.update(desk.bob) { _ throws(MemoirError) -> Decision<Int> in
        calls.withLock { $0 += 1 }
        throw MemoirError(.versionConflict, "mine")
      }
    }
    #expect(error == .versionConflict && calls.withLock { $0 } == 1)
  }

  @Test func `ends with the conflict when its task is cancelled`() async throws {
    let desk = try Desk()
    let policy = RetryPolicy(attempts: .max, firstDelay: .seconds(100), longestDelay: .seconds(100))
    let task = Task {
      await code {
        _ = try await desk.store.update(desk.bob, retry: policy) { _ throws(MemoirError) -> Decision<Int> in
          do { _ = try desk.store.log.appendAndWait([StreamAppend([try desk.counted(0)], to: desk.bob)]) } catch {
            throw MemoirError(error)
          }
          return Decision(append: [try desk.counted(1)], result: 1)
        }
      }
    }
    while try desk.store.log.version(of: desk.bob) == 0 { try await Task.sleep(for: .milliseconds(1)) }
    task.cancel()
    #expect(await task.value == .versionConflict)
  }
}

@Suite struct `The pause before another attempt` {
  @Test func `doubles up to the longest, and half of it is left to chance`() {
    let policy = RetryPolicy(attempts: 9, firstDelay: .milliseconds(10), longestDelay: .milliseconds(50))
    var random = SeededRandom(seed: 1)
    for (attempt, longest) in [(1, 10), (2, 20), (3, 40), (4, 50), (5, 50), (1_000, 50)] {
      var delays: Set<Duration> = []
      for _ in 1...100 {
        let delay = policy.delay(afterAttempt: attempt, using: &random)
        #expect(delay >= .milliseconds(longest) / 2 && delay <= .milliseconds(longest))
        delays.insert(delay)
      }
      #expect(delays.count > 50)
    }
    #expect(RetryPolicy(attempts: -3).attempts == 1)
    #expect(
      RetryPolicy(attempts: 1, firstDelay: .zero, longestDelay: .zero).delay(afterAttempt: 9, using: &random) == .zero)
  }
}
