// Events that anyone can make again from two numbers, so that what one process stored can be checked by another.
package import EventStore

/// Who appends, and how: a number of writers, each of which appends requests of a few events, one after the other.
package struct NumberedWork: Sendable {
  /// Events in a request.
  package var group: Int
  /// Users there are.
  package var users: Int

  package init(group: Int = 3, users: Int = 7) {
    self.group = group
    self.users = users
  }

  /// The user of a writer's request.
  package func user(ofRequest request: Int, by writer: Int) -> StreamName {
    var random = SeededRandom(seed: UInt64(writer) << 32 | UInt64(request))
    return .named("user-\(random.next() % UInt64(users))")
  }

  /// The events of a writer's request, of its own or, by another writer, again.
  package func request(_ request: Int, by writer: Int) -> [EventData] {
    (0..<group).map { Self.event(request * group + $0, by: writer) }
  }

  /// A writer's event of some number: mostly small, some in sessions, some late, some on pages of their own.
  package static func event(_ number: Int, by writer: Int) -> EventData {
    var random = SeededRandom(seed: ~(UInt64(writer) << 32 | UInt64(number)))
    let id = id(number, by: writer)
    let key = "key-\(random.next() % 50)"
    var event: EventData
    switch random.next() % 40 {
    case 0:
      event = Diary.written(key, String(repeating: "large", count: 500 + Int(random.next() % 1500)), id: id)
    case 1...3: event = Diary.removed(key, id: id)
    case 4...6: event = Diary.custom("mood \(number)", id: id)
    default: event = Diary.written(key, "note \(number) of \(writer)", id: id)
    }
    if random.next() % 3 == 0 { event.session = .named("session-\(random.next() % 20)") }
    let isLate = random.next() % 10 == 0
    event.occurredAt = Timestamp(
      clamping: 1_780_000_000_000_000 + Int64(number) * 1000 - (isLate ? 50_000 : 0))
    return event
  }

  /// The id of a writer's event.
  package static func id(_ number: Int, by writer: Int) -> EventID {
    EventID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | UInt64(writer) << 40 | UInt64(number))
  }

  /// The writer and the number of an event made here; `nil` for another.
  package static func origin(of id: EventID) -> (writer: Int, number: Int)? {
    guard id.high == 0x0190_0000_0000_7000, id.low >> 62 == 2 else { return nil }
    return (Int((id.low & 0x3fff_ffff_ffff_ffff) >> 40), Int(id.low & 0xff_ffff_ffff))
  }
}

/// What a process says of an append once it has returned.
package struct Acknowledgement: Hashable, Sendable, CustomStringConvertible {
  package var writer: Int
  package var request: Int
  package var firstVersion: StreamVersion
  package var firstPosition: LogPosition
  /// Whether it had been appended before.
  package var isDuplicate: Bool

  package init(writer: Int, request: Int, _ result: AppendResult) {
    self.writer = writer
    self.request = request
    firstVersion = result.firstVersion
    firstPosition = result.firstPosition
    isDuplicate = result.isDuplicate
  }

  /// Reads ``description``; `nil` for anything else.
  package init?(_ line: String) {
    let words = line.split(separator: " ")
    guard words.count == 6, words[0] == "ack", let writer = Int(words[1]), let request = Int(words[2]),
      let version = UInt64(words[3]), let position = UInt64(words[4])
    else { return nil }
    self.writer = writer
    self.request = request
    firstVersion = StreamVersion(version)
    firstPosition = LogPosition(position)
    isDuplicate = words[5] == "again"
  }

  /// As it is printed.
  package var description: String {
    "ack \(writer) \(request) \(firstVersion) \(firstPosition) \(isDuplicate ? "again" : "new")"
  }
}

extension EventLog {
  /// What is wrong with a store of ``NumberedWork`` whose writers were interrupted: nothing may be.
  ///
  /// Positions and versions have no gaps, every event is there once and as it was made, requests are whole and lie
  /// together, each writer's requests are there from the first on without a gap; everything acknowledged is where it was
  /// said to be, and at most one request of a writer is there without.
  ///
  /// - Parameter next: For each writer the first request that is not there; added to.
  package func problems(
    of work: NumberedWork, acknowledged: [Acknowledgement], next: inout [Int: Int]
  ) throws -> [String] {
    var problems: [String] = []
    func expect(_ isTrue: Bool, _ problem: @autoclosure () -> String) {
      if !isTrue, problems.count < 10 { problems.append(problem()) }
    }
    var versions: [StreamName: UInt64] = [:]
    var stored: [Int: [(StreamVersion, LogPosition)]] = [:]
    var inRequest: (writer: Int, number: Int)?
    var position: LogPosition = 0
    while true {
      let page = try readAll(after: position, limit: 10_000)
      for event in page.events {
        expect(event.position == position.next, "\(event.position) comes after \(position)")
        position = event.position
        versions[event.stream, default: 0] += 1
        expect(
          event.version.number == versions[event.stream],
          "\(event.stream) goes to \(event.version) at \(position)")
        guard let (writer, number) = NumberedWork.origin(of: event.id) else {
          expect(false, "\(event.id) at \(position) is nobody's")
          continue
        }
        let made = NumberedWork.event(number, by: writer)
        expect(
          event.stream == work.user(ofRequest: number / work.group, by: writer) && event.type == made.type
            && event.payload == made.payload && event.session == made.session
            && event.occurredAt == made.occurredAt, "the event at \(position) is not as it was made")
        if let expected = inRequest {
          expect(expected == (writer, number), "the request broken off before \(position)")
        } else {
          expect(number % work.group == 0, "a request begins within at \(position)")
          expect(
            number / work.group == stored[writer, default: []].count,
            "writer \(writer) goes on with \(number) at \(position)")
          stored[writer, default: []].append((event.version, event.position))
        }
        inRequest = number % work.group == work.group - 1 ? nil : (writer, number + 1)
      }
      guard page.next != nil else {
        expect(page.head == position, "the log ends at \(page.head), not \(position)")
        break
      }
    }
    expect(inRequest == nil, "the last request is cut short")
    var told = next
    for acknowledgement in acknowledged {
      let requests = stored[acknowledgement.writer] ?? []
      told[acknowledgement.writer] = max(told[acknowledgement.writer] ?? 0, acknowledgement.request + 1)
      guard acknowledgement.request < requests.count else {
        expect(false, "lost: \(acknowledgement)")
        continue
      }
      expect(
        requests[acknowledgement.request] == (acknowledgement.firstVersion, acknowledgement.firstPosition),
        "elsewhere: \(acknowledgement)")
    }
    for (writer, requests) in stored {
      expect(
        requests.count <= told[writer, default: 0] + 1, "writer \(writer) stored more than it can have tried")
      next[writer] = requests.count
    }
    for summary in try streams() {
      expect(
        summary.version.number == versions[summary.name],
        "\(summary.name) is said to be at \(summary.version)")
      versions[summary.name] = nil
    }
    expect(versions.isEmpty, "streams are missing: \(versions)")
    let report = try verify()
    for problem in report.problems { expect(false, "verify: \(problem.kind) \(problem.reason)") }
    expect(report.events == position.number, "verify saw \(report.events) events")
    return problems
  }
}
