// Whether the server is well.
import Memoir

extension MemoirServer {
  static let healthRoutes: [Route] = [
    Route(
      .get, "/healthz", "health", access: .open, summary: "Whether the process is up.",
      answers: [.json(.object([.required("status", .words(["ok"]))]))],
      .quick { _ in Reply.object { $0.member("status", "ok") } }),
    Route(
      .get, "/readyz", "ready", access: .open, summary: "Whether the store is open and recovered.",
      answers: [.json(.object([.required("encrypted", .boolean), .required("status", .words(["ready"]))]))],
      .quick { call in
        if call.service.isEnding { throw MemoirError(.unavailable, "the server is about to end") }
        _ = try call.store.log.lastPosition()
        let isEncrypted = call.store.log.encryption != nil
        return Reply.object { writer in
          writer.member("encrypted", isEncrypted)
          writer.member("status", "ready")
        }
      }),
  ]
}
