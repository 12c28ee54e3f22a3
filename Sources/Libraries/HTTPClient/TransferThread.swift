// The thread on which requests are made, side by side.
internal import CMemoirCurl
internal import Platform
internal import Synchronization

/// A request under way, and what came of its answer so far.
final class Transfer: Sendable {
  let request: HTTPRequest
  let limits: HTTPLimits
  private let cancelled = Atomic<Bool>(false)
  private let body = Mutex<[UInt8]>([])

  init(_ request: HTTPRequest, _ limits: HTTPLimits) {
    self.request = request
    self.limits = limits
  }

  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
  func cancel() { cancelled.store(true, ordering: .releasing) }

  /// Takes a piece of the answer.
  ///
  /// - Returns: Whether there is room for it.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    body.withLock { body in
      guard body.count + bytes.count <= limits.answerSize else { return false }
      unsafe body.append(contentsOf: bytes)
      return true
    }
  }

  var received: [UInt8] { body.withLock { $0 } }
}

/// Makes requests on a thread that the first of them starts.
///
/// libcurl's handles belong to that thread; others only put requests into the inbox and wake it.
final class TransferThread: Sendable {
  typealias Completion = @Sendable (Result<HTTPAnswer, HTTPClientError>) -> Void

  // SAFETY: what another thread does with the pointer is what libcurl allows it, to wake.
  @safe
  private struct Inbox: @unchecked Sendable {
    var transfers: OpaquePointer?
    var waiting: [(transfer: Transfer, completion: Completion)] = []
    var isClosed = false
  }

  @safe
  private struct Active {
    let handle: OpaquePointer
    let transfer: Transfer
    let completion: Completion
  }

  private static let isLoaded = memoir_curl_load()
  /// Woken for everything there is to do; this is for nothing.
  private static let longestWait: Int32 = 60_000

  private let inbox = Mutex(Inbox())

  /// Makes a request, and calls `completion` once it has an answer or none.
  func begin(_ transfer: Transfer, _ completion: @escaping Completion) {
    let error = inbox.withLock { inbox -> HTTPClientError? in
      if inbox.isClosed { return .cancelled }
      if unsafe inbox.transfers == nil {
        guard Self.isLoaded, let made = unsafe memoir_curl_transfers_make() else {
          return .failed(reason: "libcurl 7.85 or later (libcurl.so.4) is not there")
        }
        unsafe inbox.transfers = made
        do throws(PlatformError) {
          _ = try DedicatedThread(name: "memoir-http") { [self] in run() }
        } catch {
          unsafe memoir_curl_transfers_free(made)
          unsafe inbox.transfers = nil
          return .failed(reason: error.description)
        }
      }
      inbox.waiting.append((transfer, completion))
      return nil
    }
    if let error { completion(.failure(error)) } else { wake() }
  }

  /// Has the thread look for what is new.
  func wake() {
    inbox.withLock { inbox in
      if let transfers = unsafe inbox.transfers { unsafe memoir_curl_wake(transfers) }
    }
  }

  /// Ends all requests, and the thread with them.
  func close() {
    inbox.withLock { $0.isClosed = true }
    wake()
  }

  private func run() {
    guard let transfers = unsafe inbox.withLock({ unsafe $0.transfers }) else { return }
    var active: [Active] = []
    func finish(_ ended: Active, _ result: Result<HTTPAnswer, HTTPClientError>) {
      unsafe memoir_curl_end(transfers, ended.handle)
      active.removeAll { unsafe $0.handle == ended.handle }
      ended.completion(result)
    }
    while true {
      let (waiting, isClosed) = inbox.withLock { inbox in
        defer { inbox.waiting.removeAll() }
        return (inbox.waiting, inbox.isClosed)
      }
      for (transfer, completion) in waiting {
        if transfer.isCancelled || isClosed {
          completion(.failure(.cancelled))
        } else if let handle = unsafe Self.begin(transfer, in: transfers) {
          unsafe active.append(Active(handle: handle, transfer: transfer, completion: completion))
        } else {
          completion(.failure(.invalid(reason: "libcurl refuses the request")))
        }
      }
      for each in active where isClosed || each.transfer.isCancelled { finish(each, .failure(.cancelled)) }
      if isClosed { break }
      let isAlive = unsafe memoir_curl_perform(transfers)
      var outcome = MEMOIR_CURL_DONE
      while let handle = unsafe memoir_curl_finished(transfers, &outcome) {
        guard let ended = active.first(where: { unsafe $0.handle == handle }) else { continue }
        unsafe finish(ended, Self.result(outcome, handle, ended.transfer))
      }
      if !isAlive {
        for each in active { finish(each, .failure(.failed(reason: "libcurl gave up"))) }
      }
      unsafe memoir_curl_wait(transfers, Self.longestWait)
    }
    // From now on nobody wakes it any more.
    inbox.withLock { unsafe $0.transfers = nil }
    unsafe memoir_curl_transfers_free(transfers)
  }

