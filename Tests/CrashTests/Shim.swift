// The library that is preloaded into an agent, see PowerLoss/shim.c: made by the C compiler when first asked for.
import Foundation
import TestSupport

enum Shim {
  private static let folder = TemporaryFolder()

  /// Where the library lies.
  private static let library: Result<String, any Error> = Result {
    let path = folder.path + "/shim.so"
    let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "PowerLoss/shim.c").path
    let compiler = try RunningProcess(
      "/usr/bin/env", ["cc", "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl", "-lpthread"])
    guard try compiler.wait() == .exit(0) else {
      throw RunningProcess.Problem(description: "cc could not make \(path) of \(source)")
    }
    return path
  }

  /// The environment of an agent whose calls for the files below `folder` are recorded, ignored, made to fail, or its
  /// last.
  ///
  /// - Parameters:
  ///   - failing: The class of calls, which of them, and with which errno.
  ///   - report: A file for what failed, and for how many calls there were.
  static func environment(
    _ folder: String, trace: String? = nil, ignoring ignored: String? = nil, killingAt call: Int? = nil,
    failing: (kind: String, number: Int, code: Int32)? = nil, report: String? = nil
  ) throws -> [String: String] {
    var environment = ["LD_PRELOAD": try library.get(), "MEMOIR_IO_FOLDER": folder]
    environment["MEMOIR_IO_TRACE"] = trace
    environment["MEMOIR_IO_IGNORES"] = ignored
    environment["MEMOIR_IO_KILL"] = call.map { "\($0)" }
    environment["MEMOIR_IO_FAIL"] = failing.map { "\($0.kind) \($0.number) \($0.code)" }
    environment["MEMOIR_IO_REPORT"] = report
    return environment
  }
}
