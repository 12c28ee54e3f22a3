// Merging two changes of one JSON value against the value both began from.
public import JSON

/// Something that two sides have changed to different values.
public struct MergeConflict: Sendable {
  /// Where it is: the preference's key, then the keys of members within its value.
  public let path: [String]
  /// What both sides began from; `nil` where there was nothing.
  public let base: JSONText?
  /// What the caller wants; `nil` where it is taken out.
  public let yours: JSONText?
  /// What is there now; `nil` where it was taken out.
  public let theirs: JSONText?
}

/// Merges values, objects member by member.
///
/// What only one side changed is taken from that side; what both changed alike is no conflict. Anything but two objects
/// that both go back to an object, or to nothing, is taken as a whole. Numbers are compared as decimals.
struct ThreeWayMerge {
  /// Decides a conflict; `nil` leaves it one.
  let resolve: @Sendable (MergeConflict) -> JSONText?
  /// What was left undecided.
  private(set) var conflicts: [MergeConflict] = []

  init(resolve: @escaping @Sendable (MergeConflict) -> JSONText? = { _ in nil }) {
    self.resolve = resolve
  }

  /// The merged value; `nil` where it is taken out.
  mutating func merge(base: JSONText?, yours: JSONText?, theirs: JSONText?, at path: [String]) -> JSONText? {
    if isSame(theirs, base) || isSame(yours, theirs) { return yours }
    if isSame(yours, base) { return theirs }
    guard let mine = yours?.members, let other = theirs?.members, base == nil || base?.kind == .object else {
      let conflict = MergeConflict(path: path, base: base, yours: yours, theirs: theirs)
      if let resolved = resolve(conflict) { return resolved }
      conflicts.append(conflict)
      return theirs
    }
    let before = base?.members ?? [:]
    var writer = JSONWriter()
    writer.beginObject()
    let keys = Set(mine.keys).union(other.keys).sorted { $0.lexicographicallyPrecedes($1) }
    for key in keys {
      let merged = merge(
        base: before[key], yours: mine[key], theirs: other[key],
        at: path + [String(decoding: key, as: UTF8.self)])
      guard let merged else { continue }
      writer.key(utf8: key.span)
      writer.value(merged)
    }
    writer.endObject()
    return JSONText(canonical: writer.finish())
  }

  private func isSame(_ a: JSONText?, _ b: JSONText?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return a.isSame(as: b)
  }
}

extension JSONText {
  /// The members of an object by the bytes of their keys, which a string would not tell apart; `nil` for other values.
  fileprivate var members: [[UInt8]: JSONText]? {
    guard kind == .object else { return nil }
    // What was stored was parsed before, within these limits.
    return try? JSONParser().parse(
      utf8.span, limits: JSONLimits(depth: JSONLimits.greatestDepth, sizeInBytes: JSONLimits.greatestSizeInBytes)
    ) { node in
      var found: [[UInt8]: JSONText] = [:]
      var members = node.members
      while let member = members.next() {
        found[Array((member.key.string ?? "").utf8)] = JSONText(member.value)
      }
      return found
    }
  }
}
