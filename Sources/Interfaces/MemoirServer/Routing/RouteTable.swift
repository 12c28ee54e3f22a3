// Which route a request means.

/// The routes, found by method and path.
struct RouteTable: Sendable {
  /// What a path leads to.
  enum Match: Sendable {
    /// A route, and the texts of its path's parameters, decoded.
    case route(Route, [PathValue])
    /// There is such a path, but for these methods.
    case otherMethod([Method], Wire)
    case none
  }

  /// A parameter of a path, and what stands in its place.
  typealias PathValue = (name: String, value: String)

  private enum Segment: Hashable, Sendable {
    case literal(String)
    case parameter(String)
  }

  let routes: [Route]
  /// By their number of segments, those with more literal ones first.
  private let bySize: [Int: [(segments: [Segment], route: Route)]]

  init(_ routes: [Route]) {
    self.routes = routes
    var bySize: [Int: [(segments: [Segment], route: Route)]] = [:]
    for route in routes {
      let segments = route.path.split(separator: "/").map { segment -> Segment in
        segment.hasPrefix("{") ? .parameter(String(segment.dropFirst().dropLast())) : .literal(String(segment))
      }
      bySize[segments.count, default: []].append((segments, route))
    }
    self.bySize = bySize.mapValues { routes in
      routes.sorted { Self.literals($0.segments) > Self.literals($1.segments) }
    }
  }

  private static func literals(_ segments: [Segment]) -> Int {
    segments.count { if case .literal = $0 { true } else { false } }
  }

  /// - Parameter segments: The path's, decoded.
  /// - Complexity: O(routes with as many segments).
  func match(method: String, segments: [String]) -> Match {
    let wanted = method == "HEAD" ? "GET" : method
    var others: [Route] = []
    for (pattern, route) in bySize[segments.count] ?? [] where Self.matches(pattern, segments) {
      if route.method.rawValue == wanted { return .route(route, Self.values(of: pattern, in: segments)) }
      others.append(route)
    }
    return others.first.map { .otherMethod(others.map(\.method), $0.wire) } ?? .none
  }

  private static func matches(_ pattern: [Segment], _ segments: [String]) -> Bool {
    // From the end, where paths differ.
    zip(pattern.reversed(), segments.reversed()).allSatisfy { part, text in
      if case .literal(let literal) = part { literal == text } else { true }
    }
  }

  private static func values(of pattern: [Segment], in segments: [String]) -> [PathValue] {
    zip(pattern, segments).compactMap { part, text in
      if case .parameter(let name) = part { (name, text) } else { nil }
    }
  }
}
