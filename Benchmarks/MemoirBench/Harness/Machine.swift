// What the benchmarks ask of the machine.
import PeerBench
import Platform

/// The machine, as far as it matters to what is measured.
enum Machine {
  /// Median time of a bare sync of 4 KiB in a folder, in microseconds.
  static func syncMicroseconds(in folder: String) -> Double { unsafe bench_sync_microseconds(folder) }

  /// Forgets what is in memory of the files in a folder.
  static func dropCached(_ folder: String) { _ = unsafe bench_drop_cached(folder) }

  /// Whether the kernel is to read ahead of mapped files in a folder: what `MDB_NORDAHEAD` says at opening, for any store.
  static func setReadahead(of folder: String, _ isOn: Bool) { unsafe bench_set_readahead(folder, isOn) }

  /// Bytes that this process has handed to the kernel.
  static var bytesWritten: UInt64 { bench_bytes_written() }

  /// The sizes of all files in a folder.
  static func bytes(of folder: String) throws -> Int {
    try Files.list(folder).reduce(0) { sum, name in
      let status = try Files.status("\(folder)/\(name)")
      return sum + (status?.kind == .file ? status?.sizeInBytes ?? 0 : 0)
    }
  }
}
