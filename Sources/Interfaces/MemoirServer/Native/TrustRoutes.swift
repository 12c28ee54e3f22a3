// What proves to others that nothing was changed.
import Memoir

extension MemoirServer {
  static let trustRoutes: [Route] = [
    Route(
      .get, "/v1/attestation", "attest", access: .scope(.read),
      summary:
        "The log's position and chain, signed: kept elsewhere, it proves later that no event before it was changed.",
      answers: [
        .json(
          .object([
            .required("chain", .string(pattern: "^[0-9a-f]{64}$")), .required("memoir_attestation", .integer(min: 1)),
            .required("position", .count), .required("public_key", .string(pattern: "^[0-9a-f]{64}$")),
            .optional("recorded_at", .time), .required("signature", .string(pattern: "^[0-9a-f]{128}$")),
            .required("store_id", .uuid),
          ]))
      ],
      .later { call in
        // It says nothing of people, so a scope is enough, whatever the key reaches.
        try call.requireScope()
        return Reply(body: .json(try call.store.attest().text))
      })
  ]
}
