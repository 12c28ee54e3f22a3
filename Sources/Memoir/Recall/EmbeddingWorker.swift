// Making vectors of texts beside the appends: what is missing first, then what comes.
//
// How far a stream has come is what its vectors say: they are made in the order of its versions, so that every text up to
// the last vector has one, or is noted as refused. A batch is stored whole or not at all. So nothing is kept besides, and
// whoever goes on where another stopped, or does the same at the same time, loses and doubles nothing.
internal import Bytes
internal import EventStore
internal import Synchronization

/// How far the embedding beside the appends has come.
public struct EmbeddingStatus: Sendable {
  /// Texts embedded since it began.
  public var embedded = 0
  /// Texts that the model refused, each by itself; they are noted, and not sent again.
  public var refused = 0
  /// How often it had to wait and try again.
  public var failures = 0
  /// Whether all texts of the store had a vector when it last looked.
  public var isCaughtUp = false
  /// Why it is waiting to try again; `nil` while it goes well.
  public var problem: String?
}

/// The embedding of one store by one model.
final class EmbeddingWorker: Sendable {
  private struct Item: Sendable {
    var stream: StreamName
    var version: StreamVersion
    var kind: MemoryKind
    var text: String
  }

  private let log: EventLog
  private let embedder: any Embedder
  private let kind: DerivedKind
  private let options: SemanticOptions
  private let state = Mutex(EmbeddingStatus())
  private let task = Mutex<Task<Void, Never>?>(nil)
  /// A stream that has vectors, by which new ones are measured.
  private let measured = Mutex<StreamName?>(nil)

  /// More of a text is not sent: models read no further.
  private static let longestText = 8 << 10
  /// Bytes of the texts of a batch.
  private static let largestBatch = 256 << 10
  private static let page = 256
  /// Any model has a vector for it: where this is refused too, it is not the text that is wrong.
  private static let harmlessText = "memory"

  init(_ log: EventLog, _ embedder: any Embedder, _ kind: DerivedKind, _ options: SemanticOptions) {
    self.log = log
    self.embedder = embedder
    self.kind = kind
    self.options = options
  }

  var status: EmbeddingStatus { state.withLock { $0 } }

  /// Begins, unless it has begun.
  func start() {
    task.withLock { task in
      if task == nil { task = Task { [self] in await run() } }
    }
  }

  /// Ends it at the next occasion; a request under way is given up.
  func cancel() { task.withLock { $0 }?.cancel() }

  /// Ends it, and waits until it has ended. It can be started again.
  func stop() async {
    let running = task.withLock { task in
      defer { task = nil }
      return task
    }
    running?.cancel()
    await running?.value
  }

  private func run() async {
    var delay = options.retryDelays.lowerBound
    while !Task.isCancelled {
      do {
        let end = try log.lastPosition()
        try await embedMissing()
        delay = options.retryDelays.lowerBound
        try await follow(after: end)
      } catch is CancellationError {
        return
      } catch StorageError.closed {
        return
      } catch {
        if case ModelError.cancelled = error, Task.isCancelled { return }
        state.withLock { status in
          status.problem = "\(error)"
          status.failures += 1
        }
        let chance = Double.random(in: 0.5...1)
        guard (try? await Task.sleep(for: delay * chance)) != nil else { return }
        delay = min(delay * 2, options.retryDelays.upperBound)
      }
    }
  }

  // MARK: What is missing

  /// Embeds all texts that there are, or those of one namespace, and have no vector.
  ///
  /// - Throws: ``EmbedderError`` or ``StorageError``; what was done until then is kept.
  func embedMissing(in namespace: Namespace? = nil) async throws {
    var batch: [Item] = []
    var after: StreamName?
    repeat {
      let streams = try log.streams(in: namespace, after: after, limit: Self.page)
      after = streams.last?.name
      for stream in streams {
        var next: StreamVersion? = try log.lastDerived(kind, of: stream.name).next
        while let from = next, from <= stream.version {
          let page = try log.readStream(
            stream.name, from: from, to: stream.version, limit: Self.page, filter: EmbeddedText.filter)
          for event in page.events { try await take(event, of: stream.name, into: &batch) }
          next = page.next
        }
      }
    } while after != nil
    try await finish(&batch)
    state.withLock { status in
      if namespace == nil { status.isCaughtUp = true }
      status.problem = nil
    }
  }

  /// Embeds what is appended after `position`, for as long as the task lives.
  private func follow(after position: LogPosition) async throws {
    var position = position
    var batch: [Item] = []
    while true {
      try Task.checkCancellation()
      let page = try log.readAll(after: position, limit: Self.page, filter: EmbeddedText.filter)
      if !page.events.isEmpty { state.withLock { $0.isCaughtUp = false } }
      for event in page.events where try log.lastDerived(kind, of: event.stream) < event.version {
        try await take(event, of: event.stream, into: &batch)
      }
      try await finish(&batch)
      position = page.next ?? max(page.head, position)
      if page.next == nil {
        state.withLock { ($0.isCaughtUp, $0.problem) = (true, nil) }
        await log.waitForEvents(after: position)
      }
    }
  }

