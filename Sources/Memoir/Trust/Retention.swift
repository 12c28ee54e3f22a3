// Keeping for a time: what is older than a namespace's policy says is redacted, as anything else that is taken out.
//
//   records_retention   1, namespace              how long what is kept
//                       2, namespace, 0, kind     up to which position everything of the kind has been redacted
//
// How far it has come is a fact about the log, whatever the policies say today: so a run looks only at what became too
// old since the one before, one that was cut short goes on where it was, and two at once do the same twice.
internal import Bytes
public import EventStore
internal import JSON

/// What became too old, or would.
public struct RetentionReport: Sendable {
  /// What of a person.
  public struct User: Hashable, Sendable {
    /// Whose.
    public let name: StreamName
    /// How many events of each kind.
    public internal(set) var counts: [RetainedKind: Int] = [:]
  }

  /// The moment by which it was judged.
  public let now: Timestamp
  /// The policies it went by, by namespace.
  public let policies: [RetentionPolicy]
  /// The people of whom there was anything, by namespace and name.
  public internal(set) var users: [User] = []
  /// How many receipts of contexts, by namespace.
  public internal(set) var receipts: [Namespace: Int] = [:]
  /// Where events are that could not be read, or taken out, since they are damaged: they stay as they are. A run tells of
  /// what it came upon, ``EventLog/verify(against:in:signedBy:progress:)`` of all.
  public internal(set) var damaged: [LogPosition] = []
  /// How many receipts are damaged, or quote what is: they stay too.
  public internal(set) var damagedReceipts = 0
  /// Whether nothing of it is left in the file; `nil` where nothing was taken out, since it was only asked.
  public internal(set) var isScrubbed: Bool?

  /// Whether all there is could be looked at.
  public var isWhole: Bool { damaged.isEmpty && damagedReceipts == 0 }

  /// How many events of a namespace.
  public func counts(in namespace: Namespace) -> [RetainedKind: Int] {
    users.filter { $0.name.namespace == namespace }
      .reduce(into: [:]) { counts, user in counts.merge(user.counts, uniquingKeysWith: +) }
  }
}

extension MemoirStore {
  // MARK: Policies

  /// The policies there are, by namespace.
  public func retentionPolicies() throws(MemoirError) -> [RetentionPolicy] {
    var policies: [RetentionPolicy] = []
    do throws(StorageError) {
      try log.forEachRecord(in: .retention, from: RetentionKey.policies) { key, value throws(DamagedBytes) in
        guard let namespace = try RetentionKey.namespace(of: key) else { return false }
        policies.append(try RetentionPolicy(of: namespace, decoding: value))
        return true
      }
    } catch {
      throw MemoirError(error)
    }
    return policies
  }

  /// How long what is kept of a namespace; `nil` where all of it is kept for good.
  public func retention(of namespace: Namespace) throws(MemoirError) -> RetentionPolicy? {
    try retentionPolicies().first { $0.namespace == namespace }
  }

  /// From now on holds to a policy, in the place of the namespace's policy before. What was redacted stays so.
  public func setRetention(_ policy: RetentionPolicy) async throws(MemoirError) {
    do throws(StorageError) {
      try await log.keepRecord(policy.encoded(), at: RetentionKey.policy(policy.namespace), in: .retention)
    } catch {
      throw MemoirError(error)
    }
  }

  /// From now on keeps everything of a namespace for good. Does nothing where there is no policy.
  public func removeRetention(of namespace: Namespace) async throws(MemoirError) {
    do throws(StorageError) {
      try await log.removeRecord(at: RetentionKey.policy(namespace), in: .retention)
    } catch {
      throw MemoirError(error)
    }
  }

  // MARK: Running

  /// What a run would redact now.
  ///
  /// What is damaged stops nobody: it is passed over, and told.
  /// - Parameter namespace: Of one namespace alone; else of all that have a policy.
  /// - Complexity: O(events recorded since what the run before looked at, and receipts).
  public func previewRetention(
    in namespace: Namespace? = nil, now: Timestamp? = nil
  ) throws(MemoirError) -> RetentionReport {
    do {
      let plan = try retentionPlan(in: namespace, now: now ?? clock())
      var report = RetentionReport(now: plan.now, policies: plan.policies)
      var search = RetentionSearch(log)
      var tally = RetentionTally()
      for slice in plan.slices { tally.add(try expired(in: slice, by: plan, &search)) }
      report.users = tally.users
      report.receipts = try expiredReceipts(by: plan, &search).mapValues(\.count)
      report.add(search)
      return report
    } catch {
      throw MemoirError(error)
    }
  }

