// The master key as people keep it: in a variable of the environment, or better in a file that nobody else can read.
internal import Bytes
public import EventStore
internal import JSON
internal import Platform

extension MasterKey {
  /// Reads a key: 64 hexadecimal digits, or 32 bytes in Base64.
  ///
  /// - Parameter field: What the error is to name; the key is never in its text.
  /// - Throws: `invalid_argument`.
  public init(_ text: String, field: String = "master_key") throws(MemoirError) {
    let text = text.trimmed
    let bytes = Self.bytes(hexadecimal: text) ?? Base64.decode(Array(text.utf8).span)
    guard let bytes, let key = MasterKey(bytes: bytes) else {
      throw .invalid(field: field, "is no key: 64 hexadecimal digits, or \(Self.size) bytes in Base64")
    }
    self = key
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 2 * size else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = hexadecimalDigitValue(digits[index]), let low = hexadecimalDigitValue(digits[index + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func hexadecimalDigitValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Reads the key in a file.
  ///
  /// - Throws: `invalid_argument` that names `field`: no such file, or none with a key.
  public init(file path: String, field: String = "master_key") throws(MemoirError) {
    try self.init(try ModelConfiguration.contents(of: path, named: field), field: field)
  }

  /// The key that the environment names: `MEMOIR_MASTER_KEY`, or the file `MEMOIR_MASTER_KEY_FILE`; `nil` without both.
  ///
  /// - Parameter variable: The value of a variable of the environment; `nil` where it is not set.
  /// - Throws: `invalid_argument` that names the variable.
  public static func named(environment variable: (String) -> String?) throws(MemoirError) -> MasterKey? {
    func value(_ name: String) -> String? { variable(name).flatMap { $0.isEmpty ? nil : $0 } }
    let (text, path) = (value("MEMOIR_MASTER_KEY"), value("MEMOIR_MASTER_KEY_FILE"))
    if text != nil, path != nil {
      throw .invalid(field: "MEMOIR_MASTER_KEY_FILE", "is given, and MEMOIR_MASTER_KEY too: one of them")
    }
    if let text { return try MasterKey(text, field: "MEMOIR_MASTER_KEY") }
    return try path.map { path throws(MemoirError) in try MasterKey(file: path, field: "MEMOIR_MASTER_KEY_FILE") }
  }

  /// Writes the key to a file that is not there yet, and that its owner alone can read; on disk once this returns.
  ///
  /// - Throws: `invalid_argument` where there is one: a key that is lost is a store that is lost.
  public func write(toNewFile path: String, field: String = "file") throws(MemoirError) {
    let isThere: Bool
    do throws(PlatformError) {
      isThere = try Files.exists(path)
      if !isThere {
        let file = try Descriptor(opening: path, for: .creating)
        try file.write("\(hexadecimal)\n")
        try file.sync()
        try Files.syncFolder(Files.folder(of: path))
      }
    } catch {
      throw .invalid(field: field, error.description)
    }
    if isThere { throw .invalid(field: field, "\(path) is there already, and no key is ever overwritten") }
  }
}
