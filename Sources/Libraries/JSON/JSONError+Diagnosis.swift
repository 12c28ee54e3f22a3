// Finding out what was wrong with a text, once it is known that something is. Not fast, and need not be.

extension JSONError {
  /// Where a text goes wrong whose tokens could not be found.
  static func diagnosis(of source: Span<UInt8>) -> JSONError {
    do {
      _ = try UTF8Span(validating: source)
    } catch {
      return JSONError(
        kind: .invalidUTF8, offset: error.byteOffsets.lowerBound, reason: "the text is not valid UTF-8")
    }
    var offset = 0
    var opening: Int? = nil
    var isBlank = true
    while offset < source.count {
      let byte = source[offset]
      if opening != nil {
        if byte < 0x20 {
          return JSONError(
            kind: .invalidString, offset: offset, reason: "a control character in a string must be escaped")
        }
        if byte == .backslash {
          // What a backslash hides is no closing quote, but may be a raw control character.
          if offset + 1 < source.count, source[offset + 1] >= 0x20 { offset += 1 }
        } else if byte == .quote {
          opening = nil
        }
      } else if byte == .quote {
        opening = offset
      } else if byte == .backslash {
        return JSONError(kind: .malformed, offset: offset, reason: "no value of JSON begins like this")
      }
      if !byte.isWhitespace { isBlank = false }
      offset += 1
    }
    if isBlank { return JSONError(kind: .empty, offset: source.count, reason: "there is no value") }
    if let opening {
      return JSONError(kind: .invalidString, offset: opening, reason: "the string is not closed")
    }
    return JSONError(kind: .malformed, offset: 0, reason: "the text is not JSON")
  }

  /// The error of a tape that could not be built, with the path of the value at fault.
  init(
    _ failure: TapeFailure, _ outcome: TapeOutcome,
    source: Span<UInt8>, unescaped: Span<UInt8>, tape: Span<TapeEntry>
  ) {
    let hasMark = source.count >= 3 && source[0] == 0xEF && source[1] == 0xBB && source[2] == 0xBF
    self.init(
      kind: failure.kind, offset: failure.offset,
      reason: hasMark ? "the text begins with a byte order mark" : failure.reason.description,
      path: pathOfValue(at: outcome, source, unescaped, tape))
  }
}

/// The path of the value that was being read when building the tape stopped.
private func pathOfValue(
  at outcome: TapeOutcome, _ source: Span<UInt8>, _ unescaped: Span<UInt8>, _ tape: Span<TapeEntry>
) -> String {
  var containers: [Int] = []
  var container = outcome.openContainer
  while container >= 0 {
    containers.append(container)
    // An open container links to the one around it, plus one.
    container = Int(tape[container].link) - 1
  }
  containers.reverse()
  var path = ""
  for (level, container) in containers.enumerated() {
    let openChild = level + 1 < containers.count ? containers[level + 1] : outcome.count
    var entry = container + 1
    if tape[container].isObject {
      while entry < outcome.count, entry + 1 < openChild { entry = tape[entry + 1].next(after: entry + 1) }
      guard entry < outcome.count else { break }
      let key = tape[entry].content(source: source, unescaped: unescaped)
      path += path.isEmpty ? "" : "."
      path += key.abbreviatedText
    } else {
      var place = 0
      while entry < openChild {
        entry = tape[entry].next(after: entry)
        place += 1
      }
      path += "[\(place)]"
    }
  }
  return path
}

extension Span<UInt8> {
  /// A key as it may stand in a message: not too long, and on one line.
  fileprivate var abbreviatedText: String {
    var text = ""
    for scalar in String(validUTF8: self).unicodeScalars.prefix(64) {
      text.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
    }
    return text
  }
}