  /// Redacts what is older than the policies say, and clears the file of it.
  ///
  /// What is cut short, or done by several at once, comes to the same: what was redacted stays so, and the next run goes on
  /// from there. As of every point, states are then those of a log in which these events say nothing.
  ///
  /// - Parameter namespace: Of one namespace alone; else of all that have a policy.
  /// - Returns: What this run found. Where a reader that began before can still see some of it, it is not yet scrubbed:
  ///   see ``scrubRedacted()``.
  /// - Complexity: O(events recorded since what the run before looked at, and receipts), and of the pages of the file.
  public func runRetention(
    in namespace: Namespace? = nil, now: Timestamp? = nil
  ) async throws(MemoirError) -> RetentionReport {
    do {
      var plan = try retentionPlan(in: namespace, now: now ?? clock())
      var report = RetentionReport(now: plan.now, policies: plan.policies)
      var search = RetentionSearch(log)
      var tally = RetentionTally()
      for slice in plan.slices {
        let found = try expired(in: slice, by: plan, &search)
        for start in stride(from: 0, to: found.count, by: Self.redactionsPerCommit) {
          try Task.checkCancellation()
          var batch = Array(found[start..<min(start + Self.redactionsPerCommit, found.count)])
          for index in try await log.redact(batch.map { ($0.user, $0.version) }).reversed() {
            search.damaged.insert(batch.remove(at: index).position)
          }
          tally.add(batch)
        }
        try await notePlan(&plan, through: slice.upperBound)
      }
      report.users = tally.users
      let receipts = try expiredReceipts(by: plan, &search)
      report.add(search)
      for (_, ids) in receipts { try await log.redactRecords(at: ids.map(\.key), in: .receipts) }
      report.receipts = receipts.mapValues(\.count)
      report.isScrubbed = try await scrubRedacted()
      return report
    } catch {
      throw MemoirError(error)
    }
  }

  /// Overwrites in the file what was redacted or erased, where that has not been done yet.
  ///
  /// - Returns: Whether it is done: not while a reader that began before can still see some of it.
  @discardableResult
  public func scrubRedacted() async throws(MemoirError) -> Bool {
    do throws(StorageError) { return try await log.scrubErased() } catch { throw MemoirError(error) }
  }

  /// Others' appends wait for so many redactions.
  private static let redactionsPerCommit = 500

  // MARK: What is too old

  private func retentionPlan(in namespace: Namespace?, now: Timestamp) throws -> RetentionPlan {
    let policies = try retentionPolicies().filter { namespace == nil || $0.namespace == namespace }
    var plan = RetentionPlan(now: now, policies: policies)
    for policy in policies {
      for kind in RetainedKind.allCases {
        guard let end = policy.end(of: kind, at: now) else { continue }
        var through: LogPosition = 0
        if let value = try log.record(at: RetentionKey.through(policy.namespace, kind), in: .retention) {
          var reader = ByteReader(value.rawSpan)
          through = LogPosition(try reader.readUInt64())
        }
        plan.dues[policy.namespace, default: [:]][kind] = RetentionPlan.Due(
          endsAt: end, end: try log.lastPosition(recordedBefore: end), through: through)
      }
    }
    return plan
  }

  /// What is too old in a stretch of the log, in the order in which it is to be taken out.
  private func expired(
    in slice: ClosedRange<LogPosition>, by plan: RetentionPlan, _ search: inout RetentionSearch
  ) throws -> [ExpiredEvent] {
    var found: [(stream: StreamKey, version: StreamVersion, position: LogPosition, kind: RetainedKind)] = []
    var damaged: [LogPosition] = []
    try log.forEachEvent(
      after: LogPosition(slice.lowerBound.number - 1), through: slice.upperBound, damaged: { damaged.append($0) }
    ) { stream, event in
      guard !event.isRedacted, let kind = RetainedKind(event) else { return }
      found.append((stream, event.version, event.position, kind))
    }
    search.damaged.formUnion(damaged)
    var expired: [ExpiredEvent] = []
    // What they would bring back goes before them, so that it never comes back.
    var first: [ExpiredEvent] = []
    for event in found {
      guard let name = try search.name(of: event.stream, at: event.position),
        let due = plan.dues[name.namespace]?[event.kind], event.position > due.through, event.position <= due.end
      else { continue }
      let one = ExpiredEvent(user: name, version: event.version, position: event.position, kind: event.kind)
      expired.append(one)
      if event.kind == .facts { first += try search.relearned.after(one) }
    }
    return first + expired.filter { !search.relearned.isTaken($0) }
  }

