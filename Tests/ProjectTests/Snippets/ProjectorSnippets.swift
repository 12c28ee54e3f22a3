// What the guide to writing a projector shows.
import Foundation
import Memoir
import Testing

// snippet
/// What a customer has ordered.
struct Orders: ProjectionState, Equatable {
  var count: UInt64 = 0
  var total: UInt64 = 0

  // How many bytes `encode` appends. It is asked after every event, so it must be quick.
  var encodedSize: Int { EncodedSize.varint(Int(count)) + EncodedSize.varint(total) }

  func encode(into writer: inout ByteWriter) {
    writer.writeVarint(count)
    writer.writeVarint(total)
  }

  init() {}

  init(decoding reader: inout ByteReader) throws(DamagedBytes) {
    count = try reader.readVarint()
    total = try reader.readVarint()
  }
}
// end

// snippet
struct OrderProjector: Projector {
  let name = "shop.orders"
  let version = 1

  func initialState() -> Orders { Orders() }

  func apply(_ event: borrowing EventView, to state: inout Orders) throws(DamagedBytes) {
    guard event.type == .custom, try event.customType.string() == "OrderPlaced" else { return }
    var fields = PayloadReader(event.payload)
    guard let data = try fields.next(), let cents = Self.cents(data.bytes.array()) else {
      throw DamagedBytes()
    }
    state.count += 1
    state.total += cents
  }

  private static func cents(_ data: [UInt8]) -> UInt64? {
    try? JSONParser().parse(data.span) { order throws -> UInt64? in order["cents"]?.uint64 }
  }
}
// end

/// The version to come: it leaves out orders of less than five.
private struct NextOrderProjector: Projector {
  let name = "shop.orders"
  let version = 2
  private let before = OrderProjector()

  func initialState() -> Orders { Orders() }

  func apply(_ event: borrowing EventView, to state: inout Orders) throws(DamagedBytes) {
    var next = state
    try before.apply(event, to: &next)
    if next.total >= state.total + 500 { state = next }
  }
}

@Suite struct `The example of a projector` {
  @Test func `folds an application's events, now and as of then`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "memoir-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // snippet
    let store = try MemoirStore(folder: folder)
    let bob = StreamName(try UserID("bob"))
    for cents in [1_200, 350] {
      let order = try CustomEvent(type: "OrderPlaced", data: JSONText(parsing: #"{"cents":\#(cents)}"#))
      try await store.append([.custom(order)], to: bob)
    }

    let orders = try store.log.state(of: bob, by: OrderProjector())
    let before = try store.log.state(of: bob, by: OrderProjector(), at: .version(1))
    let replay = try store.log.replay(by: OrderProjector())
    // end
    #expect(orders?.state.total == 1_550 && orders?.state.count == 2)
    #expect(before?.state.total == 1_200)
    #expect(replay.streams == 1 && replay.events == 2)

    // snippet
    var dryRun = try store.log.comparison(of: OrderProjector(), with: NextOrderProjector())
    var changed: [String] = []
    while let different = try dryRun.next() {
      for user in different { changed.append("\(user.name): \(user.before?.total ?? 0) → \(user.after.total)") }
    }
    let counts = dryRun.checkpoint.counts  // counts.equal, counts.different
    // end
    #expect(changed == ["bob: 1550 → 1200"])
    #expect(counts.equal == 0 && counts.different == 1)
  }

  @Test func `reads what it wrote`() throws {
    var orders = Orders()
    orders.count = 300
    orders.total = 1_000_000
    var writer = ByteWriter()
    orders.encode(into: &writer)
    #expect(writer.count == orders.encodedSize)
    let bytes = writer.bytes
    var reader = ByteReader(bytes.rawSpan)
    let read = try Orders(decoding: &reader)
    #expect(read == orders)
  }
}
