// An error's one form as JSON.
public import JSON

/// Prints errors.
public enum ErrorJSON {
  /// `{"error":{"code","message","details"}}`
  public static func write(_ error: MemoirError, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("error")
    writer.beginObject()
    writer.key("code")
    writer.string(error.code.rawValue)
    writer.key("message")
    writer.string(error.message)
    writer.key("details")
    writer.value(error.details)
    writer.endObject()
    writer.endObject()
  }

  /// The same as bytes.
  public static func text(_ error: MemoirError) -> [UInt8] {
    var writer = JSONWriter()
    write(error, to: &writer)
    return writer.finish()
  }
}