  /// Notes that everything too old is redacted up to a position.
  private func notePlan(_ plan: inout RetentionPlan, through position: LogPosition) async throws(StorageError) {
    for (namespace, dues) in plan.dues {
      for (kind, due) in dues {
        let reached = min(due.end, position)
        guard reached > due.through else { continue }
        try await log.keepRecord(
          RetentionKey.number(reached.number), at: RetentionKey.through(namespace, kind), in: .retention)
        plan.dues[namespace]?[kind]?.through = reached
      }
    }
  }

  /// The receipts that quote something too old, or what a person asked when it is too old itself.
  private func expiredReceipts(
    by plan: RetentionPlan, _ search: inout RetentionSearch
  ) throws -> [Namespace: [ReceiptID]] {
    var quoting: [(id: ReceiptID, user: StreamName, firsts: [RetainedKind: StreamVersion])] = []
    var expired: [Namespace: [ReceiptID]] = [:]
    if plan.dues.isEmpty { return expired }
    var damaged = 0
    try forEachReceipt(from: .earliest, through: .latest, damaged: { damaged += 1 }) { receipt in
      guard let dues = plan.dues[receipt.user.namespace] else { return }
      if let due = dues[.messages], receipt.createdAt < due.endsAt {
        expired[receipt.user.namespace, default: []].append(receipt.id)
      } else if receipt.quotes(anyOf: dues.keys) {
        quoting.append((receipt.id, receipt.user, receipt.firstQuoted()))
      }
    }
    var lasts: [StreamName: [RetainedKind: StreamVersion]] = [:]
    for receipt in quoting {
      do throws(ReadError) {
        for (kind, due) in plan.dues[receipt.user.namespace] ?? [:] {
          guard let first = receipt.firsts[kind] else { continue }
          var last = lasts[receipt.user]?[kind]
          if last == nil { last = try log.version(of: receipt.user, at: .position(due.end)) }
          lasts[receipt.user, default: [:]][kind] = last ?? 0
          if first <= last ?? 0 {
            expired[receipt.user.namespace, default: []].append(receipt.id)
            break
          }
        }
      } catch {
        guard case .storage(.corrupt) = error else { throw error }
        damaged += 1
      }
    }
    search.damagedReceipts += damaged
    return expired
  }
}

/// What a run goes by.
private struct RetentionPlan {
  struct Due {
    /// What was recorded before is too old.
    let endsAt: Timestamp
    /// The last position of it.
    let end: LogPosition
    /// Up to where it is redacted.
    var through: LogPosition
  }

  let now: Timestamp
  let policies: [RetentionPolicy]
  var dues: [Namespace: [RetainedKind: Due]] = [:]

  /// As much of the log as is looked at with one view.
  private static let sliceSize: UInt64 = 65_536

  /// The stretches of the log in which there may be anything.
  var slices: [ClosedRange<LogPosition>] {
    let due = dues.values.flatMap(\.values).filter { $0.through < $0.end }
    guard let first = due.map(\.through).min(), let last = due.map(\.end).max() else { return [] }
    return stride(from: first.number + 1, through: last.number, by: Int(Self.sliceSize)).map { start in
      LogPosition(start)...LogPosition(min(last.number, start + Self.sliceSize - 1))
    }
  }
}

struct ExpiredEvent {
  let user: StreamName
  let version: StreamVersion
  let position: LogPosition
  let kind: RetainedKind
}

/// What a run has found out besides what is too old.
private struct RetentionSearch {
  private var names: StreamNames
  var relearned: RelearnedFacts
  /// Events that could not be read or taken out.
  var damaged: Set<LogPosition> = []
  var damagedReceipts = 0

