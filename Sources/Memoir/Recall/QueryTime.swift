// When a question asks about: "in May", "last week", "on 3 March 2026", "two days ago".
//
// Read in English and in UTC. It narrows nothing: what happened then ranks higher.
internal import EventStore

/// The times that a question names.
struct QueryTime {
  /// Inclusive, in microseconds since 1970.
  private(set) var ranges: [ClosedRange<Int64>] = []

  var isEmpty: Bool { ranges.isEmpty }

  func contains(_ microseconds: Int64) -> Bool { ranges.contains { $0.contains(microseconds) } }

  private static let day: Int64 = 86_400_000_000
  /// A month without a year is meant of any year this far back.
  private static let yearsBack = 10

  /// The times that `question` names, asked at `now`.
  init(of question: String, now: Timestamp) {
    // What nobody says of a time in one question is not read for one.
    let words = question.utf8.prefix(4_096).split { byte in
      !(byte &- 0x61 < 26 || byte &- 0x41 < 26 || byte &- 0x30 < 10)
    }.map { String(decoding: $0, as: UTF8.self).lowercased() }
    let today = CivilDate(day: now.microseconds / Self.day)
    var index = 0
    while index < words.count {
      index += max(1, read(words[index...], before: index > 0 ? words[index - 1] : "", today))
    }
  }

  /// Reads a time from the first words on.
  ///
  /// - Returns: How many words it takes; 0 where they name none.
  private mutating func read(_ words: ArraySlice<String>, before: String, _ today: CivilDate) -> Int {
    let first = words[words.startIndex]
    let rest = words.dropFirst()
    let second = rest.first ?? ""
    if let month = Self.month(first), first != "may" || Self.isMonthIntroduction(before) || Self.number(second) != nil {
      return readMonth(month, rest, dayBefore: Self.number(before), today)
    }
    if let year = Self.number(first), (1970...2200).contains(year), first.utf8.count == 4 {
      // 2026 03 14, as in 2026-03-14.
      if let month = Self.number(second), (1...12).contains(month),
        let day = rest.dropFirst().first.flatMap(Self.number), (1...31).contains(day)
      {
        add(CivilDate(year: year, month: month, day: day).number, days: 1)
        return 3
      }
      guard ["in", "of", "since", "during", "year"].contains(before) else { return 0 }
      add(from: CivilDate(year: year, month: 1, day: 1), to: CivilDate(year: year + 1, month: 1, day: 1))
      return 1
    }
    switch first {
    case "today", "tonight":
      add(today.number, days: 1)
      return 1
    case "yesterday":
      add(today.number - 1, days: 1)
      return 1
    case "last", "past", "previous":
      if let weekday = Self.weekday(second) {
        let back = (today.weekday - weekday + 6) % 7 + 1
        add(today.number - Int64(back), days: 1)
        return 2
      }
      if let count = Self.number(second) ?? Self.smallNumbers[second],
        let unit = Self.unit(rest.dropFirst().first ?? "")
      {
        let days = min(Int64(count) * unit, today.number)
        add(today.number - days, days: days + 1)
        return 3
      }
      return readUnit(second, back: 1, today) ? 2 : 0
    case "this": return readUnit(second, back: 0, today) ? 2 : 0
    case "on":
      guard let weekday = Self.weekday(second) else { return 0 }
      add(today.number - Int64((today.weekday - weekday + 7) % 7), days: 1)
      return 2
    default:
      // Two weeks ago, give or take half of the unit.
      guard let count = Self.number(first) ?? Self.smallNumbers[first], let unit = Self.unit(second),
        rest.dropFirst().first == "ago"
      else { return 0 }
      add(max(0, today.number - Int64(count) * unit - unit / 2), days: unit)
      return 3
    }
  }

