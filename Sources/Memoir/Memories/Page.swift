// A list a part at a time: what stands in it, and where it goes on.
public import EventStore
internal import JSON

/// A part of a list that is in the order of the events behind it.
public struct Page<Item: Sendable>: Sendable {
  /// What stands in it.
  public let items: [Item]
  /// After which version to go on; `nil` at the end.
  public let next: StreamVersion?
  /// How many there are in all.
  public let total: Int

  /// The first `limit` of `all` behind `version`, at least one.
  ///
  /// - Parameter all: In the order of the versions that `place` says of them.
  init<Element, Failure: Error>(
    of all: [Element], after version: StreamVersion, limit: Int, place: (Element) -> StreamVersion,
    _ make: (Element) throws(Failure) -> Item
  ) throws(Failure) {
    let rest = all.drop { place($0) <= version }
    let page = rest.prefix(max(limit, 1))
    var items: [Item] = []
    for element in page { items.append(try make(element)) }
    self.items = items
    next = page.count < rest.count ? page.last.map(place) : nil
    total = all.count
  }

  /// Prints `{NAME,"next","total"}`.
  func write(as name: StaticString, to writer: inout JSONWriter, _ write: (inout JSONWriter, Item) -> Void) {
    writer.beginObject()
    writer.key(name)
    writer.array(items, write)
    writer.writeNext(next)
    writer.key("total")
    writer.integer(total)
    writer.endObject()
  }
}

extension JSONWriter {
  /// Prints the member `next`.
  mutating func writeNext(_ version: StreamVersion?) {
    key("next")
    if let version { integer(version.number) } else { null() }
  }
}
