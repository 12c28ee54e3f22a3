// The many small values of the protocol, written.
import JSON

extension JSONText {
  /// What `body` writes. Only for what goes out: keys are in the order they are written in.
  static func written<Failure: Error>(_ body: (inout JSONWriter) throws(Failure) -> Void) throws(Failure) -> JSONText {
    var writer = JSONWriter()
    try body(&writer)
    return JSONText(canonical: writer.finish())
  }

  /// An object of the members that `body` writes.
  static func object(_ body: (inout JSONWriter) -> Void) -> JSONText {
    written { $0.object(body) }
  }
}
