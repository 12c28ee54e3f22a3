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
    self = try Array(text.utf8).withTimestampParser(field: field)
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
    var rest = microseconds % 86_400_000_000
    let (year, month, day) = CivilDate.date(ofDay: days)
    func digits(_ value: Int64, _ count: Int) {
      var divisor: Int64 = 1
      for _ in 1..<count { divisor *= 10 }
      while divisor > 0 {
        bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
        divisor /= 10
      }
    }
    digits(year, 4)
    bytes.append(UInt8(ascii: "-"))
    digits(month, 2)
    bytes.append(UInt8(ascii: "-"))
    digits(day, 2)
    bytes.append(UInt8(ascii: "T"))
    digits(rest / 3_600_000_000, 2)
    rest %= 3_600_000_000
    bytes.append(UInt8(ascii: ":"))
    digits(rest / 60_000_000, 2)
    rest %= 60_000_000
    bytes.append(UInt8(ascii: ":"))
    digits(rest / 1_000_000, 2)
    bytes.append(UInt8(ascii: "."))
    digits(rest % 1_000_000, 6)
    bytes.append(UInt8(ascii: "Z"))
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

extension [UInt8] {
  fileprivate func withTimestampParser(field: String) throws(InvalidValue) -> Timestamp {
    func refuse(_ reason: String) -> InvalidValue { InvalidValue(field: field, reason: reason) }
    let malformed = "is not an RFC 3339 time like 2026-11-20T10:00:00Z"
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= count else { return nil }
      var value: Int64 = 0
      for index in range {
        guard self[index] >= UInt8(ascii: "0"), self[index] <= UInt8(ascii: "9") else { return nil }
        value = value * 10 + Int64(self[index] - UInt8(ascii: "0"))
      }
      return value
    }
    func has(_ character: Character, at index: Int) -> Bool {
      index < count && self[index] == character.asciiValue
    }
    guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
      let day = number(8..<10), has("T", at: 10) || has("t", at: 10) || has(" ", at: 10),
      let hour = number(11..<13), has(":", at: 13), let minute = number(14..<16), has(":", at: 16),
      let second = number(17..<19)
    else { throw refuse(malformed) }
    var index = 19
    var fraction: Int64 = 0
    if has(".", at: index) {
      index += 1
      let start = index
      var scale: Int64 = 100_000
      while index < count, let digit = number(index..<index + 1) {
        fraction += digit * scale
        scale /= 10
        index += 1
      }
      guard index > start else { throw refuse(malformed) }
    }
    var offset: Int64 = 0
    if has("Z", at: index) || has("z", at: index) {
      index += 1
    } else if has("+", at: index) || has("-", at: index) {
      guard let hours = number(index + 1..<index + 3), has(":", at: index + 3),
        let minutes = number(index + 4..<index + 6), hours < 24, minutes < 60
      else { throw refuse(malformed) }
      offset = (hours * 60 + minutes) * (has("-", at: index) ? -1 : 1)
      index += 6
    } else {
      throw refuse("has no time zone; end it with Z or an offset like +02:00")
    }
    guard index == count else { throw refuse(malformed) }
    guard (1...12).contains(month) else { throw refuse("has the month \(month)") }
    guard day >= 1, day <= CivilDate.days(inMonth: month, of: year) else { throw refuse("has no such day") }
    guard hour < 24, minute < 60 else { throw refuse("has no such hour or minute") }
    guard second < 60 else { throw refuse("has the second \(second); leap seconds are not accepted") }
    let seconds =
      CivilDate.day(ofYear: year, month: month, day: day) * 86_400 + hour * 3_600 + (minute - offset) * 60 + second
    guard let time = Timestamp(microseconds: seconds * 1_000_000 + fraction) else {
      throw refuse("is outside the years 1970 to 9999 in UTC")
    }
    return time
  }
}