  private mutating func readMonth(
    _ month: Int, _ rest: ArraySlice<String>, dayBefore: Int?, _ today: CivilDate
  ) -> Int {
    var taken = 1
    var day = dayBefore.flatMap { (1...31).contains($0) ? $0 : nil }
    var rest = rest
    if day == nil, let number = rest.first.flatMap(Self.number), (1...31).contains(number) {
      day = number
      rest = rest.dropFirst()
      taken += 1
    }
    var years = Array((today.year - Self.yearsBack)...today.year)
    if let year = rest.first.flatMap(Self.number), (1970...2200).contains(year) {
      years = [year]
      taken += 1
    }
    for year in years where year >= 1970 {
      let begin = CivilDate(year: year, month: month, day: day ?? 1)
      if day != nil {
        add(begin.number, days: 1)
      } else {
        add(from: begin, to: begin.nextMonth)
      }
    }
    return taken
  }

  /// The week, month or year `back` before this one.
  private mutating func readUnit(_ word: String, back: Int, _ today: CivilDate) -> Bool {
    switch word {
    case "week": add(today.number - Int64(today.weekday) - Int64(7 * back), days: 7)
    case "month":
      let months = today.year * 12 + today.month - 1 - back
      let begin = CivilDate(year: months / 12, month: months % 12 + 1, day: 1)
      add(from: begin, to: begin.nextMonth)
    case "year":
      add(
        from: CivilDate(year: today.year - back, month: 1, day: 1),
        to: CivilDate(year: today.year - back + 1, month: 1, day: 1))
    default: return false
    }
    return true
  }

  private mutating func add(from begin: CivilDate, to end: CivilDate) {
    add(begin.number, days: end.number - begin.number)
  }

  private mutating func add(_ day: Int64, days: Int64) {
    guard days > 0, day + days > 0 else { return }
    let last = min((day + days) * Self.day - 1, Timestamp.latest.microseconds)
    ranges.append(max(0, day) * Self.day...last)
  }

  // MARK: Words

  private static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
  ]
  private static let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
  private static let smallNumbers = [
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "few": 3, "couple": 2,
  ]

  private static func month(_ word: String) -> Int? {
    if let index = months.firstIndex(of: word) { return index + 1 }
    guard word.utf8.count == 3 || word == "sept" else { return nil }
    // `mar` and `jun` are no other words; `may` stands in the list.
    return months.firstIndex { $0.hasPrefix(word) }.map { $0 + 1 }
  }

  private static func isMonthIntroduction(_ word: String) -> Bool {
    ["in", "of", "last", "this", "since", "until", "till", "by", "during", "early", "late", "mid", "from", "between"]
      .contains(word) || number(word) != nil
  }

  private static func weekday(_ word: String) -> Int? { weekdays.firstIndex(of: word) }

  /// A number, or an ordinal such as `3rd`.
  private static func number(_ word: String) -> Int? {
    for ending in ["st", "nd", "rd", "th"] where word.hasSuffix(ending) { return number(String(word.dropLast(2))) }
    guard word.utf8.count <= 4 else { return nil }
    return Int(word)
  }

  /// The days of a unit.
  private static func unit(_ word: String) -> Int64? {
    switch word {
    case "day", "days": 1
    case "week", "weeks": 7
    case "month", "months": 30
    case "year", "years": 365
    default: nil
    }
  }
}

/// A day of the proleptic Gregorian calendar (Howard Hinnant's algorithms, as in `Timestamp`).
private struct CivilDate {
  let year: Int
  let month: Int
  let day: Int

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The day so many days after the first of 1970.
  init(day number: Int64) {
    let shifted = number + 719_468
    let era = shifted / 146_097
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * ofYear + 2) / 153
    day = Int(ofYear - (153 * shiftedMonth + 2) / 5 + 1)
    month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
  }

  /// Days since the first of 1970. A day beyond the month's end is one of the next month.
  var number: Int64 {
    let year = Int64(month <= 2 ? self.year - 1 : self.year)
    let era = year / 400
    let yearOfEra = year - era * 400
    let ofYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
  }

  /// 0 for Monday.
  var weekday: Int { Int((number + 3) % 7) }

  var nextMonth: CivilDate {
    month == 12 ? CivilDate(year: year + 1, month: 1, day: 1) : CivilDate(year: year, month: month + 1, day: 1)
  }
}
