// Opening what a command reads besides its store.
import Memoir
import Platform

extension InputSource {
  /// Whether it can be read a second time: it is a file, and neither a pipe nor a terminal.
  var isRegularFile: Bool {
    guard case .file(let path) = self else { return false }
    return (try? Files.status(path))?.kind == .file
  }

  /// Opens it.
  ///
  /// - Parameter field: What the argument is called.
  /// - Throws: ``MemoirError`` where it cannot be opened, or is a folder.
  func open(field: String) throws(MemoirError) -> Descriptor {
    switch self {
    case .standardInput: return .standardInput
    case .file(let path):
      if (try? Files.status(path))?.kind == .folder { throw .invalid(field: field, "\(path) is a folder") }
      do throws(PlatformError) {
        return try Descriptor(opening: path, for: .reading)
      } catch {
        throw error.aboutFile(path, field: field)
      }
    }
  }

  /// Reads the only line that it has.
  ///
  /// - Throws: ``MemoirError`` where it has more, or a longer one than `limit` bytes.
  func readLine(field: String, limit: Int) throws(MemoirError) -> [UInt8] {
    var lines = LineReader(try open(field: field), lineLimit: limit)
    let line: [UInt8]
    let isOnly: Bool
    do throws(PlatformError) {
      line = try lines.next() ?? []
      isOnly = try lines.next() == nil
    } catch {
      if error.isTooLong { throw .invalid(field: field, "is longer than \(limit) bytes") }
      throw error.asMemoirError
    }
    guard isOnly else { throw .invalid(field: field, "has more than one line") }
    return line
  }
}
