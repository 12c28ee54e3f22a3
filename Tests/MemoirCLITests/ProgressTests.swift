// The line that says how far long work has come.

import Synchronization
import Testing

@testable import MemoirCLI

/// A clock that a test moves.
private final class ManualClock: Sendable {
  private let time = Mutex(Duration.seconds(100))
  var now: Duration { time.withLock { $0 } }
  func advance(by duration: Duration) { time.withLock { $0 += duration } }
}

@Suite struct `Progress of long work` {
  private let clock = ManualClock()
  private let sink = RecordingSink()

  private func progress(
    total: Int? = 1_000_000, done: Int = 0, isTerminal: Bool = true, width: Int = 100, noColor: String = "1"
  ) -> Progress {
    let console = Console(
      sink: sink, isTerminal: isTerminal, environment: { $0 == "NO_COLOR" ? noColor : nil }, width: { width })
    return Progress("replaying", total: total, done: done, on: console, clock: { [clock] in clock.now })
  }

  @Test func `nothing is shown in the first second, nor cleared after it`() {
    let progress = progress()
    clock.advance(by: .milliseconds(999))
    progress.update(to: 500_000)
    progress.finish()
    #expect(sink.text == "")
  }

  @Test func `nothing is ever shown where no terminal is`() {
    let progress = progress(isTerminal: false)
    for _ in 1...10 {
      clock.advance(by: .seconds(1))
      progress.advance(by: 1000)
    }
    progress.finish()
    #expect(sink.text == "")
  }

  @Test func `share, count, rate and time left stand on one line`() {
    let progress = progress()
    clock.advance(by: .seconds(2))
    progress.update(to: 450_000)
    #expect(
      sink.text
        == "\rreplaying  █████████░░░░░░░░░░░  45%    450,000 of 1,000,000 events  225,000/s  3 s left\u{1B}[K"
    )
  }

  @Test func `the line is drawn anew ten times a second at most`() {
    let progress = progress()
    clock.advance(by: .seconds(1))
    for _ in 1...1000 {
      progress.advance()
      clock.advance(by: .milliseconds(1))
    }
    #expect(sink.text.split(separator: "\r").count == 10)
  }

  @Test func `at the end the line is taken away, once`() {
    let progress = progress()
    clock.advance(by: .seconds(2))
    progress.update(to: 10)
    sink.clear()
    progress.finish()
    progress.finish()
    #expect(sink.text == "\r\u{1B}[K")
  }

  @Test func `without a total there is neither bar nor time left`() {
    let progress = progress(total: nil)
    clock.advance(by: .seconds(2))
    progress.update(to: 3000)
    #expect(sink.text == "\rreplaying  3,000 events  1,500/s\u{1B}[K")
  }

  @Test func `work taken up again counts for the share, not for the rate`() {
    let progress = progress(total: 1000, done: 500)
    clock.advance(by: .seconds(10))
    progress.update(to: 600)
    #expect(sink.text.contains("60%    600 of 1,000 events  10/s  40 s left"))
  }

  @Test func `the rate follows what happens now`() {
    let progress = progress()
    clock.advance(by: .seconds(2))
    progress.update(to: 200_000)
    for _ in 1...30 {
      clock.advance(by: .seconds(1))
      progress.advance(by: 10)
    }
    sink.clear()
    clock.advance(by: .seconds(1))
    progress.advance(by: 10)
    // Two digits, after a beginning at 100,000 a second.
    #expect(sink.text.contains(#/  \d\d(\.\d)?/s  /#))
  }

  @Test(arguments: [20, 30, 45, 60, 79, 80, 200]) func `the line fits in any terminal`(width: Int) {
    let progress = progress(width: width)
    clock.advance(by: .seconds(2))
    progress.update(to: 450_000)
    let line = sink.text.drop { $0 == "\r" }.prefix { $0 != "\u{1B}" }
    #expect(DisplayWidth.of(line) < width)
    #expect(line.hasPrefix("replaying  "))
  }

  @Test func `share, rate and time left outlast the count where room is short`() {
    let progress = progress(total: 3_000_000, width: 80)
    clock.advance(by: .seconds(2))
    progress.update(to: 900_000)
    #expect(sink.text.contains("replaying  ███░░░░░░░  30%    900,000 events  450,000/s  5 s left"))
  }

  @Test func `the line keeps its columns while numbers grow`() {
    let progress = progress()
    for count in [1000, 20_000, 300_000, 999_999] {
      clock.advance(by: .seconds(2))
      sink.clear()
      progress.update(to: count)
      let line = sink.text.prefix { $0 != "," }
      #expect(sink.text.contains(" of 1,000,000 events"))
      #expect(line.contains("░") || line.contains("█"))
      #expect(
        DisplayWidth.of(sink.text.prefix { $0 != "%" }) == 9 + 2 + 20 + 2 + String(count / 10_000).count)
    }
  }

  @Test func `more than was said does not break the bar`() {
    let progress = progress(total: 10)
    clock.advance(by: .seconds(2))
    progress.update(to: 25)
    #expect(sink.text.contains("████████████████████  100%  25 of 10 events"))
  }

  @Test func `workers may report at once`() async {
    let progress = progress(total: nil)
    await withTaskGroup { group in
      for _ in 1...8 {
        group.addTask { for _ in 1...1000 { progress.advance() } }
      }
    }
    clock.advance(by: .seconds(2))
    progress.advance()
    #expect(sink.text.contains("8,001 events"))
  }
}
