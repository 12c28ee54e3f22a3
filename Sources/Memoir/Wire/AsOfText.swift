// The points a question can be asked at, as they are written: `v12`, `p345`, `recorded:TIME`, `occurred:TIME`,
// `start`, `now`.
public import EventStore
public import JSON

/// A point in a history, as a caller names it.
public enum AsOfText: Hashable, Sendable, CustomStringConvertible {
  /// Before the first event.
  case start
  /// The head.
  case now
  /// After the event with this version.
  case version(StreamVersion)
  /// After the event with this position, whoever's it is.
  case position(LogPosition)
  /// What was known at a time.
  case recorded(Timestamp)
  /// What was true at a time.
  case occurred(Timestamp)

  /// Reads a point.
  ///
  /// - Throws: ``InvalidValue`` that names `field`.
  public init(_ text: String, field: String = "as_of") throws(InvalidValue) {
    if text == "start" {
      self = .start
    } else if text == "now" {
      self = .now
    } else if let time = text.rest(after: "recorded:") {
      self = .recorded(try Timestamp(time, field: field))
    } else if let time = text.rest(after: "occurred:") {
      self = .occurred(try Timestamp(time, field: field))
    } else if let number = text.rest(after: "v") {
      self = .version(StreamVersion(try Self.number(number, field: field)))
    } else if let number = text.rest(after: "p") {
      self = .position(LogPosition(try Self.number(number, field: field)))
    } else {
      throw InvalidValue(
        field: field, reason: "is none of v12, p345, recorded:TIME, occurred:TIME, start, now")
    }
  }

  /// Reads a version or position: decimal digits only.
  ///
  /// - Throws: ``InvalidValue`` that names `field`.
  public static func number(_ text: String, field: String) throws(InvalidValue) -> UInt64 {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text)
    else {
      throw InvalidValue(field: field, reason: "is no whole number in decimal digits")
    }
    return number
  }

  /// As it is read.
  public var description: String {
    switch self {
    case .start: "start"
    case .now: "now"
    case .version(let version): "v\(version)"
    case .position(let position): "p\(position)"
    case .recorded(let time): "recorded:\(time)"
    case .occurred(let time): "occurred:\(time)"
    }
  }

  /// The point as the engine takes it.
  public var asOf: AsOf {
    switch self {
    case .start: .version(0)
    case .now: .head
    case .version(let version): .version(version)
    case .position(let position): .position(position)
    case .recorded(let time): .recordedAt(time)
    case .occurred(let time): .occurredAt(time)
    }
  }

  /// Whether it goes by occurred-at, by versions, or by either.
  public var isOccurred: Bool? {
    switch self {
    case .start, .now: nil
    case .occurred: true
    case .version, .position, .recorded: false
    }
  }

  /// Prints the point as the object that a state repeats.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    switch self {
    case .now:
      writer.key("head")
      writer.bool(true)
    case .start:
      writer.key("version")
      writer.integer(0)
    case .version(let version):
      writer.key("version")
      writer.integer(version.number)
    case .position(let position):
      writer.key("position")
      writer.integer(position.number)
    case .recorded(let time):
      writer.key("recorded_at")
      writer.write(time)
    case .occurred(let time):
      writer.key("occurred_at")
      writer.write(time)
    }
    writer.endObject()
  }
}

extension String {
  /// What follows `prefix`, if it begins so.
  func rest(after prefix: String) -> String? {
    guard utf8.starts(with: prefix.utf8) else { return nil }
    return String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
  }
}
