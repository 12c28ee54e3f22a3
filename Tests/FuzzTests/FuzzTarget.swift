// What a fuzzer tries: a door through which bytes of strangers come, and what must hold whatever they are.
//
// The same targets run in two ways: as tests, over their seeds and some thousand changes of these, and in the program
// that `Tests/fuzz` builds, where libFuzzer looks for bytes that take a way through the code not taken before.

/// A door through which bytes of strangers come.
protocol FuzzTarget: SendableMetatype {
  /// What `Tests/fuzz` knows it by; its seeds are in the folder of `Fixtures/Fuzzing` that is called so.
  static var name: String { get }
  /// What changes of real bytes begin with.
  static func seeds() throws -> [[UInt8]]
  /// Words of its language, which are not found by chance.
  static var words: [String] { get }

  init() throws

  /// Lets bytes in.
  ///
  /// - Returns: Whether they were taken for what they should be.
  /// - Throws: Where something does not hold that must.
  func check(_ bytes: [UInt8]) throws -> Bool
}

extension FuzzTarget {
  static var words: [String] { [] }
}

/// All of them.
enum FuzzTargets {
  static let all: [any FuzzTarget.Type] = [
    RecordTarget.self, ChunkTarget.self, TableTarget.self, SnapshotTarget.self, SegmentTarget.self, FoldTarget.self,
    EventTarget.self, JSONTarget.self, AsOfTarget.self, NameTarget.self, HTTPTarget.self, MCPTarget.self,
  ]
}

/// Something that must hold and does not.
struct Finding: Error, CustomStringConvertible {
  let description: String
}

/// Throws a ``Finding`` where a condition is not met.
func hold(_ condition: Bool, _ description: @autoclosure () -> String) throws(Finding) {
  if !condition { throw Finding(description: description()) }
}
