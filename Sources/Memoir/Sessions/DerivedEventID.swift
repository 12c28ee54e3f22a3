// Ids that follow from what an event is about, so that whoever does the same again makes the same id.
internal import Bytes
internal import EventStore
internal import Sodium

extension EventID {
  /// The id of an event about `session`, told from others about it by `purpose`: a UUID of version 8 (RFC 9562).
  ///
  /// It is made of the id of the event that began the session. Names of people have no part in it: an id outlives an
  /// erasure, and must not let anyone guess them.
  static func derived(from session: EventID, _ purpose: [String]) -> EventID {
    var writer = ByteWriter()
    writer.writeString("memoir.session")
    session.write(into: &writer)
    for part in purpose { writer.writeString(part) }
    let digest = BLAKE2b.digest(writer.bytes.rawSpan)
    return EventID(
      high: digest.prefix64 & 0xffff_ffff_ffff_0fff | 0x8000,
      low: digest.suffix64 >> 2 | 0x8000_0000_0000_0000)
  }
}

extension Session {
  /// The event that begins the session in the order of the versions is known by its number for ever; so is this.
  func derivedID(_ purpose: String...) -> EventID { .derived(from: origin.id, purpose) }

  func derivedID(_ purpose: String, _ distiller: DistillerIdentity, _ more: String...) -> EventID {
    .derived(from: origin.id, [purpose, distiller.name, distiller.model ?? "", distiller.version] + more)
  }
}
