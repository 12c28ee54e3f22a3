// The document that describes the server: made of the table that routes, so that the two cannot drift apart.
import HTTPServer
import JSON
import Memoir

/// The description of a server, as OpenAPI 3.1.
enum OpenAPI {
  static let route = Route(
    .get, "/openapi.json", "openapi", access: .open, summary: "This document.",
    answers: [.json(.object([], isOpen: true))],
    .quick { call in Reply(body: .json(call.service.document)) })

  private static let description = """
    A path that is asked by a method it does not have is answered with 405 and the header Allow. What is no request of \
    HTTP/1.1 at all, or has a head over 32 KiB, is answered with 400, 413, 414, 431 or 505 and a page of HTML, and its \
    connection ends.
    """

  static func document(of routes: [Route]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("openapi", "3.1.0")
    writer.key("info")
    writer.beginObject()
    writer.member("title", "Memoir")
    writer.member("version", "1")
    writer.member("summary", "An event-sourced memory for AI assistants.")
    writer.member("description", description)
    writer.endObject()
    writer.key("security")
    writer.beginArray()
    writer.beginObject()
    writer.key("key")
    writer.strings([])
    writer.endObject()
    writer.endArray()
    writer.key("paths")
    writer.beginObject()
    for path in routes.map(\.path).reduce(into: [String](), { if !$0.contains($1) { $0.append($1) } }) {
      writer.key(text: path)
      writer.beginObject()
      for route in routes where route.path == path {
        writer.key(text: route.method.rawValue.lowercased())
        write(route, to: &writer)
      }
      writer.endObject()
    }
    writer.endObject()
    writer.key("components")
    writer.beginObject()
    writer.key("securitySchemes")
    writer.beginObject()
    writer.key("key")
    writer.beginObject()
    writer.member("type", "http")
    writer.member("scheme", "bearer")
    writer.endObject()
    writer.endObject()
    writer.key("responses")
    writer.beginObject()
    for problem in Problem.all {
      for wire in [Wire.native, .dakera] {
        writer.key(text: problem.name(on: wire))
        writer.beginObject()
        writer.member("description", problem.summary)
        writer.key("content")
        content("application/json", .named(wire == .native ? "Error" : "DakeraError"), to: &writer)
        writer.endObject()
      }
    }
    writer.endObject()
    writer.key("schemas")
    writer.beginObject()
    for (name, schema) in Schemas.all {
      writer.key(text: name)
      schema.write(to: &writer)
    }
    writer.endObject()
    writer.endObject()
    writer.endObject()
    return writer.finish()
  }

  private static func write(_ route: Route, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("operationId", route.operation)
    writer.member("summary", route.summary)
    writer.key("tags")
    writer.strings([route.wire == .native ? "native" : "dakera"])
    if route.access == .open {
      writer.key("security")
      writer.strings([])
    }
    writer.key("parameters")
    writer.beginArray()
    for name in route.path.split(separator: "/") where name.hasPrefix("{") {
      writer.beginObject()
      writer.member("name", String(name.dropFirst().dropLast()))
      writer.member("in", "path")
      writer.key("required")
      writer.bool(true)
      writer.key("schema")
      Schema.string(minLength: 1).write(to: &writer)
      writer.endObject()
    }
    for parameter in route.parameters {
      writer.beginObject()
      writer.member("name", parameter.name)
      writer.member("in", "query")
      writer.member("description", parameter.summary)
      if parameter.isRequired {
        writer.key("required")
        writer.bool(true)
      }
      writer.key("schema")
      (parameter.isRepeatable ? .array(parameter.schema) : parameter.schema).write(to: &writer)
      writer.endObject()
    }
    writer.endArray()
    if let body = route.body {
      writer.key("requestBody")
      writer.beginObject()
      writer.key("required")
      writer.bool(true)
      writer.key("content")
      content("application/json", body, to: &writer)
      writer.endObject()
    }
    writer.key("responses")
    writer.beginObject()
    var statuses: [Int] = []
    for answer in route.answers where !statuses.contains(answer.status) {
      statuses.append(answer.status)
      writer.key(text: String(answer.status))
      writer.beginObject()
      writer.member("description", answer.summary)
      let forms = route.answers.filter { $0.status == answer.status && $0.schema != nil }
      if !forms.isEmpty {
        writer.key("content")
        content(forms.map { ($0.type, $0.schema ?? .any) }, to: &writer)
      }
      writer.endObject()
    }
    for problem in Problem.all where problem.canMeet(route) && !statuses.contains(problem.status) {
      writer.key(text: String(problem.status))
      writer.beginObject()
      writer.member("$ref", "#/components/responses/\(problem.name(on: route.wire))")
      writer.endObject()
    }
    writer.endObject()
    writer.endObject()
  }

  private static func content(_ type: String, _ schema: Schema, to writer: inout JSONWriter) {
    content([(type, schema)], to: &writer)
  }

  private static func content(_ forms: [(type: String, schema: Schema)], to writer: inout JSONWriter) {
    writer.beginObject()
    for (type, schema) in forms {
      writer.key(text: type)
      writer.beginObject()
      writer.key("schema")
      schema.write(to: &writer)
      writer.endObject()
    }
    writer.endObject()
  }
}
