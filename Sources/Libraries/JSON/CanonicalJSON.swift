// Canonical JSON: one spelling for equal values, numbers aside.
//
// Keys sorted by their UTF-8 bytes, no white space, the shortest escapes, numbers as written. Only `"`, `\`
// and the control characters are escaped: \b \t \n \f \r \" \\ in two characters, other controls as \u00xx
// with lower-case digits; everything else stands as itself.

/// Whether two canonical texts are equal, numbers compared as decimals.
///
/// Texts that are not canonical get an answer too, of no meaning, except that the same bytes are equal.
///
/// - Complexity: O(length of both texts).
public func canonicalJSONEqual(_ first: RawSpan, _ second: RawSpan) -> Bool {
  canonicalJSONEqual(first.asBytes, second.asBytes)
}

/// Whether two canonical texts are equal, numbers compared as decimals.
public func canonicalJSONEqual(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Bool {
  if first.hasSameBytes(as: second) { return true }
  // Equal values differ in numbers only, so both are walked token by token.
  var place = 0, other = 0
  while place < first.count, other < second.count {
    let byte = first[place]
    if byte == .quote {
      let end = first.endOfString(from: place)
      let length = end - place
      guard length <= second.count - other,
        first.extracting(place..<end).hasSameBytes(as: second.extracting(other..<other + length))
      else { return false }
      place = end
      other += length
    } else if byte.isDigit || byte == .minus {
      let end = first.endOfNumber(from: place), otherEnd = second.endOfNumber(from: other)
      guard
        JSONNumber.areEqual(first.extracting(place..<end), second.extracting(other..<otherEnd))
      else { return false }
      place = end
      other = otherEnd
    } else {
      guard byte == second[other] else { return false }
      place += 1
      other += 1
    }
  }
  return place == first.count && other == second.count
}

extension Span<UInt8> {
  /// The offset behind the string that begins at `start`; the end where it is not closed.
  func endOfString(from start: Int) -> Int {
    var offset = start + 1
    while offset < count {
      if self[offset] == .quote { return offset + 1 }
      offset += self[offset] == .backslash ? 2 : 1
    }
    return count
  }

  /// The offset behind the run of bytes, from `start` on, that a number may have.
  fileprivate func endOfNumber(from start: Int) -> Int {
    var offset = start
    while offset < count {
      let byte = self[offset]
      guard
        byte.isDigit || byte == .minus || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
          || byte | 0x20 == UInt8(ascii: "e")
      else { break }
      offset += 1
    }
    return offset
  }
}

extension JSONNode {
  /// Appends the value as canonical JSON.
  ///
  /// - Complexity: O(n), and O(k log k) for an object of k members that are not in order.
  public func appendCanonical(to output: inout [UInt8]) {
    if entry.kind == .string, entry.hasEscapes { return output.append(jsonString: content) }
    output.append(addingCapacity: canonicalSizeBound) { (output: inout OutputSpan<UInt8>) in
      _ = appendCanonical(at: index, to: &output)
    }
  }

  /// No canonical form is longer: each token's is at most as long as its spelling in the source.
  private var canonicalSizeBound: Int {
    entry.kind == .string ? Int(entry.length) + 2 : Int(entry.length)
  }

  /// Appends the value of another entry, and returns the entry after it.
  private func appendCanonical(at index: Int, to output: inout OutputSpan<UInt8>) -> Int {
    let entry = tape[index]
    switch entry.kind {
    case .null, .false, .true, .number:
      output.append(copying: source.extracting(Int(entry.start)..<Int(entry.start) &+ Int(entry.length)))
      return index &+ 1
    case .string:
      appendString(entry, to: &output)
      return index &+ 1
    case .array:
      output.append(.openingBracket)
      let end = Int(entry.link)
      var element = index &+ 1
      while element < end {
        if element > index &+ 1 { output.append(.comma) }
        element = appendCanonical(at: element, to: &output)
      }
      output.append(.closingBracket)
      return end
    case .object:
      output.append(.openingBrace)
      if entry.count <= Self.fewMembers {
        appendMembers(of: entry, at: index, to: &output)
      } else {
        appendManyMembers(of: entry, at: index, to: &output)
      }
      output.append(.closingBrace)
      return Int(entry.link)
    }
  }

  private func appendMember(withKeyAt key: Int, to output: inout OutputSpan<UInt8>) {
    appendString(tape[key], to: &output)
    output.append(.colon)
    _ = appendCanonical(at: key &+ 1, to: &output)
  }

  /// Up to so many members are sorted without allocating.
  private static var fewMembers: Int { 16 }

  private func appendMembers(of object: TapeEntry, at index: Int, to output: inout OutputSpan<UInt8>) {
    var keys = InlineArray<16, UInt32>(repeating: 0)
    let end = Int(object.link)
    var count = 0
    var key = index &+ 1
    while key < end {
      // Insertion from the end: members that are in order already cost a comparison each.
      let content = tape[key].content(source: source, unescaped: unescaped)
      var place = count
      while place > 0 {
        let before = keys[place &- 1]
        guard tape[Int(before)].content(source: source, unescaped: unescaped).order(against: content) > 0
        else { break }
        keys[place] = before
        place &-= 1
      }
      keys[place] = UInt32(truncatingIfNeeded: key)
      count &+= 1
      key = tape[key &+ 1].next(after: key &+ 1)
    }
    for place in 0..<count {
      if place > 0 { output.append(.comma) }
      appendMember(withKeyAt: Int(keys[place]), to: &output)
    }
  }

  private func appendManyMembers(
    of object: TapeEntry, at index: Int, to output: inout OutputSpan<UInt8>
  ) {
    var keys: [UInt32] = []
    keys.reserveCapacity(object.count)
    let end = Int(object.link)
    var key = index &+ 1
    while key < end {
      keys.append(UInt32(truncatingIfNeeded: key))
      key = tape[key &+ 1].next(after: key &+ 1)
    }
    sortKeys(&keys, tape, source, unescaped)
    for place in keys.indices {
      if place > 0 { output.append(.comma) }
      appendMember(withKeyAt: Int(keys[place]), to: &output)
    }
  }

  private func appendString(_ entry: TapeEntry, to output: inout OutputSpan<UInt8>) {
    if entry.hasEscapes {
      output.append(string: entry.content(source: source, unescaped: unescaped))
    } else {
      // Nothing in it was escaped and nothing must be, so it is canonical with its quotes.
      output.append(
        copying: source.extracting(Int(entry.start) &- 1..<Int(entry.start) &+ Int(entry.length) &+ 1))
    }
  }
}

extension OutputSpan<UInt8> {
  /// Appends a string with its quotes, escaping what must be; there must be room.
  @_lifetime(self: copy self)
  mutating func append(string content: Span<UInt8>) {
    append(.quote)
    var offset = 0
    while true {
      let stop = content.firstOffsetToEscape(from: offset)
      if stop > offset { append(copying: content.extracting(offset..<stop)) }
      guard stop < content.count else { break }
      append(escaped: content[stop])
      offset = stop &+ 1
    }
    append(.quote)
  }

  @_lifetime(self: copy self)
  fileprivate mutating func append(escaped byte: UInt8) {
    append(.backslash)
    switch byte {
    case .quote, .backslash: append(byte)
    case 0x08: append(UInt8(ascii: "b"))
    case 0x09: append(UInt8(ascii: "t"))
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0C: append(UInt8(ascii: "f"))
    case 0x0D: append(UInt8(ascii: "r"))
    default:
      append(UInt8(ascii: "u"))
      append(UInt8(ascii: "0"))
      append(UInt8(ascii: "0"))
      append(UInt8(ascii: "0") + byte >> 4)
      append(byte & 0xF < 10 ? UInt8(ascii: "0") + byte & 0xF : UInt8(ascii: "a") - 10 + byte & 0xF)
    }
  }
}

extension [UInt8] {
  /// Appends a string with its quotes, escaping what must be.
  mutating func append(jsonString content: Span<UInt8>) {
    append(.quote)
    var offset = 0
    while true {
      let stop = content.firstOffsetToEscape(from: offset)
      append(addingCapacity: stop &- offset &+ 6) { (output: inout OutputSpan<UInt8>) in
        output.append(copying: content.extracting(offset..<stop))
        if stop < content.count { output.append(escaped: content[stop]) }
      }
      guard stop < content.count else { break }
      offset = stop &+ 1
    }
    append(.quote)
  }
}
