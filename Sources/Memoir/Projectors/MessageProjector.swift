// Messages: how many, and which are the latest. Their texts stay in the log and are read when they are shown.
public import Bytes
public import EventStore

/// How many messages there are, and the versions of the latest.
public struct MessagesState: ProjectionState {
  /// How many there are in all.
  public private(set) var total: UInt64 = 0
  /// How many of the latest are kept.
  let window: Int
  /// Versions. A ring once it is full: then the oldest is at `next`.
  private var ring: [StreamVersion] = []
  private var next = 0

  init(window: Int) {
    self.window = window
    ring.reserveCapacity(window)
  }

  /// The versions of the latest messages, oldest first in the order of the fold.
  public var recent: [StreamVersion] { Array(ring[next...]) + ring[..<next] }

  mutating func add(_ version: StreamVersion) {
    total &+= 1
    if ring.count < window {
      ring.append(version)
    } else if window > 0 {
      ring[next] = version
      next = next &+ 1 == window ? 0 : next &+ 1
    }
  }

  /// How many bytes ``encode(into:)`` appends.
  public var encodedSize: Int {
    EncodedSize.varint(total) + EncodedSize.varint(window) + EncodedSize.varint(ring.count) + 8 * ring.count
  }

  /// Appends the state.
  public func encode(into writer: inout ByteWriter) {
    writer.writeVarint(total)
    writer.writeVarint(window)
    writer.writeVarint(ring.count)
    for version in recent { writer.write(version.number) }
  }

  /// Reads what ``encode(into:)`` appended.
  public init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    total = try reader.readVarint()
    window = try reader.readCount(limit: MessageProjector.windowLimit)
    let count = try reader.readCount(limit: min(window, reader.remaining / 8))
    for _ in 0..<count { ring.append(StreamVersion(try reader.readUInt64())) }
  }
}

/// Folds messages.
public struct MessageProjector: Projector {
  /// The largest window.
  public static let windowLimit = 10_000

  /// Its name on every surface.
  public let name = "messages"
  /// Raised with every change of what is folded, or of how the state is coded.
  public let version = 1
  /// The size of the window.
  public let parameters: String
  /// How many of the latest messages the state holds.
  public let window: Int

  /// Keeps the latest `window` messages, at most ``windowLimit``.
  public init(window: Int = 20) {
    precondition((0...Self.windowLimit).contains(window), "a window has 0 to \(Self.windowLimit) messages")
    self.window = window
    // Asked for with every look at a state: making it takes as long as half of that.
    parameters = "window=\(window)"
  }

  /// The state before the first event.
  public func initialState() -> MessagesState { MessagesState(window: window) }

  /// Folds one event.
  public func apply(
    _ event: borrowing EventView, to state: inout MessagesState
  ) throws(DamagedBytes) {
    if event.type == .messageAdded { state.add(event.version) }
  }
}