  private func take(_ event: RecordedEvent, of stream: StreamName, into batch: inout [Item]) async throws {
    // An event that is damaged says nothing; whoever reads it is told.
    guard let (kind, text) = try? recallText(of: event) else { return }
    let item = Item(
      stream: stream, version: event.version, kind: kind, text: text.beginning(atMost: Self.longestText))
    let size = batch.reduce(item.text.utf8.count) { $0 + $1.text.utf8.count }
    if size > Self.largestBatch { try await finish(&batch) }
    batch.append(item)
    if batch.count == options.batchSize { try await finish(&batch) }
  }

  // MARK: A batch

  /// Embeds and stores a batch.
  private func finish(_ batch: inout [Item]) async throws {
    guard !batch.isEmpty else { return }
    try Task.checkCancellation()
    let vectors = try await vectors(of: batch[...])
    try checkDimension(of: vectors)
    try await store(batch, vectors)
    state.withLock { status in
      let refused = vectors.count { $0 == nil }
      status.refused += refused
      status.embedded += vectors.count - refused
      status.problem = nil
    }
    batch.removeAll(keepingCapacity: true)
  }

  /// A vector for each item; `nil` for one that the model refuses. Which of many it is, halving tells.
  private func vectors(of items: ArraySlice<Item>) async throws(EmbedderError) -> [QuantizedVector?] {
    let problem: EmbedderError
    do throws(EmbedderError) { return try await embedder.quantized(items.map(\.text)) } catch { problem = error }
    switch problem {
    case .refused, .malformed: break
    default: throw problem
    }
    if items.count > 1 {
      let middle = items.startIndex + items.count / 2
      return try await vectors(of: items[..<middle]) + vectors(of: items[middle...])
    }
    // Not where the model refuses everything: one day it may not.
    do throws(EmbedderError) { _ = try await embedder.quantized([Self.harmlessText]) } catch { throw problem }
    return [nil]
  }

  /// Refuses vectors that those stored before, of whomever, cannot be compared with: one of them, stored first, would
  /// keep all later ones of its user from being found.
  private func checkDimension(of vectors: [QuantizedVector?]) throws {
    guard let first = vectors.lazy.compactMap(\.self).first else { return }
    let expected = try storedDimension() ?? first.dimension
    guard let other = vectors.lazy.compactMap(\.self).first(where: { $0.dimension != expected }) else { return }
    throw EmbedderError.malformed(
      reason: """
        the vectors of \(embedder.model) have \(expected) numbers, and it now gives \(other.dimension); if that is \
        meant, 'memoir embed --drop \(embedder.model)' lets all of them be made anew
        """)
  }

  /// The length of the vectors that are stored; `nil` where there are none.
  ///
  /// Read anew each time, from where it was found before: others may drop them.
  private func storedDimension() throws(StorageError) -> Int? {
    if let stream = measured.withLock({ $0 }), let found = try storedDimension(of: stream) { return found }
    var after: StreamName?
    repeat {
      let streams = try log.streams(after: after, limit: Self.page)
      after = streams.last?.name
      for stream in streams {
        guard let found = try storedDimension(of: stream.name) else { continue }
        measured.withLock { $0 = stream.name }
        return found
      }
    } while after != nil
    return nil
  }

  private func storedDimension(of stream: StreamName) throws(StorageError) -> Int? {
    var dimension: Int?
    _ = try log.forEachDerived(kind, of: stream) { _, bytes throws(DamagedBytes) in
      var reader = ByteReader(bytes)
      guard try StoredVector.read(&reader) != nil else { return }
      dimension = reader.remaining
      // The first says it; this ends the reading.
      throw DamagedBytes()
    }
    return dimension
  }

  private func store(_ items: [Item], _ vectors: [QuantizedVector?]) async throws {
    while true {
      // A payload removed meanwhile leaves nothing behind: what is stored, the writer compares with this.
      let redactions = try log.redactionCount()
      var entries: [DerivedEntry] = []
      for (item, vector) in zip(items, vectors) {
        guard let event = try log.event(at: item.version, of: item.stream), !event.isRedacted else { continue }
        let bytes = vector.map { StoredVector.bytes(item.kind, $0) } ?? StoredVector.refused
        entries.append(DerivedEntry(of: item.version, in: item.stream, bytes: bytes))
      }
      if try await log.storeDerived(entries, as: kind, redactions: redactions) { return }
      try Task.checkCancellation()
    }
  }
}
