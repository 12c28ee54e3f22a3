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

  /// The environment of an agent whose calls for the store in `folder` are recorded, ignored, or its last.
  static func environment(
    _ folder: String, trace: String? = nil, ignoring ignored: String? = nil, killingAt call: Int? = nil
  ) throws -> [String: String] {
    var environment = ["LD_PRELOAD": try library.get(), "MEMOIR_IO_FOLDER": folder]
    environment["MEMOIR_IO_TRACE"] = trace
    environment["MEMOIR_IO_IGNORES"] = ignored
    environment["MEMOIR_IO_KILL"] = call.map { "\($0)" }
    return environment
  }
}
