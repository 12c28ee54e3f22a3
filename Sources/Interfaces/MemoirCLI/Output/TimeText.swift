// Times as people read them: the clock's, or how long ago.

/// Writes times for people. A time is in microseconds since 1970, UTC, as everywhere in Memoir.
enum TimeText {
  /// `2026-03-02 14:05:09Z`, to the second.
  static func absolute(_ microseconds: Int64) -> String {
    let seconds = floored(microseconds, by: 1_000_000)
    let ofDay = Int(seconds - floored(seconds, by: 86_400) * 86_400)
    return day(microseconds) + " "
      + [ofDay / 3600, ofDay / 60 % 60, ofDay % 60].map(twoDigits).joined(separator: ":")
      + "Z"
  }

  /// `Monday, 2 March 2026`
  static func long(_ microseconds: Int64) -> String {
    let weekdays = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"]
    let months = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
      "November", "December",
    ]
    let days = floored(microseconds, by: 86_400_000_000)
    let parts = day(microseconds).split(separator: "-")
    let (month, ofMonth) = (Int(parts[1]) ?? 1, Int(parts[2]) ?? 1)
    return "\(weekdays[Int((days % 7 + 7) % 7)]), \(ofMonth) \(months[month - 1]) \(parts[0])"
  }

  /// `2026-03-02`
  static func day(_ microseconds: Int64) -> String {
    // From days to a date of the Gregorian calendar: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let days = floored(microseconds, by: 86_400_000_000) + 719_468
    let era = floored(days, by: 146_097)
    let ofEra = days - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let digits = String(year)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits + "-" + twoDigits(Int(month))
      + "-"
      + twoDigits(Int(day))
  }

  /// `just now`, `3 minutes ago`, `in 2 days`.
  static func relative(_ microseconds: Int64, to now: Int64) -> String {
    let (difference, overflows) = now.subtractingReportingOverflow(microseconds)
    let seconds = (overflows ? Int64.max : difference).magnitude / 1_000_000
    if seconds < 5 { return "just now" }
    let text =
      switch seconds {
      case ..<60: Quantity.count(seconds, "second")
      case ..<3600: Quantity.count(seconds / 60, "minute")
      case ..<86_400: Quantity.count(seconds / 3600, "hour")
      case ..<(60 * 86_400): Quantity.count(seconds / 86_400, "day")
      // 30.44 and 365.25 days.
      case ..<(730 * 86_400): Quantity.count(seconds / 2_629_746, "month")
      default: Quantity.count(seconds / 31_557_600, "year")
      }
    return difference < 0 && !overflows ? "in " + text : text + " ago"
  }

  private static func floored(_ number: Int64, by divisor: Int64) -> Int64 {
    let quotient = number / divisor
    return number % divisor < 0 ? quotient - 1 : quotient
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
