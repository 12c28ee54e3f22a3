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
    // What is as long as a key in hexadecimal digits is no key in Base64.
    let bytes = [UInt8](hexadecimal: text) ?? Base64.decode(Array(text.utf8).span)
    guard let bytes, let key = MasterKey(bytes: bytes) else {
      throw .invalid(field: field, "is no key: 64 hexadecimal digits, or \(Self.size) bytes in Base64")
    }
    self = key
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
  /// - Throws: `invalid_argument` that names the variable: also for one that is set and empty, as whoever wanted a store
  ///   encrypted must not get another.
  public static func named(environment variable: (String) -> String?) throws(MemoirError) -> MasterKey? {
    func value(_ name: String) throws(MemoirError) -> String? {
      let value = variable(name)
      if value?.isEmpty == true {
        throw .invalid(field: name, "is set and empty; without a key, for a store that is not encrypted, unset it")
      }
      return value
    }
    let (text, path) = (try value("MEMOIR_MASTER_KEY"), try value("MEMOIR_MASTER_KEY_FILE"))
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
        do throws(PlatformError) {
          try file.write("\(hexadecimal)\n")
          try file.sync()
          try Files.syncFolder(Files.folder(of: path))
        } catch {
          // A part of a key opens nothing.
          _ = try? Files.remove(path)
          throw error
        }
      }
    } catch {
      throw .invalid(field: field, error.description)
    }
    if isThere { throw .invalid(field: field, "\(path) is there already, and no key is ever overwritten") }
  }
}
