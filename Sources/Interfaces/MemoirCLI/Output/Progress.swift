// A line that says how far long work has come, for whoever is watching.

private import Synchronization

/// Progress of long work, on one line of a terminal.
///
/// ```
/// replaying  █████████░░░░░░░░░░░  45%    450,000 of 1,000,000 events  364,000/s  2 s left
/// ```
/// Nothing is drawn where standard error is no terminal, nor in the first second, and then at most ten times a
/// second: calling it often costs little. Any thread may report. The line is drawn in reports alone, so it stands
/// still while none come. Call ``finish()`` before anything else is written.
final class Progress: Sendable {
  private let label: String
  private let total: Int?
  private let unit: String
  private let console: Console
  private let clock: @Sendable () -> Duration
  private let start: Duration
  private let state: Mutex<State>

  private struct State {
    var done: Int
    var lastDrawn: Duration?
    var isShown = false
    /// Smoothed units a second, and what it was last computed from.
    var rate: Double?
    var measuredDone: Int
    var measuredAt: Duration
  }

  /// - Parameters:
  ///   - total: How much there is; `nil` where that is not known, and then neither share nor time left is shown.
  ///   - done: What was done before, of work that is taken up again; it counts for the share, not for the rate.
  ///   - unit: What is counted, in the plural.
  ///   - console: Standard error.
  ///   - clock: Any clock that never goes back.
  init(
    _ label: String, total: Int?, done: Int = 0, unit: String = "events", on console: Console,
    clock: @escaping @Sendable () -> Duration
  ) {
    self.label = label
    self.total = total
    self.unit = unit
    self.console = console
    self.clock = clock
    start = clock()
    state = Mutex(State(done: done, measuredDone: done, measuredAt: start))
  }

  /// Reports `count` more.
  func advance(by count: Int = 1) {
    guard console.isTerminal else { return }
    state.withLock { state in
      state.done += count
      drawIfDue(&state)
    }
  }

  /// Reports `done` in all.
  func update(to done: Int) {
    guard console.isTerminal else { return }
    state.withLock { state in
      state.done = done
      drawIfDue(&state)
    }
  }

  /// Takes the line away. A later report draws it again.
  func finish() {
    state.withLock { state in
      guard state.isShown else { return }
      state.isShown = false
      state.lastDrawn = nil
      try? console.write("\r\u{1B}[K")
    }
  }

  private func drawIfDue(_ state: inout State) {
    let now = clock()
    if now - start < .seconds(1) { return }
    if let last = state.lastDrawn, now - last < .milliseconds(100) { return }
    measure(&state, at: now)
    state.lastDrawn = now
    state.isShown = true
    // One column stays free: a full line would make some terminals go on to the next.
    let line = line(of: state).truncated(to: (console.width ?? 80) - 1)
    // Who cannot see the progress has not lost anything.
    try? console.write("\r" + line.rendered(by: console.paint) + "\u{1B}[K")
  }

  /// An average that forgets what is older than a few seconds.
  private func measure(_ state: inout State, at now: Duration) {
    let seconds = (now - state.measuredAt) / .seconds(1)
    guard seconds > 0 else { return }
    let latest = Double(state.done - state.measuredDone) / seconds
    let weight = seconds / (seconds + 3)
    state.rate = state.rate.map { $0 + (latest - $0) * weight } ?? latest
    state.measuredDone = state.done
    state.measuredAt = now
  }

  /// The label and as much else as fits: share, rate and time left before the bar, and the bar before the count.
  ///
  /// What fits is decided by the room that a piece may ever need, and the count is as wide as the total, so that the
  /// line does not jump about while numbers grow.
  private func line(of state: State) -> StyledText {
    var room = (console.width ?? 80) - 1 - DisplayWidth.of(label)
    func take(_ width: Int) -> Bool {
      if width > room { return false }
      room -= width
      return true
    }
    let hasShare = total != nil && take(6)
    let hasRate = take(14)
    let hasTimeLeft = total != nil && take(16)
    let isWide = (console.width ?? 80) >= 100
    let barWidth = total != nil && take(isWide ? 22 : 12) ? (isWide ? 20 : 10) : 0
    let done = Quantity.count(state.done)
    let (count, countAndTotal): (String, String)
    if let total {
      let all = Quantity.count(total)
      let padded = String(repeating: " ", count: max(0, all.utf8.count - done.utf8.count)) + done
      (count, countAndTotal) = ("  \(padded) \(unit)", "  \(padded) of \(all) \(unit)")
    } else {
      (count, countAndTotal) = ("  \(done) \(unit)", "  \(done) \(unit)")
    }

    var line = StyledText(label)
    if barWidth > 0, let total {
      let full =
        total <= 0 ? barWidth : min(barWidth, Int(Double(state.done) / Double(total) * Double(barWidth)))
      line.append("  ")
      line.append(String(repeating: "█", count: max(full, 0)), .accent)
      line.append(String(repeating: "░", count: barWidth - max(full, 0)), .dim)
    }
    if hasShare, let total { line.append("  " + Quantity.share(min(state.done, total), of: total), .bold) }
    if take(DisplayWidth.of(countAndTotal)) {
      line.append(countAndTotal)
    } else if take(DisplayWidth.of(count)) {
      line.append(count)
    }
    if hasRate, let rate = state.rate {
      line.append("  " + Quantity.rate(perSecond: rate), .dim)
      if hasTimeLeft, let total, rate > 0, state.done < total {
        // More than a year is as good as not known.
        let seconds = min(Double(total - state.done) / rate, 31_557_600)
        line.append("  \(Quantity.duration(.seconds(seconds.rounded(.up)))) left", .dim)
      }
    }
    return line
  }
}
