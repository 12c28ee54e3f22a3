// Numbers as people read them: counts, sizes, durations, rates.

/// Writes quantities for people; JSON has its own, exact numbers.
enum Quantity {
  /// `12,174`
  static func count(_ number: some BinaryInteger) -> String {
    let digits = String(number.magnitude)
    var grouped = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.utf8.count - index) % 3 == 0 { grouped.append(",") }
      grouped.append(digit)
    }
    return (number < 0 ? "-" : "") + grouped
  }

  /// `1 event`, `12,174 events`
  static func count(_ number: some BinaryInteger, _ one: String, plural: String? = nil) -> String {
    count(number) + " " + (number == 1 ? one : plural ?? one + "s")
  }

  /// `812 B`, `1.5 KiB`, `228 MiB`: powers of 1,024, three digits at most.
  static func bytes(_ number: some BinaryInteger) -> String {
    if number.magnitude < 1024 { return "\(number) B" }
    var size = Double(number)
    for unit in ["KiB", "MiB", "GiB", "TiB"] {
      size /= 1024
      // What would be rounded to 1,024 is one of the next unit.
      if abs(size) < 1023.5 { return decimal(size) + " " + unit }
    }
    return decimal(size / 1024) + " PiB"
  }

  /// `340 µs`, `12.3 ms`, `4.2 s`, `2 min 5 s`, `1 h 12 min`, `3 d 4 h`
  static func duration(_ duration: Duration) -> String {
    let seconds = max(duration / .seconds(1), 0)
    if seconds < 0.000_999_5 { return decimal(seconds * 1_000_000) + " µs" }
    if seconds < 0.999_5 { return decimal(seconds * 1000) + " ms" }
    if seconds < 59.95 { return decimal(seconds) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return two(whole / 60, "min", whole % 60, "s") }
    if whole < 86_400 { return two(whole / 3600, "h", whole % 3600 / 60, "min") }
    return two(whole / 86_400, "d", whole % 86_400 / 3600, "h")
  }

  /// `364,000/s`: three digits of it, since the others never stand still.
  static func rate(perSecond rate: Double) -> String {
    if rate < 99.95 { return decimal(max(rate, 0)) + "/s" }
    var step = 1.0
    while rate / step >= 999.5 { step *= 10 }
    return count(Int((min(rate, 1e15) / step).rounded() * step)) + "/s"
  }

  /// `42%`, and never 100% before all is done.
  static func share(_ done: Int, of total: Int) -> String {
    "\(total <= 0 ? 100 : Int(Double(done) / Double(total) * 100))%"
  }

  /// One digit after the point below a hundred, none where it would be 0.
  private static func decimal(_ number: Double) -> String {
    if number.magnitude >= 99.95 { return count(Int(number.rounded())) }
    let tenths = Int((number.magnitude * 10).rounded())
    let sign = number < 0 && tenths > 0 ? "-" : ""
    return sign + "\(tenths / 10)" + (tenths % 10 == 0 ? "" : ".\(tenths % 10)")
  }

  private static func two(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
    "\(large) \(largeUnit)" + (small == 0 ? "" : " \(small) \(smallUnit)")
  }
}
