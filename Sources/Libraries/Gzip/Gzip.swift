// Compression as HTTP and files know it (RFC 1952), by zlib.
internal import CMemoirZLib

/// Compression by gzip.
public enum Gzip {
  /// The same bytes, compressed.
  ///
  /// - Parameter level: 1 is fast, 9 makes the least of it.
  /// - Returns: `nil` where there is no memory for it, or they are more than 4 GiB.
  /// - Complexity: O(bytes); at level 1 some 10 ns each.
  public static func compressed(_ bytes: [UInt8], level: Int = 1) -> [UInt8]? {
    guard let count = UInt32(exactly: bytes.count) else { return nil }
    var stream = unsafe z_stream()
    // `deflateInit2` is a macro, which is this call. 16 more bits of the window's size ask for gzip's frame.
    let started = unsafe deflateInit2_(
      &stream, Int32(min(max(level, 1), 9)), Z_DEFLATED, MAX_WBITS + 16, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard started == Z_OK else { return nil }
    defer { unsafe deflateEnd(&stream) }
    // Room for whatever it comes to, so that one call does all.
    let bound = unsafe Int(deflateBound(&stream, UInt(count)))
    guard let room = UInt32(exactly: bound) else { return nil }
    var isDone = false
    let result = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, written in
      unsafe bytes.withUnsafeBufferPointer { bytes in
        // zlib only reads from there.
        unsafe stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        unsafe stream.avail_in = count
        unsafe stream.next_out = buffer.baseAddress
        unsafe stream.avail_out = room
        isDone = unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END
        written = unsafe bound - Int(stream.avail_out)
      }
    }
    return isDone ? result : nil
  }
}
