// Points in time, to the microsecond, and their RFC 3339 form. Civil dates by Howard Hinnant's days algorithm
// (https://howardhinnant.github.io/date_algorithms.html), in the proleptic Gregorian calendar.

/// A point in time: microseconds since 1970 in UTC, from 1970 to the end of 9999.
@frozen public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Microseconds since 1970-01-01T00:00:00Z.
  public let microseconds: Int64

  /// 1970-01-01T00:00:00.000000Z.
  public static let earliest = Timestamp(unchecked: 0)
  /// 9999-12-31T23:59:59.999999Z.
  public static let latest = Timestamp(unchecked: 253_402_300_799_999_999)

  /// Makes a time; `nil` outside 1970…9999.
  @inlinable public init?(microseconds: Int64) {
    guard microseconds >= 0, microseconds <= 253_402_300_799_999_999 else { return nil }
    self.microseconds = microseconds
  }

  @inlinable package init(unchecked microseconds: Int64) { self.microseconds = microseconds }

  /// The time nearest to `microseconds` that can be represented.
  @inlinable public init(clamping microseconds: Int64) {
    self.microseconds = min(max(microseconds, 0), 253_402_300_799_999_999)
  }

  /// Reads RFC 3339 with any offset. Digits after the sixth of the fraction are cut; `:60` is refused.
  ///
  /// - Throws: ``InvalidValue`` that names `field` and says what is wrong.
  public init(_ text: String, field: String = "time") throws(InvalidValue) {
    self = try TimestampParser(text.utf8.span, field: field).parse()
  }

  /// The same from UTF-8.
  public init(utf8 text: Span<UInt8>, field: String = "time") throws(InvalidValue) {
    self = try TimestampParser(text, field: field).parse()
  }

  /// By time.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

  /// The time `microseconds` later (or earlier), kept within the range.
  public func advanced(byMicroseconds microseconds: Int64) -> Timestamp {
    let (sum, overflow) = self.microseconds.addingReportingOverflow(microseconds)
    return overflow ? (microseconds > 0 ? .latest : .earliest) : Timestamp(clamping: sum)
  }

  /// RFC 3339 with microseconds and `Z`, e.g. `2026-11-20T10:00:00.000000Z`.
  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(27)
    write(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the 27 bytes of ``description``.
  public func write(into bytes: inout [UInt8]) {
    let days = microseconds / 86_400_000_000
    let rest = microseconds % 86_400_000_000
    let (year, month, day) = CivilDate.date(ofDay: days)
    func two(_ value: Int64) {
      let value = UInt8(truncatingIfNeeded: value)
      bytes.append(0x30 &+ value / 10)
      bytes.append(0x30 &+ value % 10)
    }
    two(year / 100)
    two(year % 100)
    bytes.append(0x2d)
    two(month)
    bytes.append(0x2d)
    two(day)
    bytes.append(0x54)
    let seconds = rest / 1_000_000
    two(seconds / 3_600)
    bytes.append(0x3a)
    two(seconds / 60 % 60)
    bytes.append(0x3a)
    two(seconds % 60)
    bytes.append(0x2e)
    let fraction = rest % 1_000_000
    two(fraction / 10_000)
    two(fraction / 100 % 100)
    two(fraction % 100)
    bytes.append(0x5a)
  }
}

/// Days since 1970 and their dates.
enum CivilDate {
  static func date(ofDay days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  static func day(ofYear year: Int64, month: Int64, day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// Reads RFC 3339 byte by byte.
private struct TimestampParser: ~Escapable {
  let text: Span<UInt8>
  let field: String

  @_lifetime(copy text)
  init(_ text: Span<UInt8>, field: String) {
    self.text = text
    self.field = field
  }

  private func refuse(_ reason: String) -> InvalidValue { InvalidValue(field: field, reason: reason) }
  private var malformed: InvalidValue { refuse("is not an RFC 3339 time like 2026-11-20T10:00:00Z") }

  /// The number in `count` digits at `start`; `nil` where there are not so many.
  @inline(__always)
  private func number(_ start: Int, _ count: Int) -> Int64? {
    guard start + count <= text.count else { return nil }
    var value: Int64 = 0
    for index in start..<start + count {
      let digit = text[index] &- 0x30
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int64(digit)
    }
    return value
  }

  @inline(__always)
  private func has(_ byte: UInt8, at index: Int) -> Bool { index < text.count && text[index] == byte }

  func parse() throws(InvalidValue) -> Timestamp {
    guard let year = number(0, 4), has(0x2d, at: 4), let month = number(5, 2), has(0x2d, at: 7),
      let day = number(8, 2), has(0x54, at: 10) || has(0x74, at: 10) || has(0x20, at: 10),
      let hour = number(11, 2), has(0x3a, at: 13), let minute = number(14, 2), has(0x3a, at: 16),
      let second = number(17, 2)
    else { throw malformed }
    var index = 19
    var fraction: Int64 = 0
    if has(0x2e, at: index) {
      index += 1
      let start = index
      var scale: Int64 = 100_000
      while index < text.count, text[index] &- 0x30 < 10 {
        fraction += Int64(text[index] &- 0x30) * scale
        scale /= 10
        index += 1
      }
      guard index > start else { throw malformed }
    }
    var offset: Int64 = 0
    if has(0x5a, at: index) || has(0x7a, at: index) {
      index += 1
    } else if has(0x2b, at: index) || has(0x2d, at: index) {
      guard let hours = number(index + 1, 2), has(0x3a, at: index + 3), let minutes = number(index + 4, 2),
        hours < 24, minutes < 60
      else { throw malformed }
      offset = (hours * 60 + minutes) * (has(0x2d, at: index) ? -1 : 1)
      index += 6
    } else {
      throw refuse("has no time zone; end it with Z or an offset like +02:00")
    }
    guard index == text.count else { throw malformed }
    guard (1...12).contains(month) else { throw refuse("has the month \(month)") }
    guard day >= 1, day <= CivilDate.days(inMonth: month, of: year) else { throw refuse("has no such day") }
    guard hour < 24, minute < 60 else { throw refuse("has no such hour or minute") }
    guard second < 60 else { throw refuse("has the second \(second); leap seconds are not accepted") }
    let seconds =
      CivilDate.day(ofYear: year, month: month, day: day) * 86_400 + hour * 3_600 + (minute - offset) * 60
      + second
    guard let time = Timestamp(microseconds: seconds * 1_000_000 + fraction) else {
      throw refuse("is outside the years 1970 to 9999 in UTC")
    }
    return time
  }
}
