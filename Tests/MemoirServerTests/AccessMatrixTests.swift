// Who may do what: every call, by every kind of key, about somebody within its reach and beyond it.
import EventStore
import HTTPServer
import JSON
import Memoir
import TestSupport
import Testing

@testable import MemoirServer

@Suite struct `Every call, by every kind of key,` {
  @Test func `is known to the tests`() {
    let operations = MemoirServer.routes.map(\.operation)
    #expect(Set(operations).subtracting(AccessCase.all.keys).isEmpty, "calls without a demand in AccessDemands.swift")
    #expect(Set(AccessCase.all.keys).subtracting(operations).isEmpty, "demands without a call")
    #expect(operations.count == Set(operations).count)
  }

  @Test(arguments: [Wire.native, .dakera]) func `is answered as the rule says, and tells nothing of what is beyond it`(
    wire: Wire
  ) async throws {
    let world = try await AccessWorld()
    var problems: [String] = []
    for route in MemoirServer.routes where route.wire == wire {
      let cases = try #require(AccessCase.all[route.operation], "\(route.operation)")
      for one in cases { problems += try await world.problems(of: one, by: route) }
    }
    #expect(problems.isEmpty, "\(problems.count): \(problems.prefix(20).joined(separator: "\n"))")
  }
}

extension AccessWorld {
  /// Where answers are not as the rule has them.
  fileprivate func problems(of one: AccessCase, by route: Route) async throws -> [String] {
    var problems: [String] = []
    /// What was answered first about somebody out of reach.
    var foreign: String?
    for holder in holders {
      for place in places(of: one, route, for: holder) {
        let verdict = AccessVerdict(holder, one.demand, place)
        let status = verdict.status(one.demand)
        let asked = "\(route.operation) by \(holder) about \(place.user) of \(place.namespace)"
        try await prepare(one, at: place)
        var key = ""
        if case .key = one.demand.about { key = try await makeKey(place) }
        var target = filled(one.target, place, key: key)
        if route.parameters.contains(where: { $0.name == "namespace" }) {
          target += (target.contains("?") ? "&" : "?") + "namespace=\(place.namespace)"
        }
        let before = try served.store.log.lastPosition()
        let isLive = route.operation.hasSuffix("live_events") || route.operation.hasSuffix("stream_events")
        let reply = try await served.ask(
          route.method.rawValue, target,
          headers: [("Content-Type", one.type)] + (holder.authorization.map { [("Authorization", $0)] } ?? []),
          body: one.body.map { filled($0, place, key: key) }, headOnly: isLive && status == 200)
        if reply.status != status { problems.append("\(asked): \(reply.status), not \(status): \(reply.text)") }
        if !isDescribed(route, reply.status) { problems.append("\(asked): \(reply.status) is not in the document") }
        if case .found = verdict { continue }
        if case .unknown = verdict, status < 400 { continue }
        if try served.store.log.lastPosition() != before { problems.append("\(asked): appended") }
        if reply.text.contains("secret") { problems.append("\(asked): tells of it: \(reply.text)") }
        guard verdict == .foreign || verdict == .unknown && one.demand.unknown == one.demand.foreign else { continue }
        // Alike, whether there is such a one or not, and whoever asks.
        var seen = plain(reply, place, key)
        if case .key = one.demand.about {} else { seen = seen.replacing(place.namespace, with: "NAMESPACE") }
        let first = foreign ?? seen
        foreign = first
        if seen != first { problems.append("\(asked): \(seen), and elsewhere \(first)") }
      }
    }
    return problems
  }
}
