// From the starts of tokens to the tape: the grammar, checked token by token.
//
// simdjson's first stage says where each token begins and leaves nothing out: whatever stands outside of
// strings and is no white space either begins a token or continues a run of such bytes. So a text is
// accepted only if each token, in order, is what the grammar asks for there, and each run ends where its
// number or word ends. Nothing is skipped.

/// Why the tape could not be built.
struct TapeFailure {
  var kind: JSONError.Kind
  var offset: Int
  var reason: StaticString
}

/// What building the tape came to.
struct TapeOutcome {
  var failure: TapeFailure?
  /// Entries written.
  var count: Int
  /// The innermost container that was open at the failure; -1 for none.
  var openContainer: Int
}

/// How many entries so many tokens can come to.
///
/// A container with k > 0 entries right inside takes k − 1 separators and a closing token, so a whole value
/// of n entries has at least 2n − 1 tokens; what is not closed lacks one token a level.
func greatestEntryCount(of tokenCount: Int, depthLimit: Int) -> Int {
  (tokenCount + depthLimit) / 2 + 2
}

/// Writes the tape of `source`, whose tokens begin at `starts`.
///
/// - Parameters:
///   - firstBackslash: The offset of the first backslash; the source's length where there is none.
///   - tape: Has room for ``greatestEntryCount(of:depthLimit:)`` entries.
///   - unescaped: Has room for as many bytes as the source, if there is a backslash in it.
///   - keySets: Has room for a set per level of depth and one more; what it holds does not matter.
func buildTape(
  of source: Span<UInt8>, tokensAt starts: Span<UInt32>, firstBackslash: Int, depthLimit: Int,
  tape: inout MutableSpan<TapeEntry>, unescaped: inout MutableSpan<UInt8>, keySets: inout MutableSpan<UInt64>
) -> TapeOutcome {
  var token = 0
  var entry = 0
  var strings = StringProgress(nextBackslash: firstBackslash)

  // The innermost open container. A set has one bit for each of 64 classes of keys seen in an object.
  var container = -1
  var isObject = false
  var depth = 0
  var members = 0
  var keySet: UInt64 = 0

  func failed(_ kind: JSONError.Kind, at offset: Int, _ reason: StaticString) -> TapeOutcome {
    TapeOutcome(
      failure: TapeFailure(kind: kind, offset: offset, reason: reason), count: entry, openContainer: container
    )
  }

  values: while true {
    if isObject {
      guard token < starts.count else {
        return failed(.malformed, at: source.count, "the object is not closed")
      }
      let start = Int(starts[token])
      token &+= 1
      guard source[start] == .quote else {
        let isClosed = source[start] == .closingBrace
        return failed(
          .malformed, at: start,
          isClosed ? "a comma must be followed by a member" : "a key must be a string")
      }
      let next = token < starts.count ? Int(starts[token]) : source.count
      if let failure = readString(
        source, openedAt: start, before: next, &strings, &unescaped, into: &tape[entry])
      {
        return failed(failure.kind, at: failure.offset, failure.reason)
      }
      entry &+= 1

      if members < manyMembers {
        let key = tape[entry &- 1].content(source: source, unescaped: unescaped.span)
        let bit: UInt64 = 1 << UInt64(keyClass(key))
        if keySet & bit != 0,
          hasEarlierMember(ofKeyAt: entry &- 1, in: container, tape.span, source, unescaped.span)
        {
          return failed(.duplicateKey, at: start, "a key occurs twice in an object")
        }
        keySet |= bit
      }

      guard token < starts.count, source[Int(starts[token])] == .colon else {
        return failed(
          .malformed, at: token < starts.count ? Int(starts[token]) : source.count,
          "a key must be followed by a colon")
      }
      token &+= 1
    }

    guard token < starts.count else {
      return failed(.malformed, at: source.count, "a value is missing at the end")
    }
    let start = Int(starts[token])
    token &+= 1
    switch source[start] {
    case .quote:
      let next = token < starts.count ? Int(starts[token]) : source.count
      if let failure = readString(
        source, openedAt: start, before: next, &strings, &unescaped, into: &tape[entry])
      {
        return failed(failure.kind, at: failure.offset, failure.reason)
      }
      entry &+= 1

    case .openingBrace, .openingBracket:
      guard depth < depthLimit else {
        return failed(.tooDeep, at: start, "arrays and objects are nested too deeply")
      }
      if container >= 0 { tape[container].count = members }
      keySets[depth] = keySet
      depth &+= 1
      isObject = source[start] == .openingBrace
      tape[entry] = TapeEntry(isObject ? .object : .array, start: start, length: 0, link: container &+ 1)
      container = entry
      entry &+= 1
      members = 0
      keySet = 0
      let closing: UInt8 = isObject ? .closingBrace : .closingBracket
      // Only a container without members may close here; any other goes on with a key or a value.
      guard token < starts.count, source[Int(starts[token])] == closing else { continue values }
      members = -1

    case .minus, UInt8(ascii: "0")...UInt8(ascii: "9"):
      let scan = scanNumber(source, at: start)
      guard scan.isValid else {
        return failed(.invalidNumber, at: scan.end, "the number is not of JSON's grammar")
      }
      tape[entry] = TapeEntry(.number, start: start, length: scan.end &- start)
      entry &+= 1

    case UInt8(ascii: "t"):
      guard isWord("true", in: source, at: start) else {
        return failed(.malformed, at: start, "no value of JSON begins like this")
      }
      tape[entry] = TapeEntry(.true, start: start, length: 4)
      entry &+= 1

    case UInt8(ascii: "f"):
      guard isWord("false", in: source, at: start) else {
        return failed(.malformed, at: start, "no value of JSON begins like this")
      }
      tape[entry] = TapeEntry(.false, start: start, length: 5)
      entry &+= 1

    case UInt8(ascii: "n"):
      guard isWord("null", in: source, at: start) else {
        return failed(.malformed, at: start, "no value of JSON begins like this")
      }
      tape[entry] = TapeEntry(.null, start: start, length: 4)
      entry &+= 1

    case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "N"), UInt8(ascii: "I"):
      return failed(.invalidNumber, at: start, "the number is not of JSON's grammar")

    case .comma, .colon, .closingBrace, .closingBracket:
      return failed(.malformed, at: start, "a value is missing")

    default:
      return failed(.malformed, at: start, "no value of JSON begins like this")
    }

    // A value has ended: so may the containers around it.
    while container >= 0 {
      members &+= 1
      guard token < starts.count else {
        return failed(
          .malformed, at: source.count, isObject ? "the object is not closed" : "the array is not closed")
      }
      let start = Int(starts[token])
      token &+= 1
      let byte = source[start]
      if byte == .comma { continue values }
      guard byte == (isObject ? .closingBrace : .closingBracket) else {
        return failed(
          .malformed, at: start,
          isObject
            ? "a member must be followed by a comma or }" : "an element must be followed by a comma or ]")
      }
      if isObject, members > manyMembers,
        let duplicate = duplicateKey(in: container, members, before: entry, tape.span, source, unescaped.span)
      {
        // The path ends with the key, as if nothing had been read behind it.
        entry = duplicate &+ 1
        return failed(.duplicateKey, at: Int(tape[duplicate].start) &- 1, "a key occurs twice in an object")
      }
      let outer = Int(tape[container].link) &- 1
      tape[container].count = members
      tape[container].length = UInt32(truncatingIfNeeded: start &+ 1 &- Int(tape[container].start))
      tape[container].link = UInt32(truncatingIfNeeded: entry)
      container = outer
      depth &-= 1
      keySet = keySets[depth]
      if outer >= 0 {
        members = tape[outer].count
        isObject = tape[outer].isObject
      } else {
        isObject = false
      }
    }
    break
  }

  guard token == starts.count else {
    return failed(.trailingContent, at: Int(starts[token]), "the value is followed by something else")
  }
  return TapeOutcome(failure: nil, count: entry, openContainer: -1)
}

