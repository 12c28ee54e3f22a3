// Policies of retention, and what a run found, as JSON: the same on every surface. Keys are sorted.
public import EventStore
public import JSON

extension RetentionPolicy {
  /// Prints `{"facts_days","messages_days","namespace","summaries_days"}`; null for what is kept for good.
  public func write(to writer: inout JSONWriter) { Self.write(days, of: namespace, to: &writer) }

  /// Prints what holds of a namespace that may have no policy.
  public static func write(
    _ policy: RetentionPolicy?, of namespace: Namespace, to writer: inout JSONWriter
  ) {
    write(policy?.days ?? [:], of: namespace, to: &writer)
  }

  private static func write(_ days: [RetainedKind: Int], of namespace: Namespace, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("facts_days")
    writer.write(days[.facts])
    writer.key("messages_days")
    writer.write(days[.messages])
    writer.key("namespace")
    writer.string(namespace.description)
    writer.key("summaries_days")
    writer.write(days[.summaries])
    writer.endObject()
  }
}

extension RetentionReport {
  /// Prints `{"damaged_events","damaged_receipts","dry_run",
  /// "namespaces":[{"facts","messages","namespace","receipts","summaries","users":[…]}],"now"}`, `first_damaged` where
  /// there is any, and `scrubbed` where it was no dry run.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("damaged_events")
    writer.integer(damaged.count)
    writer.key("damaged_receipts")
    writer.integer(damagedReceipts)
    writer.key("dry_run")
    writer.bool(isScrubbed == nil)
    if let first = damaged.first {
      writer.key("first_damaged")
      writer.integer(first.number)
    }
    writer.key("namespaces")
    writer.array(policies.map(\.namespace)) { writer, namespace in
      writer.beginObject()
      writer.write(counts(in: namespace)) { writer in
        writer.key("namespace")
        writer.string(namespace.description)
        writer.key("receipts")
        writer.integer(receipts[namespace] ?? 0)
      }
      writer.key("users")
      writer.array(users.filter { $0.name.namespace == namespace }) { writer, user in
        writer.beginObject()
        writer.write(user.counts) { _ in }
        writer.key("user")
        writer.string(user.name.user.description)
        writer.endObject()
      }
      writer.endObject()
    }
    writer.key("now")
    writer.write(now)
    if let isScrubbed {
      writer.key("scrubbed")
      writer.bool(isScrubbed)
    }
    writer.endObject()
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ number: Int?) {
    if let number { integer(number) } else { null() }
  }

  /// Members that count events, and between them, in the order of keys, those that `body` writes.
  fileprivate mutating func write(_ counts: [RetainedKind: Int], _ body: (inout JSONWriter) -> Void) {
    key("facts")
    integer(counts[.facts] ?? 0)
    key("messages")
    integer(counts[.messages] ?? 0)
    body(&self)
    key("summaries")
    integer(counts[.summaries] ?? 0)
  }
}
