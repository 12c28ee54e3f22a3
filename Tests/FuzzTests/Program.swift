// The program that `Tests/fuzz` builds: libFuzzer's driver around one target.
//
//   memoir-fuzz TARGET [ARGUMENTS OF libFuzzer…]
//   memoir-fuzz --list | --seeds
import Glibc

/// libFuzzer's way in where the program has a `main` of its own.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// libFuzzer calls back without a context.
private nonisolated(unsafe) var fuzzer: (any FuzzTarget)?

@main struct Program {
  static func main() throws {
    let arguments = CommandLine.arguments
    switch arguments.dropFirst().first {
    case "--list": for target in FuzzTargets.all { print(target.name) }
    case "--seeds": for target in FuzzTargets.all { try Corpus.write(target) }
    case let name:
      guard let target = FuzzTargets.all.first(where: { $0.name == name }) else {
        print("memoir-fuzz: there is no target \(name ?? "")")
        exit(2)
      }
      try run(target, arguments)
    }
  }

  /// Hands a target, and the arguments behind its name, to libFuzzer.
  private static func run(_ target: any FuzzTarget.Type, _ arguments: [String]) throws -> Never {
    unsafe fuzzer = try target.init()
    var pointers = unsafe ([arguments[0]] + arguments.dropFirst(2)).map { unsafe strdup($0) } + [nil]
    var count = CInt(arguments.count - 1)
    let code = unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      guard var base = buffer.baseAddress else { return CInt(2) }
      return unsafe runFuzzer(&count, &base) { start, count in
        let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
        do { _ = try unsafe fuzzer?.check(bytes) } catch { fatalError("\(error)") }
        return 0
      }
    }
    exit(code)
  }
}