/// From this many members on, an object's keys are compared once it closes, sorted.
private let manyMembers = 24

// MARK: - Keys

/// One of 64 classes; equal keys are of one class.
@inline(__always)
private func keyClass(_ key: Span<UInt8>) -> Int {
  let count = key.count
  guard count > 0 else { return 0 }
  let sample =
    UInt64(truncatingIfNeeded: count) | UInt64(key[0]) << 16 | UInt64(key[count &- 1]) << 24
    | UInt64(key[count / 2]) << 32
  return Int(truncatingIfNeeded: (sample &* 0x9E37_79B9_7F4A_7C15) >> 58)
}

private func hasEarlierMember(
  ofKeyAt index: Int, in object: Int, _ tape: Span<TapeEntry>, _ source: Span<UInt8>, _ unescaped: Span<UInt8>
) -> Bool {
  let key = tape[index].content(source: source, unescaped: unescaped)
  var other = object &+ 1
  while other < index {
    if tape[other].length == tape[index].length,
      tape[other].content(source: source, unescaped: unescaped).hasSameBytes(as: key)
    {
      return true
    }
    other = tape[other &+ 1].next(after: other &+ 1)
  }
  return false
}

/// The entry of a key that an earlier member of the object has too.
private func duplicateKey(
  in object: Int, _ members: Int, before end: Int,
  _ tape: Span<TapeEntry>, _ source: Span<UInt8>, _ unescaped: Span<UInt8>
) -> Int? {
  var keys: [UInt32] = []
  keys.reserveCapacity(members)
  var key = object &+ 1
  while key < end {
    keys.append(UInt32(truncatingIfNeeded: key))
    key = tape[key &+ 1].next(after: key &+ 1)
  }
  sortKeys(&keys, tape, source, unescaped)
  for place in keys.indices.dropFirst() {
    let before = Int(keys[place - 1]), key = Int(keys[place])
    if tape[before].content(source: source, unescaped: unescaped)
      .hasSameBytes(as: tape[key].content(source: source, unescaped: unescaped))
    {
      return max(before, key)
    }
  }
  return nil
}

