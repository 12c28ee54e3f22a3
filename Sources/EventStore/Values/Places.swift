// Version and position: where an event is in its stream, and where in the whole log.

/// A place in a stream: 1, 2, 3 … without gaps; 0 is before the first event.
@frozen
public struct StreamVersion: Hashable, Sendable, Comparable, CustomStringConvertible,
  ExpressibleByIntegerLiteral
{
  /// The number.
  public var number: UInt64

  /// Makes a version.
  @inlinable public init(_ number: UInt64) { self.number = number }
  /// Makes a version.
  @inlinable public init(integerLiteral value: UInt64) { number = value }

  /// The number in decimal digits.
  public var description: String { "\(number)" }
  /// The version after this one.
  @inlinable public var next: StreamVersion { StreamVersion(number + 1) }

  /// By number.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// A place in the whole log: 1, 2, 3 … without gaps; 0 is before the first event.
@frozen
public struct LogPosition: Hashable, Sendable, Comparable, CustomStringConvertible,
  ExpressibleByIntegerLiteral
{
  /// The number.
  public var number: UInt64

  /// Makes a position.
  @inlinable public init(_ number: UInt64) { self.number = number }
  /// Makes a position.
  @inlinable public init(integerLiteral value: UInt64) { number = value }

  /// The number in decimal digits.
  public var description: String { "\(number)" }
  /// The position after this one.
  @inlinable public var next: LogPosition { LogPosition(number + 1) }

  /// By number.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

extension StreamVersion {
  /// The version so many after this one.
  func forward(_ count: UInt64) -> StreamVersion { StreamVersion(number + count) }
  /// The version so many before this one; 0 where there are not so many.
  func back(_ count: UInt64) -> StreamVersion { StreamVersion(number > count ? number - count : 0) }
}

extension LogPosition {
  /// The position so many after this one.
  func forward(_ count: UInt64) -> LogPosition { LogPosition(number + count) }
  /// The position so many before this one; 0 where there are not so many.
  func back(_ count: UInt64) -> LogPosition { LogPosition(number > count ? number - count : 0) }
}
