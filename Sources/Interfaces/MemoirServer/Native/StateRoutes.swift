// States: what is known of a user, now or as it was.
import HTTPServer
import JSON
import Memoir

extension MemoirServer {
  static let stateRoutes: [Route] = [
    Route(
      .get, "/v1/users/{user}/state", "state", access: .scope(.read),
      summary: "What is known of a user, now or as it was.",
      parameters: [AnyParameter(Parameters.namespace)] + Parameters.asOf,
      answers: [.json(.named("State"))],
      .quick { call in
        let state = try call.store.state(of: try call.user(), at: try call.asOf())
        return try Reply.json(items: 1) { try call.store.write(state, to: &$0) }
      })
  ]
}