// MARK: - Words, numbers, strings

@inline(__always)
private func endsToken(_ source: Span<UInt8>, at offset: Int) -> Bool {
  guard offset < source.count else { return true }
  switch source[offset] {
  case .comma, .closingBrace, .closingBracket, .colon, .openingBrace, .openingBracket: return true
  case let byte: return byte.isWhitespace
  }
}

@inline(__always)
private func isWord(_ word: StaticString, in source: Span<UInt8>, at start: Int) -> Bool {
  let bytes = word.utf8Bytes
  let end = start &+ bytes.count
  return end <= source.count && source.extracting(start..<end).hasSameBytes(as: bytes)
    && endsToken(source, at: end)
}

/// The end of the number at `start`, or, where it is none, the offset at which it goes wrong.
@inline(__always)
func scanNumber(_ source: Span<UInt8>, at start: Int) -> (isValid: Bool, end: Int) {
  var offset = start
  if offset < source.count, source[offset] == .minus { offset &+= 1 }
  guard offset < source.count, source[offset].isDigit else { return (false, offset) }
  if source[offset] == UInt8(ascii: "0") {
    offset &+= 1
  } else {
    while offset < source.count, source[offset].isDigit { offset &+= 1 }
  }
  if offset < source.count, source[offset] == UInt8(ascii: ".") {
    offset &+= 1
    guard offset < source.count, source[offset].isDigit else { return (false, offset) }
    while offset < source.count, source[offset].isDigit { offset &+= 1 }
  }
  if offset < source.count, source[offset] | 0x20 == UInt8(ascii: "e") {
    offset &+= 1
    if offset < source.count, source[offset] == .minus || source[offset] == UInt8(ascii: "+") { offset &+= 1 }
    guard offset < source.count, source[offset].isDigit else { return (false, offset) }
    while offset < source.count, source[offset].isDigit { offset &+= 1 }
  }
  return (endsToken(source, at: offset), offset)
}

/// How far the escapes of a text are undone.
private struct StringProgress {
  var unescapedCount = 0
  /// Where the next backslash lies that no string read so far has.
  var nextBackslash: Int
}

/// Reads the string opened at `start`, whose next token begins at `next`, into an entry.
@inline(__always)
private func readString(
  _ source: Span<UInt8>, openedAt start: Int, before next: Int,
  _ progress: inout StringProgress, _ unescaped: inout MutableSpan<UInt8>, into entry: inout TapeEntry
) -> TapeFailure? {
  // The closing quote is the last byte before the next token that is no white space.
  var end = next &- 1
  while end > start, source[end].isWhitespace { end &-= 1 }
  guard end > start, source[end] == .quote else {
    return TapeFailure(kind: .invalidString, offset: start, reason: "the string is not closed")
  }
  guard progress.nextBackslash < end else {
    entry = TapeEntry(.string, start: start &+ 1, length: end &- start &- 1)
    return nil
  }
  let target = progress.unescapedCount
  if let failure = unescape(
    source, from: start &+ 1, to: end, firstBackslash: progress.nextBackslash,
    into: &unescaped, at: &progress.unescapedCount)
  {
    return failure
  }
  progress.nextBackslash = source.firstOffset(of: .backslash, from: end)
  entry = TapeEntry(
    .string, start: start &+ 1, length: progress.unescapedCount &- target, link: target, hasEscapes: true)
  return nil
}