  private static func begin(_ transfer: Transfer, in transfers: OpaquePointer) -> OpaquePointer? {
    let request = transfer.request
    // A body of more than a megabyte would wait a second for leave to be sent.
    let lines = request.headers.map { "\($0.name): \($0.value)" } + ["Expect:", "User-Agent: memoir"]
    return unsafe withCStrings(lines) { headers in
      unsafe request.address.description.withCString { url in
        unsafe request.body.withUnsafeBufferPointer { body in
          var made = unsafe memoir_curl_request(
            url: url, headers: headers.baseAddress, header_count: headers.count, body: body.baseAddress,
            body_size: body.count, connect_limit: transfer.limits.connecting.milliseconds,
            total_limit: transfer.limits.total.milliseconds, size_limit: Int64(transfer.limits.answerSize),
            is_direct: request.address.isLoopback)
          // Kept by the dictionary of those under way for as long as libcurl may call.
          let owner = unsafe Unmanaged.passUnretained(transfer).toOpaque()
          return unsafe memoir_curl_begin(
            transfers, &made,
            { bytes, count, owner in
              guard let owner = unsafe owner else { return false }
              let transfer = unsafe Unmanaged<Transfer>.fromOpaque(owner).takeUnretainedValue()
              return unsafe transfer.receive(UnsafeRawBufferPointer(start: bytes, count: count))
            }, owner)
        }
      }
    }
  }

  private static func result(
    _ outcome: memoir_curl_outcome, _ handle: OpaquePointer, _ transfer: Transfer
  ) -> Result<HTTPAnswer, HTTPClientError> {
    if outcome == MEMOIR_CURL_DONE {
      let status = unsafe memoir_curl_status(handle)
      if 300..<400 ~= status { return .failure(.redirected(status: status)) }
      let seconds = unsafe memoir_curl_retry_after(handle)
      return .success(
        HTTPAnswer(
          status: status, body: transfer.received, retryAfter: seconds > 0 ? .seconds(seconds) : nil))
    }
    let reason = unsafe memoir_curl_reason(handle).map { unsafe String(cString: $0) } ?? "unknown"
    switch outcome {
    case MEMOIR_CURL_TIMED_OUT: return .failure(.timedOut)
    case MEMOIR_CURL_UNREACHABLE: return .failure(.unreachable(reason: reason))
    case MEMOIR_CURL_INSECURE: return .failure(.insecure(reason: reason))
    case MEMOIR_CURL_TOO_LARGE: return .failure(.tooLarge(limit: transfer.limits.answerSize))
    default: return .failure(.failed(reason: reason))
    }
  }
}

extension Duration {
  /// At least one: none would be no limit.
  fileprivate var milliseconds: Int {
    let (seconds, attoseconds) = components
    return max(
      1,
      Int(clamping: seconds.multipliedReportingOverflow(by: 1_000).partialValue)
        + Int(attoseconds / 1_000_000_000_000_000))
  }
}

/// Lends texts as C strings.
private func withCStrings<Result>(
  _ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  // One block of all of them: the pointers lead into it.
  var block: [CChar] = []
  var offsets: [Int] = []
  for text in texts {
    offsets.append(block.count)
    block += text.utf8.map { CChar(bitPattern: $0) } + [0]
  }
  return unsafe block.withUnsafeBufferPointer { block in
    let pointers = unsafe offsets.map { offset in unsafe block.baseAddress.map { start in unsafe start + offset } }
    return unsafe pointers.withUnsafeBufferPointer(body)
  }
}
