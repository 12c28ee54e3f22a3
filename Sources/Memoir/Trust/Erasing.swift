// Erasing a person: what the memory keeps of them beside the events, and the door to the erasure.
internal import Bytes
public import EventStore
public import JSON
internal import Sodium

extension ErasureRules {
  /// How people are erased from a memory.
  static let memoir = ErasureRules(
    noting: .userErased,
    payload: { tombstone in
      var writer = PayloadWriter()
      UserErased(tombstone).write(into: &writer)
      return writer.bytes
    },
    records: { person in
      [
        RecordErasure(of: .receipts, isCounted: false) { key, value, time in
          ContextReceipt.fate(key, value, of: person, erasedAt: time)
        },
        RecordErasure(of: .grants, isCounted: true) { key, value, _ in Grant.fate(key, value, of: person) },
        RecordErasure(of: .keys, isCounted: true) { key, value, _ in APIKey.fate(key, value, of: person) },
      ]
    },
    recordsAfter: { end in
      [
        RecordErasure(of: .receipts, isCounted: false) { key, value, _ in
          ContextReceipt.fate(key, value, endingAt: end)
        },
        RecordErasure(of: .retention, isCounted: false) { key, value, _ in
          RetentionPolicy.fate(key, value, endingAt: end)
        },
      ]
    },
    isSigned: { log, statement, signature in
      // Where the store has no key, there is nothing to tell by.
      guard let key = (try? StoreKey.read(in: log))?.key?.publicKey else { return true }
      return key.hasSigned(statement, as: signature)
    })
}

extension ContextReceipt {
  /// Of a receipt stays when it was handed out, and how good it was: not to whom, nor what it said.
  fileprivate static func fate(
    _ key: [UInt8], _ value: [UInt8], of person: StreamName, erasedAt time: Timestamp
  ) -> RecordFate {
    var (id, reader) = (ByteReader(key.rawSpan), ByteReader(value.rawSpan))
    guard let id = try? EventID(reading: &id), let receipt = try? ContextReceipt(ReceiptID(id), decoding: &reader),
      receipt.user == person
    else { return .keep }
    return .replace(receipt.erased(at: time).encoded())
  }
}

extension ContextReceipt {
  /// In a copy that ends at a position, what was made of later events goes.
  fileprivate static func fate(_ key: [UInt8], _ value: [UInt8], endingAt end: LogPosition) -> RecordFate {
    var (id, reader) = (ByteReader(key.rawSpan), ByteReader(value.rawSpan))
    guard let id = try? EventID(reading: &id), let receipt = try? ContextReceipt(ReceiptID(id), decoding: &reader),
      receipt.position > end
    else { return .keep }
    return .remove
  }
}

extension Grant {
  /// What the person granted goes, and what they were granted by others of the namespace.
  fileprivate static func fate(_ key: [UInt8], _ value: [UInt8], of person: StreamName) -> RecordFate {
    guard let grant = try? Grant(key: key, decoding: value),
      grant.owner.namespace == person.namespace
    else { return .keep }
    return grant.owner == person || grant.grantee == .person(person.user) ? .remove : .keep
  }
}

extension APIKey {
  /// The person's own key goes; one that reaches others, too, reaches them still. One that reaches several namespaces
  /// names the person as long as they are known in any of them. What people call a key stays: it is theirs to choose.
  fileprivate static func fate(_ key: [UInt8], _ value: [UInt8], of person: StreamName) -> RecordFate {
    let text = String(decoding: key.dropFirst(), as: UTF8.self)
    guard let id = try? APIKeyID(text), var found = try? APIKey(id, decoding: value),
      case .only(let namespaces) = found.namespaces, namespaces.contains(person.namespace),
      let users = found.users, users.contains(.exactly(person.user))
    else { return .keep }
    found.users = users.filter { $0 != .exactly(person.user) }
    let fate: RecordFate = found.users == [] ? .remove : .replace(found.encoded())
    let elsewhere = namespaces.filter { $0 != person.namespace }.map { StreamName(person.user, in: $0) }
    return elsewhere.isEmpty ? fate : .keepWhileKnown(elsewhere, else: fate)
  }
}

extension MemoirStore {
  /// Erases a person: all that is kept of them is gone, and only that there was something, and when it went, stays.
  ///
  /// Their events stay in the log as proof of its order, without what they said and without names. Every state of the
  /// person is empty from now on, at every point, until something new is appended.
  ///
  /// - Parameters:
  ///   - by: Who has it done; it stays in the log. 1…250 bytes, and not about the person.
  /// - Returns: How many events lost what they said: 0 for who was erased before; and whether nothing of it can be found
  ///   in the store's files any more. Readers that began before keep it there until they end.
  /// - Throws: `not_found` for a user nobody has heard of; `invalid_argument` for a `by` that is no name; `corrupt` where
  ///   an event of the user is damaged: then nothing is erased.
  /// - Complexity: O(events of the user, and pages of the store).
  @discardableResult
  public func erase(_ user: StreamName, by: String) async throws(MemoirError) -> ErasureSummary {
    do throws(InvalidValue) { try NameRule.check(by, longest: 250, field: "by") } catch { throw MemoirError(error) }
    let key = try signingKey()
    let summary: ErasureSummary?
    do throws(StorageError) {
      summary = try await log.erase(user, by: by, signing: { key.sign($0).bytes })
    } catch {
      throw MemoirError(error)
    }
    guard let summary else { throw .noUser(user) }
    return summary
  }

  /// When a user was erased last; `nil` where that never was.
  ///
  /// - Complexity: O(log n).
  public func erasedAt(_ user: StreamName) throws(MemoirError) -> Timestamp? {
    do throws(StorageError) { return try log.lastErasure(of: user)?.erasedAt } catch { throw MemoirError(error) }
  }
}

extension ErasureSummary {
  /// Prints `{"erased","scrubbed"}`.
  public func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("erased")
    writer.integer(erased)
    writer.key("scrubbed")
    writer.bool(isScrubbed)
    writer.endObject()
  }
}
