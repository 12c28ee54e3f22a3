// Which route a request means.

/// The routes, found by method and path.
struct RouteTable: Sendable {
  /// What a path leads to.
  enum Match: Sendable {
    /// A route, and the texts of its path's parameters, decoded.
    case route(Route, [String: String])
    /// There is such a path, but for these methods.
    case otherMethod([Method])
    case none
  }

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
    var methods: [Method] = []
    for (pattern, route) in bySize[segments.count] ?? [] {
      guard let values = Self.values(of: pattern, in: segments) else { continue }
      if route.method.rawValue == wanted { return .route(route, values) }
      methods.append(route.method)
    }
    return methods.isEmpty ? .none : .otherMethod(methods)
  }

  /// The wire of the routes with this path, whatever their methods.
  func wire(of segments: [String]) -> Wire? {
    bySize[segments.count]?.first { Self.values(of: $0.segments, in: segments) != nil }?.route.wire
  }

  private static func values(of pattern: [Segment], in segments: [String]) -> [String: String]? {
    var values: [String: String] = [:]
    for (part, text) in zip(pattern, segments) {
      switch part {
      case .literal(let literal): if literal != text { return nil }
      case .parameter(let name): values[name] = text
      }
    }
    return values
  }
}
