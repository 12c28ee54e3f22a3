// Standard output and standard error.
import Platform
private import Synchronization

/// Writes to a descriptor, in large pieces where nobody watches.
final class DescriptorSink: TextSink {
  private let descriptor: Descriptor
  private let isBuffered: Bool
  private let waiting = Mutex<[UInt8]>([])

  private static let limit = 1 << 16

  /// - Parameter isBuffered: Whether to hold text back until there is much of it. A terminal is never kept waiting.
  init(_ descriptor: consuming Descriptor, isBuffered: Bool = true) {
    self.isBuffered = isBuffered && !descriptor.isTerminal
    self.descriptor = descriptor
  }

  /// The stream as commands see it.
  func console(environment: (String) -> String?) -> Console {
    Console(sink: self, isTerminal: descriptor.isTerminal, environment: environment) { [self] in
      Terminal.width(descriptor) ?? 80
    }
  }

  func write(_ text: String) throws(OutputError) { try write(utf8: Array(text.utf8)) }

  func write(utf8: [UInt8]) throws(OutputError) {
    try waiting.withLock { (waiting) throws(OutputError) in
      waiting += utf8
      if !isBuffered || waiting.count >= Self.limit { try send(&waiting) }
    }
  }

  func flush() throws(OutputError) {
    try waiting.withLock { (waiting) throws(OutputError) in try send(&waiting) }
  }

  var isReaderGone: Bool { descriptor.isReaderGone }

  private func send(_ waiting: inout [UInt8]) throws(OutputError) {
    guard !waiting.isEmpty else { return }
    // What could not be written once is not tried again: a second failure would say nothing new.
    defer { waiting.removeAll(keepingCapacity: true) }
    do throws(PlatformError) {
      try descriptor.write(RawSpan(_elements: waiting.span))
    } catch {
      throw OutputError(reason: error.description, isReaderGone: error.isBrokenPipe)
    }
  }
}
