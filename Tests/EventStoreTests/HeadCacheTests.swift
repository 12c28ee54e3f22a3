// Head states in memory: an offer of bounded size.
import TestSupport
import Testing

@testable import EventStore

@Suite struct `The cache of head states` {
  private func key(_ stream: StreamNumber) -> HeadCache.Key {
    HeadCache.Key(stream: stream, projector: ProjectorKey(NotebookProjector(), Diary.schema))
  }

  private func entry(_ version: StreamVersion, size: Int = 1_000) -> HeadCache.Entry {
    HeadCache.Entry(version: version, redactions: 0, bytesSinceSnapshot: 0, box: StateBox(version), sizeInBytes: size)
  }

  @Test func `lets go of what was used least recently, and keeps to its limit`() {
    let cache = HeadCache(limit: 5_000)
    for stream: StreamNumber in 1...3 { cache.put(entry(1), key(stream)) }
    #expect(cache.entry(key(1), for: 1, redactions: 0) != nil)
    cache.put(entry(1), key(4))
    #expect(cache.entry(key(2), for: 1, redactions: 0) == nil)
    for stream: StreamNumber in [1, 3, 4] {
      #expect(cache.entry(key(stream), for: 1, redactions: 0) != nil, "\(stream)")
    }
    cache.put(entry(1, size: 5_000), key(5))
    #expect(cache.entry(key(5), for: 1, redactions: 0) == nil, "larger than all the room there is")
    #expect(cache.statistics.sizeInBytes <= 5_000)
  }

  @Test func `is not put back by a slower reader`() {
    let cache = HeadCache(limit: 5_000)
    cache.put(entry(7), key(1))
    cache.put(entry(6), key(1))
    #expect(cache.entry(key(1), for: 7, redactions: 0)?.version == 7)
  }

  @Test func `offers nothing newer than the view, nor of before a redaction`() {
    let cache = HeadCache(limit: 5_000)
    cache.put(entry(7), key(1))
    #expect(cache.entry(key(1), for: 6, redactions: 0) == nil)
    #expect(cache.entry(key(1), for: 7, redactions: 1) == nil)
  }
}
