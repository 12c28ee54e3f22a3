// The page at `/`: what runs here, and where to read on.
import HTTPServer
import Memoir

extension MemoirServer {
  static let pageRoutes: [Route] = [
    Route(
      .get, "/", "front_page", access: .open, summary: "A page for people: what runs here.",
      answers: [.other(type: FrontPage.type)],
      .quick { call in
        // Where there are keys, how much is kept is nobody's business who has none.
        let position = try call.store.keys.isEmpty ? try call.store.log.lastPosition() : nil
        var reply = Reply(
          body: .other(
            type: FrontPage.type, Array(FrontPage.text(call.service.options.version, position: position).utf8)))
        reply.headers = [
          (name: "Content-Security-Policy", value: "default-src 'none'; style-src 'unsafe-inline'"),
          (name: "X-Content-Type-Options", value: "nosniff"),
        ]
        return reply
      })
  ]
}

enum FrontPage {
  static let type = "text/html; charset=utf-8"

  static func text(_ version: String, position: LogPosition?) -> String {
    let events = position.map { "<tr><th>Events</th><td>\($0)</td></tr>\n" } ?? ""
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>Memoir</title>
      <style>
      body { font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem; }
      th { padding-right: 2rem; text-align: left; }
      </style>
      </head>
      <body>
      <h1>Memoir</h1>
      <p>An event-sourced memory for AI assistants. This address answers programs.</p>
      <table>
      <tr><th>Version</th><td>\(version)</td></tr>
      \(events)</table>
      <ul>
      <li><a href="/openapi.json">/openapi.json</a>: every call, in OpenAPI</li>
      <li><a href="/metrics">/metrics</a>: what the server does, for Prometheus</li>
      <li><a href="/healthz">/healthz</a> and <a href="/readyz">/readyz</a>: whether it is up, and ready</li>
      </ul>
      <p>How to run it and to ask it is written in its documentation: <i>Running the server</i>.</p>
      </body>
      </html>

      """
  }
}
