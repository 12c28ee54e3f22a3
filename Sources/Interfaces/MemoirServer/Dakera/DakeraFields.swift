// The members of what Dakera's clients send, read with checks; `null` is absent.
import JSON
import Memoir

extension JSONNode {
  /// The value of a member, unless it is `null`.
  @_lifetime(copy self)
  func wireValue(_ key: StaticString) -> JSONNode? {
    guard let value = self[key], !value.isNull else { return nil }
    return value
  }

  func hasMember(_ key: StaticString) -> Bool { wireValue(key) != nil }

  func wireText(_ key: StaticString) throws(MemoirError) -> String? {
    guard let value = wireValue(key) else { return nil }
    guard let text = value.string else { throw .invalid(field: "\(key)", "must be a string") }
    return text
  }

  func wireInteger(_ key: StaticString, in range: ClosedRange<Int64>) throws(MemoirError) -> Int64? {
    guard let value = wireValue(key) else { return nil }
    guard let number = value.int64, range.contains(number) else {
      throw .invalid(field: "\(key)", "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func wireFraction(_ key: StaticString) throws(MemoirError) -> Fraction? {
    guard let value = wireValue(key) else { return nil }
    guard let number = value.double, let fraction = try? Fraction(number) else {
      throw .invalid(field: "\(key)", "must be a number from 0 to 1")
    }
    return fraction
  }

  func wireFlag(_ key: StaticString) throws(MemoirError) -> Bool? {
    guard let value = wireValue(key) else { return nil }
    guard let flag = value.bool else { throw .invalid(field: "\(key)", "must be true or false") }
    return flag
  }

  func wireTexts(_ key: StaticString) throws(MemoirError) -> [String]? {
    guard let value = wireValue(key) else { return nil }
    guard let texts = JSONText(value).strings else { throw .invalid(field: "\(key)", "must be a list of strings") }
    return texts
  }

  /// An object, as it is.
  func wireObject(_ key: StaticString) throws(MemoirError) -> JSONText? {
    guard let value = wireValue(key) else { return nil }
    guard value.kind == .object else { throw .invalid(field: "\(key)", "must be an object") }
    guard value.count <= DakeraLimits.metadataFields else {
      throw .invalid(field: "\(key)", "has \(value.count) fields; at most \(DakeraLimits.metadataFields) are allowed")
    }
    return JSONText(value)
  }

  func wireType(_ key: StaticString) throws(MemoirError) -> MemoryType? {
    try wireText(key).map { text throws(MemoirError) in try MemoryType(wire: text, field: "\(key)") }
  }

  /// Unix seconds, or ISO 8601.
  func wireTime(_ key: StaticString, isEnd: Bool = false) throws(MemoirError) -> Timestamp? {
    guard let value = wireValue(key) else { return nil }
    if let text = value.string { return try WireTime.read(text, field: "\(key)", isEnd: isEnd) }
    guard let number = value.double else {
      throw .invalid(field: "\(key)", "must be a time: Unix seconds, or a text like 2026-11-20T10:00:00Z")
    }
    return try WireTime.read(seconds: number, field: "\(key)")
  }

  /// The names of members that are none of these.
  func others(than known: [String]) -> [String] {
    var unknown: [String] = []
    var members = self.members
    while let member = members.next() {
      let name = member.key.string ?? ""
      if !known.contains(name) { unknown.append(name) }
    }
    return unknown
  }
}

/// The limits that Dakera's clients know.
enum DakeraLimits {
  static let contentSize = 100_000
  static let metadataFields = 100
  static let agentSize = 241
  static let batch = 1_000
  /// In seconds: 30 days.
  static let longestIdleTimeout: Int64 = 2_592_000
  static let largestPage = 1_000
}

enum WireTime {
  /// 2286-11-20T17:46:40Z: after it Unix seconds have eleven digits, which were milliseconds more likely.
  private static let seconds: ClosedRange<Double> = 0...10_000_000_000

  static func read(seconds: Double, field: String) throws(MemoirError) -> Timestamp {
    guard self.seconds.contains(seconds) else { throw .invalid(field: field, "is outside the years 1970 to 2286") }
    return Timestamp(clamping: Int64((seconds * 1_000_000).rounded()))
  }

  /// - Parameter isEnd: A day alone means its end.
  static func read(_ text: String, field: String, isEnd: Bool = false) throws(MemoirError) -> Timestamp {
    var full = text
    if text.utf8.count == 10 {
      full += isEnd ? "T23:59:59.999999Z" : "T00:00:00Z"
    } else if text.utf8.count >= 19, !text.utf8.dropFirst(19).contains(where: { "Zz+-".utf8.contains($0) }) {
      // Clients in Python leave the zone out.
      full += "Z"
    }
    do throws(InvalidValue) {
      let time = try Timestamp(full, field: field)
      guard time.wireSeconds <= 10_000_000_000 else {
        throw InvalidValue(field: field, reason: "is after the year 2286")
      }
      return time
    } catch {
      throw MemoirError(error)
    }
  }
}

extension Timestamp {
  /// Unix seconds, whole.
  var wireSeconds: Int64 { microseconds / 1_000_000 }
}

extension MemoryType {
  init(wire text: String, field: String) throws(MemoirError) {
    guard let type = Self.allCases.first(where: { $0.description == text.lowercased() }) else {
      throw .invalid(field: field, "must be one of episodic, semantic, procedural, working")
    }
    self = type
  }
}

/// Agents, as the wire names users.
enum DakeraAgent {
  /// The namespace that an agent's memories are said to be in.
  static func namespace(of user: UserID) -> String { prefix + user.description }
  private static let prefix = "_dakera_agent_"

  /// The user that an agent id means.
  ///
  /// - Throws: `invalid_argument` for what is no agent id.
  static func user(_ text: String, field: String = "agent_id") throws(MemoirError) -> UserID {
    guard (1...DakeraLimits.agentSize).contains(text.utf8.count), let first = text.utf8.first, isLetterOrDigit(first),
      text.utf8.allSatisfy({ isLetterOrDigit($0) || "_.-".utf8.contains($0) })
    else {
      throw .invalid(
        field: field,
        "must be 1…\(DakeraLimits.agentSize) letters, digits, or one of _ . -, and begin with a letter or digit")
    }
    do throws(InvalidValue) { return try UserID(text, field: field) } catch { throw MemoirError(error) }
  }

  /// The user whose namespace this is; `nil` for another namespace.
  static func user(ofNamespace name: String) -> UserID? {
    guard name.hasPrefix(prefix) else { return nil }
    return try? UserID(String(name.dropFirst(prefix.count)))
  }

  /// The user that a session's id names, where it was made here.
  static func user(ofSession id: String) -> UserID? {
    guard let colon = id.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    return try? user(String(id[..<colon]))
  }

  /// A new id for a session, that says whose it is: so it can be found by its id alone.
  static func sessionID(for user: UserID, at now: Timestamp) throws(MemoirError) -> SessionID {
    // As much of it as there is room for beside the longest agent id; taken ones are refused and tried again.
    let unique = EventID.generate(at: now).description.utf8.filter { $0 != UInt8(ascii: "-") }
    let room = Limits.idSize - user.description.utf8.count - 1
    let suffix = String(decoding: unique.suffix(min(room, 32)), as: UTF8.self)
    do throws(InvalidValue) { return try SessionID("\(user):\(suffix)") } catch { throw MemoirError(error) }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }
}
