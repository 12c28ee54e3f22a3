// Head states in memory: an offer of bounded size.
import TestSupport
import Testing

@testable import EventStore

@Suite struct `The cache of head states` {
  private func key(_ stream: Int) throws -> HeadCache.Key {
    HeadCache.Key(
      stream: StreamName(try UserID("user-\(stream)")),
      projector: ProjectorIdentity(NotebookProjector(), schema: Diary.schema))
  }

  private func entry(_ version: StreamVersion, size: Int = 1_000, commit: UInt64 = 1) -> HeadCache.Entry {
    HeadCache.Entry(
      version: version, redactions: 0, commit: commit, bytesSinceSnapshot: 0, box: StateBox(version), sizeInBytes: size)
  }

  @Test func `lets go of what was not used lately, and keeps to its limit`() throws {
    let cache = HeadCache(limit: 5_000)
    for stream in 1...3 { cache.put(entry(1), try key(stream)) }
    #expect(try cache.entry(key(1), for: 1, redactions: 0, in: 1) != nil)
    cache.put(entry(1), try key(4))
    #expect(try cache.entry(key(2), for: 1, redactions: 0, in: 1) == nil)
    for stream in [1, 3, 4] {
      #expect(try cache.entry(key(stream), for: 1, redactions: 0, in: 1) != nil, "\(stream)")
    }
    cache.put(entry(1, size: 5_000), try key(5))
    #expect(try cache.entry(key(5), for: 1, redactions: 0, in: 1) == nil, "larger than all the room there is")
    #expect(cache.statistics.sizeInBytes <= 5_000)
  }

  @Test func `is not put back by a slower reader`() throws {
    let cache = HeadCache(limit: 5_000)
    cache.put(entry(7), try key(1))
    cache.put(entry(6), try key(1))
    #expect(try cache.entry(key(1), for: 7, redactions: 0, in: 1)?.version == 7)
  }

  @Test func `offers nothing newer than the view, nor of before a redaction`() throws {
    let cache = HeadCache(limit: 5_000)
    cache.put(entry(7), try key(1))
    #expect(try cache.entry(key(1), for: 6, redactions: 0, in: 1) == nil)
    #expect(try cache.entry(key(1), for: 7, redactions: 1, in: 1) == nil)
  }

  @Test func `offers a state without a look at the log only in the commit it was last compared in`() throws {
    let cache = HeadCache(limit: 5_000)
    cache.put(entry(7, commit: 3), try key(1))
    #expect(try cache.entry(key(1), in: 3)?.version == 7)
    #expect(try cache.entry(key(1), in: 4) == nil)
    #expect(try cache.entry(key(1), for: 7, redactions: 0, in: 4)?.version == 7, "compared in commit 4")
    #expect(try cache.entry(key(1), in: 4)?.version == 7)
    #expect(try cache.entry(key(1), for: 7, redactions: 0, in: 2)?.version == 7, "an older view")
    #expect(try cache.entry(key(1), in: 4)?.version == 7)
    #expect(try cache.entry(key(1), for: 8, redactions: 0, in: 5)?.version == 7, "to be gone on from")
    #expect(try cache.entry(key(1), in: 4) == nil)
  }

  @Test func `keeps what is made of a state beside it, within its limit, until the state goes`() throws {
    final class Text: Sendable {}
    let cache = HeadCache(limit: 5_000)
    let state = entry(1)
    cache.put(state, try key(1))
    let text = Text()
    cache.keep(HeadCache.Companion(value: text, sizeInBytes: 1_000), beside: state.box, try key(1))
    #expect(try cache.entry(key(1), in: 1)?.companion?.value === text)
    #expect(cache.statistics.sizeInBytes > 2_000)

    cache.keep(HeadCache.Companion(value: Text(), sizeInBytes: 5_000), beside: state.box, try key(1))
    #expect(try cache.entry(key(1), in: 1)?.companion?.value === text, "too large to be kept")
    cache.keep(HeadCache.Companion(value: Text(), sizeInBytes: 1), beside: entry(1).box, try key(1))
    #expect(try cache.entry(key(1), in: 1)?.companion?.value === text, "of another state")

    cache.put(entry(2), try key(1))
    #expect(try cache.entry(key(1), in: 1)?.companion == nil)
    #expect(cache.statistics.sizeInBytes < 2_000)
  }
}
