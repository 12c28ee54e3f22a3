// What a dry run finds, for people.
import JSON
import Memoir

/// Shows users that differ, and what was found in all.
struct DryRunText {
  private let result: DryRun.Result

  private static let shownItems = 20

  init(_ result: DryRun.Result) { self.result = result }

  func show(_ difference: StateDifference, on output: Console) throws {
    let version = Quantity.count(difference.version.number)
    var line: StyledText = "\(difference.user.description, .bold) at version \(version) differs"
    if let snapshot = difference.snapshot { line.append(" from its snapshot by \(snapshot)") }
    try output.print(line)
    if let items = difference.items {
      for item in items.prefix(Self.shownItems) { try show(item, on: output) }
      if items.count > Self.shownItems {
        let more = Quantity.count(items.count - Self.shownItems, "item")
        try output.print(StyledText("  … and \(more) more; --json has all", .dim))
      }
      if items.isEmpty { try output.print("  Only what no command shows is different.") }
    } else {
      try output.print("  The snapshot is in a form that this program cannot read.")
    }
    try output.print()
  }

  private func show(_ item: ItemDifference, on output: Console) throws {
    let bullet =
      switch item.change {
      case .added: "  + "
      case .removed: "  - "
      case .changed: "  ~ "
      }
    let origin = item.version.map { ", v\($0)" } ?? ""
    try output.item(item.text, remark: "(\(item.item)\(origin))", bullet: bullet)
    // Of an item that is only on one side its text says enough.
    guard item.change == .changed else { return }
    for field in item.fields {
      try output.paragraph(
        "\(field.key): \(shown(field.from)) → \(shown(field.to))", hanging: "      ")
    }
  }

  /// Events by their versions, all else as it is.
  private func shown(_ value: JSONText?) -> String {
    guard let value else { return "nothing" }
    let versions = try? JSONParser().parse(value.utf8) { node in
      var versions: [String] = []
      var elements = node.elements
      while let element = elements.next() {
        guard element["event_id"] != nil, let version = element["version"]?.uint64 else { return [String]() }
        versions.append("v\(version)")
      }
      return versions
    }
    guard let versions, !versions.isEmpty else { return value.shown }
    return versions.joined(separator: ", ")
  }

  func showSummary(limit: Int, on output: Console) throws {
    let counts = result.counts
    let hidden = counts.different + counts.unreadable - result.differences.count
    if hidden > 0 {
      try output.print(
        StyledText(
          "\(Quantity.count(hidden, "more user differs", plural: "more users differ")); "
            + "--limit shows them", .dim))
      try output.print()
    }
    let projector = result.comparison.projector
    let events = Quantity.count(result.eventsFolded, "event")
    let time = Quantity.duration(.seconds(result.seconds))
    var line: StyledText = "Dry run of \(projector.description, .bold): folded \(events) in \(time)"
    line.append(" (\(Quantity.rate(perSecond: result.eventsPerSecond)))", .dim)
    try output.print(line)
    if result.resumedUsers > 0 {
      let users = Quantity.count(result.resumedUsers, "user")
      try output.print(StyledText("went on where a dry run was interrupted: \(users) were done before", .dim))
    }
    var values = KeyValues()
    values.add("users", StyledText(Quantity.count(counts.streams)))
    values.add("equal", StyledText(Quantity.count(counts.equal)))
    values.add("different", StyledText(Quantity.count(counts.different), counts.different > 0 ? .bold : .plain))
    if counts.unreadable > 0 {
      values.add("unreadable", "\(Quantity.count(counts.unreadable), .bold): their snapshots are in another form")
    }
    if counts.damaged > 0 {
      values.add("damaged", "\(Quantity.count(counts.damaged), .bad): their snapshots are not what was stored")
    }
    values.add("without a snapshot", "\(Quantity.count(counts.withoutSnapshot))")
    for snapshot in counts.snapshotsByName {
      values.add("compared with", "\(snapshot.projector) of \(Quantity.count(snapshot.users, "user"))")
    }
    try output.keyValues(values)
  }
}
