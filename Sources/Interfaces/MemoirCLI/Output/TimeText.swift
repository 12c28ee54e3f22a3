// Times as people read them, in UTC: cut from their one exact form, 2026-03-02T14:05:09.123456Z.
import Memoir

extension Timestamp {
  /// `2026-03-02`
  var day: String { String(description.prefix(10)) }
  /// `2026-03-02 14:05Z`
  var minute: String { "\(day) \(timeOfDay(5))Z" }
  /// `2026-03-02 14:05:09Z`
  var second: String { "\(day) \(timeOfDay(8))Z" }
  /// `14:05Z`
  var minuteOfDay: String { "\(timeOfDay(5))Z" }

  private func timeOfDay(_ length: Int) -> Substring { description.dropFirst(11).prefix(length) }

  /// `Monday, 2 March 2026`
  var longDay: String {
    // The first day of all was a Thursday.
    let weekdays = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"]
    let months = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
      "November", "December",
    ]
    let weekday = weekdays[Int(microseconds / 86_400_000_000 % 7)]
    let parts = day.split(separator: "-").compactMap { Int($0) }
    return "\(weekday), \(parts[2]) \(months[parts[1] - 1]) \(parts[0])"
  }
}
