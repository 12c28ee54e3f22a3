// Placeholder until the parser lands.
public struct JSONText: Sendable {
  public var utf8: [UInt8]
  public static let emptyObject = JSONText(utf8: Array("{}".utf8))
}