/// Writes the content of a string to `target` and advances `target`.
private func unescape(
  _ source: Span<UInt8>, from start: Int, to end: Int, firstBackslash: Int,
  into output: inout MutableSpan<UInt8>, at target: inout Int
) -> TapeFailure? {
  let content = source.extracting(0..<end)
  var offset = start
  var backslash = firstBackslash
  while true {
    if backslash > offset { target = output.write(content.extracting(offset..<backslash), at: target) }
    guard backslash < end else { return nil }
    guard backslash &+ 1 < end else {
      return TapeFailure(kind: .invalidString, offset: backslash, reason: "no such escape")
    }
    offset = backslash &+ 2
    let short: UInt8
    switch content[backslash &+ 1] {
    case UInt8(ascii: "n"): short = 0x0A
    case .quote: short = .quote
    case .backslash: short = .backslash
    case UInt8(ascii: "/"): short = UInt8(ascii: "/")
    case UInt8(ascii: "t"): short = 0x09
    case UInt8(ascii: "r"): short = 0x0D
    case UInt8(ascii: "b"): short = 0x08
    case UInt8(ascii: "f"): short = 0x0C
    case UInt8(ascii: "u"):
      guard let unit = hexadecimalUnit(content, at: offset) else {
        return TapeFailure(
          kind: .invalidString, offset: backslash, reason: "\\u needs four hexadecimal digits")
      }
      offset &+= 4
      var scalar = unit
      if unit & 0xF800 == 0xD800 {
        guard unit < 0xDC00, offset &+ 6 <= end, content[offset] == .backslash,
          content[offset &+ 1] == UInt8(ascii: "u"), let low = hexadecimalUnit(content, at: offset &+ 2),
          low & 0xFC00 == 0xDC00
        else {
          return TapeFailure(kind: .loneSurrogate, offset: backslash, reason: "a surrogate stands alone")
        }
        offset &+= 6
        scalar = 0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF
      }
      write(scalar, into: &output, at: &target)
      backslash = content.firstOffset(of: .backslash, from: offset)
      continue
    default:
      return TapeFailure(kind: .invalidString, offset: backslash, reason: "no such escape")
    }
    output[target] = short
    target &+= 1
    backslash = content.firstOffset(of: .backslash, from: offset)
  }
}

/// Writes a scalar as UTF-8, in at most four bytes.
private func write(_ scalar: UInt32, into output: inout MutableSpan<UInt8>, at target: inout Int) {
  func put(_ byte: UInt32, _ output: inout MutableSpan<UInt8>) {
    output[target] = UInt8(truncatingIfNeeded: byte)
    target &+= 1
  }
  if scalar < 0x80 {
    put(scalar, &output)
  } else if scalar < 0x800 {
    put(0xC0 | scalar >> 6, &output)
    put(0x80 | scalar & 0x3F, &output)
  } else if scalar < 0x10000 {
    put(0xE0 | scalar >> 12, &output)
    put(0x80 | scalar >> 6 & 0x3F, &output)
    put(0x80 | scalar & 0x3F, &output)
  } else {
    put(0xF0 | scalar >> 18, &output)
    put(0x80 | scalar >> 12 & 0x3F, &output)
    put(0x80 | scalar >> 6 & 0x3F, &output)
    put(0x80 | scalar & 0x3F, &output)
  }
}

/// The four hexadecimal digits at `offset`.
private func hexadecimalUnit(_ source: Span<UInt8>, at offset: Int) -> UInt32? {
  guard offset &+ 4 <= source.count else { return nil }
  var unit: UInt32 = 0
  for place in offset..<offset &+ 4 {
    let byte = source[place]
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte & 0xF)
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
      unit = unit << 4 | (UInt32(byte & 0xF) + 9)
    default: return nil
    }
  }
  return unit
}
