// A context as JSON, the same on every surface and in its receipt. Keys are sorted.
internal import EventStore
public import JSON

extension JSONWriter {
  /// `{"items":[…],"known","meaning","omitted","receipt","text","tokens"}`: `known` only where nobody is known by that name.
  mutating func write(_ context: ContextPackage, receipt: ReceiptID?) {
    beginObject()
    key("items")
    array(context.items) { $0.write($1) }
    if !context.isKnown {
      key("known")
      bool(false)
    }
    if let meaning = context.meaning {
      key("meaning")
      meaning.write(to: &self)
    }
    key("omitted")
    integer(context.omitted)
    if let receipt {
      key("receipt")
      string(receipt.description)
    }
    key("text")
    string(context.text)
    key("tokens")
    integer(context.tokens)
    endObject()
  }

  private mutating func write(_ item: ContextItem) {
    beginObject()
    key("event_id")
    write(item.event.id)
    key("id")
    string(item.id)
    key("kind")
    string(item.kind)
    key("priority")
    rounded(item.priority)
    key("recency")
    rounded(item.recency)
    key("relevance")
    rounded(item.relevance)
    key("score")
    rounded(item.score)
    key("section")
    string(item.section.rawValue)
    if let staleness = item.staleness {
      key("staleness")
      staleness.write(to: &self)
    }
    key("text")
    string(item.text)
    key("version")
    integer(item.event.version.number)
    endObject()
  }
}

extension ContextPackage {
  /// Prints the context as every surface hands it out: with its receipt, the bytes that the receipt gives again.
  public func write(_ receipt: ContextReceipt?, to writer: inout JSONWriter) {
    if let receipt { receipt.write(to: &writer) } else { writer.write(self, receipt: nil) }
  }
}

extension ContextReceipt {
  /// Prints the receipt as it was handed out, byte for byte; of somebody who was erased since,
  /// `{"erased_at","receipt"}`.
  public func write(to writer: inout JSONWriter) {
    guard let erasedAt else { return writer.value(canonical: answer.span) }
    writer.beginObject()
    writer.key("erased_at")
    writer.write(erasedAt)
    writer.key("receipt")
    writer.string(id.description)
    writer.endObject()
  }

  /// The text that was handed out; empty where it was erased.
  public var text: String {
    (try? JSONParser().parse(answer.span) { $0.member(named: "text")?.string }).flatMap { $0 } ?? ""
  }
}
