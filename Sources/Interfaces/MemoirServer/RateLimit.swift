// How many requests a caller may make: a bucket for each, which fills as time goes on.
import HTTPServer
import Memoir
import Platform
import Synchronization

/// Holds every caller to so many requests a second.
///
/// A bucket holds as much as fills it in ten seconds: whoever rested may hurry for a while.
final class RateLimit: Sendable {
  /// Where a caller stands after a request.
  struct Allowance: Sendable {
    let limit: Int
    let remaining: Int
    /// Unix seconds at which its bucket will be full again.
    let reset: Int64
    /// Seconds to wait, where the request was one too many.
    let retryAfter: Int?

    /// Spelled as clients look them up.
    var headers: [(name: String, value: String)] {
      [
        (name: "X-RateLimit-Limit", value: String(limit)), (name: "X-RateLimit-Remaining", value: String(remaining)),
        (name: "X-RateLimit-Reset", value: String(reset)),
      ]
    }
  }

  private struct Bucket {
    var tokens: Double
    var filledAt: UInt64
  }

  private static let burstSeconds = 10.0
  /// Callers that are remembered; those whose buckets are full are the first to be forgotten, which changes nothing.
  private static let memory = 65_536

  private let rate: Double
  private let capacity: Double
  private let clock: @Sendable () -> UInt64
  private let buckets = Mutex<[String: Bucket]>([:])

  /// - Parameter rate: Requests a second.
  /// - Parameter clock: Nanoseconds of time that only goes forward.
  init(rate: Int, clock: @escaping @Sendable () -> UInt64 = { MonotonicClock.nanoseconds }) {
    self.rate = Double(max(1, rate))
    capacity = self.rate * Self.burstSeconds
    self.clock = clock
  }

  /// Takes a request of a caller's allowance.
  func take(for caller: String) -> Allowance {
    let now = clock()
    let (left, isAllowed) = buckets.withLock { buckets in
      if buckets[caller] == nil, buckets.count >= Self.memory { forgetIdle(&buckets, now) }
      var bucket = buckets[caller] ?? Bucket(tokens: capacity, filledAt: now)
      bucket.tokens = tokens(of: bucket, at: now)
      bucket.filledAt = max(bucket.filledAt, now)
      let isAllowed = bucket.tokens >= 1
      if isAllowed { bucket.tokens -= 1 }
      buckets[caller] = bucket
      return (bucket.tokens, isAllowed)
    }
    let fullIn = (capacity - left) / rate
    return Allowance(
      limit: Int(capacity), remaining: Int(left),
      reset: (WallClock.microseconds + Int64(fullIn * 1e6) + 999_999) / 1_000_000,
      retryAfter: isAllowed ? nil : max(1, Int(((1 - left) / rate).rounded(.up))))
  }

  private func tokens(of bucket: Bucket, at now: UInt64) -> Double {
    let seconds = now > bucket.filledAt ? Double(now - bucket.filledAt) / 1e9 : 0
    return min(capacity, bucket.tokens + seconds * rate)
  }

  private func forgetIdle(_ buckets: inout [String: Bucket], _ now: UInt64) {
    buckets = buckets.filter { tokens(of: $0.value, at: now) < capacity }
    // All of them are busy: then all begin anew, which is generous and bounded.
    if buckets.count >= Self.memory { buckets.removeAll() }
  }
}

extension Service {
  /// Holds a request's caller to its allowance: a key to its own, whoever has none to that of the address.
  ///
  /// - Throws: `rate_limited`.
  func admit(_ note: inout RequestNote, to route: Route) throws(MemoirError) {
    // Whoever looks whether the server is well is not kept from it.
    guard let rateLimit, route.access != .open else { return }
    let caller = note.caller.flatMap { $0 == "local" ? nil : $0 } ?? "peer " + note.peer
    let allowance = rateLimit.take(for: caller)
    note.allowance = allowance
    guard let seconds = allowance.retryAfter else { return }
    throw MemoirError(
      .rateLimited, "too many requests; come again in \(seconds) s",
      details: .members(("retry_after", String(seconds))))
  }
}
