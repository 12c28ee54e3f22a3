// Memories for people: a line each, or all about one.
import JSON
import Memoir

enum MemoryText {
  static func show(_ page: MemoryPage, on output: Console) throws {
    if page.memories.isEmpty { return try output.print(StyledText("There is no such memory.", .dim)) }
    var table = TextTable([
      .fixed("matters"), .flexible("memory", atLeast: 24), .flexible("category", .dim), .fixed("age"),
      .flexible("id", .accent),
    ])
    for memory in page.memories {
      var matters = StyledText(Bar.text(memory.importance))
      if memory.isArchived { matters.append(" archived", .dim) }
      table.add([
        matters, StyledText(memory.fact.fact), StyledText(memory.fact.category), age(memory.staleness),
        StyledText(memory.fact.factID.description),
      ])
    }
    try output.table(table)
    if let next = page.next {
      try output.print(StyledText("There are more: --after \(next)", .dim))
    } else if page.memories.count > 10 {
      try output.print(StyledText(Quantity.count(page.total, "memory", plural: "memories"), .dim))
    }
  }

  static func show(_ memory: Memory, on output: Console) throws {
    let fact = memory.fact
    try output.paragraph(fact.fact)
    var values = KeyValues()
    values.add("id", StyledText(fact.factID.description, .accent))
    values.add("category", StyledText(fact.category))
    values.add("type", StyledText((fact.memoryType ?? .semantic).description))
    values.add("confidence", StyledText(fact.confidence.percent))
    let stated = fact.importance?.description ?? "0.5, unless stated"
    values.add(
      "importance",
      "\(Bar.text(memory.importance)) \(percent(memory.importance)) now (\(stated))\(memory.isArchived ? ", archived" : "")"
    )
    if let tags = fact.tags?.strings, !tags.isEmpty { values.add("tags", StyledText(tags.joined(separator: ", "))) }
    if let metadata = fact.metadata { values.add("metadata", StyledText(metadata.shown)) }
    if let session = memory.session { values.add("session", StyledText(session.description)) }
    if let source = fact.sourceMessageID { values.add("from message", StyledText(source.description)) }
    values.add("learned", StyledText(fact.learnedAt.second))
    if fact.updatedAt != fact.learnedAt { values.add("last used", StyledText(fact.updatedAt.second)) }
    if let expiry = fact.expiresAt { values.add("until", StyledText(expiry.second)) }
    values.add("age", age(memory.staleness))
    let events = ([fact.origin] + fact.revisedBy.events).map { "v\($0.version)" }
    values.add("events", StyledText(events.joined(separator: ", "), .dim))
    try output.keyValues(values)
  }

  /// What an answer or a context was found without; nothing where nothing is missing.
  static func sayMeaning(_ meaning: MeaningUse?, in context: CommandContext) throws {
    guard let meaning else { return }
    if let absence = meaning.absence {
      try context.errors.print(StyledText("Found by words alone: \(absence).", .dim))
    } else if meaning.missing > 0 {
      let texts = Quantity.count(meaning.missing, "text")
      try context.errors.print(
        StyledText("\(texts) without a vector, found by words alone; 'memoir embed' makes what is missing.", .dim))
    }
  }

  /// That a name may be misspelled: nothing is known of anybody by it.
  static func sayNobody(_ user: StreamName, in context: CommandContext) throws {
    try context.output.flush()
    try context.errors.print(StyledText("Nobody is known as \(user).", .dim))
  }

  private static func age(_ staleness: Staleness) -> StyledText {
    let age = staleness.ageInSeconds
    var text = StyledText(age == 0 ? "new" : Quantity.duration(.seconds(age)))
    if !staleness.isValid {
      text.append(", stale", .bad)
    } else if staleness.needsRefresh {
      text.append(", refresh", .dim)
    }
    return text
  }

  private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded()))%" }
}