  init(_ log: EventLog) {
    names = StreamNames(log)
    relearned = RelearnedFacts(log)
  }

  /// Whose event it is; `nil` where that is damaged.
  mutating func name(of stream: StreamKey, at position: LogPosition) throws(StorageError) -> StreamName? {
    do throws(StorageError) { return try names[stream] } catch {
      guard case .corrupt = error else { throw error }
      damaged.insert(position)
      return nil
    }
  }
}

extension RetentionReport {
  fileprivate mutating func add(_ search: RetentionSearch) {
    damaged = search.damaged.sorted()
    damagedReceipts = search.damagedReceipts
  }
}

/// Counts what was found, by person.
private struct RetentionTally {
  private var byUser: [StreamName: RetentionReport.User] = [:]

  mutating func add(_ events: [ExpiredEvent]) {
    for event in events {
      byUser[event.user, default: RetentionReport.User(name: event.user)].counts[event.kind, default: 0] += 1
    }
  }

  var users: [RetentionReport.User] {
    byUser.values.sorted { a, b in
      let names = (a.name.namespace.description.utf8, b.name.namespace.description.utf8)
      if !names.0.elementsEqual(names.1) { return names.0.lexicographicallyPrecedes(names.1) }
      return a.name.user.description.utf8.lexicographicallyPrecedes(b.name.user.description.utf8)
    }
  }
}

/// The names of streams, each looked up once.
private struct StreamNames {
  private let log: EventLog
  private var known: [StreamKey: StreamName] = [:]
  private static let largestCount = 65_536

  init(_ log: EventLog) { self.log = log }

  subscript(stream: StreamKey) -> StreamName {
    mutating get throws(StorageError) {
      if let name = known[stream] { return name }
      let name = try log.name(of: stream)
      if known.count >= Self.largestCount { known.removeAll() }
      known[stream] = name
      return name
    }
  }
}

extension ContextReceipt {
  /// Whether anything of these kinds is in its answer.
  fileprivate func quotes(anyOf kinds: some Sequence<RetainedKind>) -> Bool {
    !answer.isEmpty
      && kinds.contains { kind in
        switch kind {
        case .messages: figures.messages > 0
        case .facts: figures.facts > 0
        case .summaries: figures.sessions > 0
        }
      }
  }

  /// Of each kind in its answer the first event.
  fileprivate func firstQuoted() -> [RetainedKind: StreamVersion] {
    var firsts: [RetainedKind: StreamVersion] = [:]
    try? JSONParser().parse(answer.span) { node in
      guard let items = node["items"] else { return }
      var elements = items.elements
      while let item = elements.next() {
        guard let kind = item["kind"]?.string.flatMap({ RetainedKind(quoted: $0) }),
          let version = item["version"]?.uint64.map({ StreamVersion($0) })
        else { continue }
        firsts[kind] = min(firsts[kind] ?? version, version)
      }
    }
    return firsts
  }
}

extension RetentionPolicy {
  /// In a copy that ends at a position, only up to there anything has been looked at.
  static func fate(_ key: [UInt8], _ value: [UInt8], endingAt end: LogPosition) -> RecordFate {
    guard key.first == RetentionKey.reached else { return .keep }
    var reader = ByteReader(value.rawSpan)
    guard let reached = try? reader.readUInt64(), reached > end.number else { return .keep }
    return .replace(RetentionKey.number(end.number))
  }
}

private enum RetentionKey {
  /// Before all policies.
  static let policies: [UInt8] = [1]
  static let reached: UInt8 = 2

  static func policy(_ namespace: Namespace) -> [UInt8] { policies + Array(namespace.description.utf8) }

  static func through(_ namespace: Namespace, _ kind: RetainedKind) -> [UInt8] {
    [reached] + Array(namespace.description.utf8) + [0, kind.code]
  }

  /// The namespace of a policy's key; `nil` for another key.
  static func namespace(of key: RawSpan) throws(DamagedBytes) -> Namespace? {
    guard key.byteCount > 0, key.byte(at: 0) == policies[0] else { return nil }
    guard let namespace = try? Namespace(key.extracting(droppingFirst: 1).string()) else { throw DamagedBytes() }
    return namespace
  }

  static func number(_ number: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: 8)
    writer.write(number)
    return writer.bytes
  }
}
