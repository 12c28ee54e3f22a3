// Recall: the memories that answer a question best, now or as it would have been answered then.
internal import Bytes
public import EventStore

extension MemoirStore {
  /// The memories of a user that answer a question best.
  ///
  /// It ranks all there is and fills `topK`; it is no threshold. The same store, question and point give the same order.
  /// Asked at an earlier point, it ranks with what was known, alive and indexed then: nothing after that point changes
  /// what comes back, how it is scored, or how rare a word is taken to be.
  ///
  /// - Returns: An empty answer for a user nobody has heard of.
  /// - Throws: `invalid_argument` or `too_large` for a question that can't be asked, or a point beyond the head.
  /// - Complexity: O(memories + messages, where those are asked for), some ns each; the first question of a process reads
  ///   what came after the latest snapshot of the index.
  public func recall(
    _ query: RecallQuery, of user: StreamName, at point: AsOfText = .now
  ) async throws(MemoirError) -> RecallAnswer {
    try await recall([query], of: user, at: point)[0]
  }

  /// The answers to several questions, in one look at the memory.
  public func recall(
    _ queries: [RecallQuery], of user: StreamName, at point: AsOfText = .now
  ) async throws(MemoirError) -> [RecallAnswer] {
    for query in queries { try query.check() }
    guard let memory = try memoryAtPoint(of: user, at: point) else {
      let answer = RecallAnswer.ofNobody(user, at: point, clock: clock())
      return queries.map { _ in answer }
    }
    var answers: [RecallAnswer] = []
    for query in queries {
      answers.append(try answer(query, from: memory, await meaning(of: query.text, to: memory)))
    }
    return answers
  }

  /// What can be recalled at a point; `nil` for a user nobody has heard of.
  func memoryAtPoint(of user: StreamName, at point: AsOfText) throws(MemoirError) -> MemoryAtPoint? {
    do {
      // In this order: the state may hold more than the head, and the index more than the state, never less.
      let head = try log.version(of: user)
      guard let state = try log.state(of: user, by: projector, at: point.asOf),
        let index = try log.state(of: user, by: recallProjector)
      else {
        try checkOfNobody(point)
        return nil
      }
      let at = StateAt(
        user: user, asOf: point, version: state.version, clock: state.judgedAt ?? clock(), state: state.state)
      return MemoryAtPoint(at, index.state, head: head, decay: memory.decay)
    } catch {
      throw MemoirError(error)
    }
  }

  /// Refuses points that nobody's memory has.
  private func checkOfNobody(_ point: AsOfText) throws {
    switch point {
    case .start, .now, .occurred: break
    case .version(let version):
      guard version == 0 else { throw InvalidValue(field: "at_version", reason: "is \(version), beyond the head at 0") }
    case .position(let position):
      let last = try log.lastPosition()
      guard position <= last else {
        throw InvalidValue(field: "at_position", reason: "is \(position), beyond the log's end at \(last)")
      }
    case .recorded(let time):
      guard time <= max(clock(), try log.lastRecorded().recordedAt ?? .earliest) else {
        throw InvalidValue(
          field: "recorded_at", reason: "is \(time), later than now and than all that was recorded")
      }
    }
  }

  /// How near all texts are to a question; `nil` where there is no embedder.
  func meaning(of question: String, to memory: MemoryAtPoint) async -> SemanticAnswer? {
    if embedder == nil { return nil }
    return await semanticScores(for: question, of: memory.state.user, through: memory.last)
  }

  func answer(
    _ query: RecallQuery, from memory: MemoryAtPoint, _ meaning: SemanticAnswer?
  ) throws(MemoirError) -> RecallAnswer {
    do {
      let session = try query.session.map { try number(of: $0, of: memory.state.user)?.number ?? 0 }
      return try recallProjector.analyzers.withAnalyzer { analyzer throws in
        var ranked = memory.rank(query, session: session, meaning, analyzer)
        var answer = RecallAnswer(
          user: memory.state.user, asOf: memory.state.asOf, version: memory.state.version, clock: memory.state.clock)
        var choice = Choice(limit: query.topK)
        while !choice.isFull, let next = ranked.next() {
          guard let recalled = try recalled(next, parts: ranked.parts(of: next), memory) else { continue }
          choice.offer(recalled, terms: analyzer.terms(of: recalled.content))
        }
        answer.memories = choice.memories
        if query.kinds.contains(.fact) { answer.faded = memory.faded }
        answer.meaning = meaning.map { MeaningUse($0, missing: ranked.missing) }
        return answer
      }
    } catch {
      throw MemoirError(error)
    }
  }

  /// A ranked text with what it says; `nil` where that was taken out of the log meanwhile.
  private func recalled(
    _ ranked: RankedText, parts: ScoreParts, _ memory: MemoryAtPoint
  ) throws -> RecalledMemory? {
    if ranked.kind == .fact {
      guard let (fact, importance) = memory.fact(ranked) else { return nil }
      let event = try fact.session == nil ? nil : log.event(at: fact.origin.version, of: memory.state.user)
      return RecalledMemory(
        kind: .fact, id: fact.factID.description, content: fact.fact, score: ranked.score,
        parts: parts, event: fact.origin, occurredAt: fact.learnedAt, session: event?.session,
        role: nil, fact: fact, importance: importance,
        staleness: self.memory.staleness.staleness(of: fact, at: memory.state.clock))
    }
    guard let event = try log.event(at: StreamVersion(ranked.version), of: memory.state.user) else { return nil }
    let content: String
    var role: MessageRole?
    switch try MemoirEvent(event) {
    case .messageAdded(let message):
      content = message.content
      role = message.role
    case .sessionEnded(let end): content = end.summary ?? ""
    case .episodeRecorded(let episode): content = episode.recallText
    case .custom(let event): content = SessionDistilled.summary(of: event) ?? ""
    default: return nil
    }
    return RecalledMemory(
      kind: ranked.kind, id: event.id.description, content: content, score: ranked.score,
      parts: parts, event: EventReference(id: event.id, version: event.version),
      occurredAt: event.occurredAt, session: event.session, role: role, fact: nil, importance: nil,
      staleness: ranked.kind == .summary
        ? self.memory.staleness.staleness(ofSummaryAt: event.occurredAt, at: memory.state.clock) : nil)
  }
}
