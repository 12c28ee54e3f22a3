// Sorting the members of an object by the bytes of their keys.

/// Sorts entries of keys by the keys' bytes, without hashing: no choice of keys makes it slow.
func sortKeys(
  _ keys: inout [UInt32], _ tape: Span<TapeEntry>, _ source: Span<UInt8>, _ unescaped: Span<UInt8>
) {
  keys.sort { first, second in
    tape[Int(first)].content(source: source, unescaped: unescaped)
      .order(against: tape[Int(second)].content(source: source, unescaped: unescaped)) < 0
  }
}
