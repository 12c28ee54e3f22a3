// The fuzzers' targets in the everyday build: their seeds, what was found once, and some thousand changes of these.
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct `The fuzzers` {
  private static let names = FuzzTargets.all.map { $0.name }
  /// Changes that are tried of a target's seeds: a second's worth at most.
  private static let count = ["fold": 1_000, "http": 500, "mcp": 500]

  private static func target(_ name: String) throws -> any FuzzTarget.Type {
    try #require(FuzzTargets.all.first { $0.name == name })
  }

  /// Runs on a thread that may wait.
  private func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      do {
        _ = try DedicatedThread(name: "fuzz") { continuation.resume(with: Swift.Result { try body() }) }
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  @Test(arguments: names) func `take their seeds for what they are`(name: String) async throws {
    let target = try Self.target(name)
    let seeds = try Corpus.inputs(of: target)
    #expect(seeds.contains { $0.name.hasPrefix("seed-") })
    let refused = try await onThread {
      let fuzzer = try target.init()
      // What was found once may be refused; it must not end the program.
      return try seeds.filter { try !fuzzer.check($0.bytes) && $0.name.hasPrefix("seed-") }.map(\.name)
    }
    #expect(refused.isEmpty)
  }

  @Test(arguments: names) func `find nothing in changes of their seeds`(name: String) async throws {
    let target = try Self.target(name)
    let seeds = try Corpus.inputs(of: target).map(\.bytes)
    let count = Self.count[name] ?? 2_000
    let (accepted, found) = try await onThread {
      let fuzzer = try target.init()
      var mutation = Mutation(of: seeds, words: target.words, seed: 1)
      var (accepted, found) = (0, [String]())
      for _ in 0..<count {
        let bytes = mutation.next()
        do {
          if try fuzzer.check(bytes) { accepted += 1 }
        } catch {
          found.append("\(error): \(Data(bytes).base64EncodedString())")
        }
      }
      return (accepted, found)
    }
    #expect(found.isEmpty, "\(found.prefix(3).joined(separator: "\n"))")
    // Neither all nor none: else they try less than they seem to.
    #expect((1..<count).contains(accepted))
  }
}
