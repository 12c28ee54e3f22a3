// What the server and its store do, in the text form that Prometheus reads.
import HTTPServer
import Memoir
import Synchronization

extension MemoirServer {
  static let metricRoutes: [Route] = [
    Route(
      .get, "/metrics", "metrics", access: .anyKey,
      summary: "What the server and its store do, for Prometheus. Says nothing of people.",
      answers: [.other(type: MetricsText.type)],
      .quick { call in
        var text = MetricsText()
        try call.service.write(to: &text)
        return Reply(body: .other(type: MetricsText.type, Array(text.text.utf8)))
      })
  ]
}

/// The server through which requests come: it holds what answers them, and is not held by it.
final class Door: Sendable {
  private struct Reference {
    weak var server: HTTPServer?
  }

  private let reference = Mutex(Reference())

  var server: HTTPServer? { reference.withLock { $0.server } }
  func set(_ server: HTTPServer) { reference.withLock { $0.server = server } }
}

extension Service {
  fileprivate func write(to text: inout MetricsText) throws {
    let engine = try store.log.metrics()
    text.counter("memoir_events_appended_total", "Events appended by this process.", engine.eventsAppended)
    text.histogram("memoir_commit_requests", "Requests that share a commit.", [([], engine.commitSizes)])
    text.histogram(
      "memoir_commit_seconds", "Time that commits took to reach the disk.", [([], engine.commitSeconds)])
    text.counter("memoir_folds_total", "Folds of events to states.", engine.folds)
    text.counter("memoir_folded_events_total", "Events folded.", engine.eventsFolded)
    text.counter("memoir_folded_bytes_total", "Bytes of the events folded.", engine.bytesFolded)
    text.counter("memoir_state_cache_hits_total", "Head states that were kept decoded.", engine.cacheHits)
    text.counter("memoir_state_cache_misses_total", "Head states that were not.", engine.cacheMisses)
    text.gauge("memoir_state_cache_entries", "Head states kept decoded.", engine.cacheEntries)
    text.gauge("memoir_state_cache_bytes", "Their bytes.", engine.cacheBytes)
    text.gauge("memoir_snapshot_bytes", "Bytes of the pages that hold snapshots.", engine.snapshotBytes)
    text.gauge("memoir_snapshots", "Snapshots stored.", engine.snapshots)
    text.gauge("memoir_snapshots_due", "Snapshots that wait for a commit.", engine.snapshotsDue)
    text.gauge("memoir_tail_events", "Events that no run holds yet.", Int(clamping: engine.tailEvents))
    text.gauge("memoir_last_position", "The last position of the log.", Int(clamping: engine.lastPosition.number))
    text.gauge("memoir_readers", "Readers at work, in all processes.", engine.readers)
    text.gauge("memoir_file_bytes", "Bytes of the data file.", engine.fileBytes)

    let server = door.server
    text.gauge("memoir_http_connections", "Connections that stand.", server?.connectionCount ?? 0)
    text.gauge("memoir_http_requests_running", "Requests being answered.", server?.requestCount ?? 0)
    text.gauge("memoir_http_live_streams", "Live answers being sent.", server?.liveCount ?? 0)
    text.histogram(
      "memoir_http_request_seconds", "Time from a request's arrival to its answer.",
      metrics.counts.map { count in
        ([("operation", count.key.operation), ("status", String(count.key.status))], count.seconds)
      })

    guard let questions = store.embeddedQuestions else { return }
    text.counter("memoir_embedder_questions_total", "Questions sent to the embedding model.", questions.asked)
    text.counter("memoir_embedder_question_failures_total", "Questions that it did not answer.", questions.failed)
    guard let status = store.embeddingStatus else { return }
    text.counter("memoir_embedded_texts_total", "Texts embedded.", status.embedded)
    text.counter("memoir_embedder_refused_texts_total", "Texts that the model refused.", status.refused)
    text.counter("memoir_embedder_failures_total", "Times that embedding had to wait and try again.", status.failures)
    text.gauge("memoir_embedding_caught_up", "1 where every text has its vector.", status.isCaughtUp ? 1 : 0)
  }
}

/// Writes the text form of Prometheus, version 0.0.4.
struct MetricsText {
  static let type = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var text = ""

  mutating func counter(_ name: String, _ help: String, _ value: Int) { family(name, help, "counter", value) }
  mutating func gauge(_ name: String, _ help: String, _ value: Int) { family(name, help, "gauge", value) }

  private mutating func family(_ name: String, _ help: String, _ type: String, _ value: Int) {
    begin(name, help, type)
    text += "\(name) \(value)\n"
  }

  private mutating func begin(_ name: String, _ help: String, _ type: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  /// - Parameter series: Labels, whose values have neither quotes nor backslashes, and counts.
  mutating func histogram(
    _ name: String, _ help: String, _ series: [(labels: [(name: String, value: String)], counts: HistogramCounts)]
  ) {
    begin(name, help, "histogram")
    for (labels, counts) in series {
      let own = labels.map { "\($0.name)=\"\($0.value)\"" }
      var sum = 0
      for (bound, count) in zip(counts.bounds, counts.counts) {
        sum += count
        text += "\(name)_bucket{\((own + ["le=\"\(Self.number(bound))\""]).joined(separator: ","))} \(sum)\n"
      }
      text += "\(name)_bucket{\((own + ["le=\"+Inf\""]).joined(separator: ","))} \(counts.total)\n"
      let braces = own.isEmpty ? "" : "{\(own.joined(separator: ","))}"
      text += "\(name)_sum\(braces) \(Self.number(counts.sum))\n\(name)_count\(braces) \(counts.total)\n"
    }
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
  }
}
