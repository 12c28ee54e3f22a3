// The versions of the Model Context Protocol that are spoken, and what came with each.

/// A version of the protocol, named by its date.
package enum ProtocolVersion: String, CaseIterable, Comparable, Sendable {
  case november2024 = "2024-11-05"
  case march2025 = "2025-03-26"
  case june2025 = "2025-06-18"
  case november2025 = "2025-11-25"

  /// What a client is answered that asks for a version nobody here speaks.
  package static let latest = november2025

  /// By date.
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// Several messages in one array: came, and went with the next version.
  var hasBatches: Bool { self == .march2025 }
  /// Hints about what a tool does; completion is announced.
  var hasAnnotations: Bool { self >= .march2025 }
  /// Results as JSON beside the text, and titles beside the names.
  var hasStructuredContent: Bool { self >= .june2025 }
}
