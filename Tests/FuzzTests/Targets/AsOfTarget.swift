// Points in time as they are written on the command line, in addresses and to tools.
import EventStore
import JSON
import Memoir

struct AsOfTarget: FuzzTarget {
  static let name = "as-of"

  func check(_ bytes: [UInt8]) throws -> Bool {
    guard let text = String(validating: bytes, as: UTF8.self) else { return false }
    try checkTime(text)
    let point: AsOfText
    do throws(InvalidValue) { point = try AsOfText(text) } catch {
      try hold(error.field == "as_of" && !error.reason.isEmpty, "a refusal names the field and says why")
      return false
    }
    try hold(try AsOfText(point.description) == point, "a point is read as it is printed")
    var writer = JSONWriter()
    point.write(to: &writer)
    _ = try JSONText(parsing: writer.finish().span)
    return true
  }

  private func checkTime(_ text: String) throws {
    guard let time = try? Timestamp(text) else { return }
    try hold((Timestamp.earliest...Timestamp.latest).contains(time), "a time is within its range")
    try hold(time.description.utf8.count == 27, "a time is printed in 27 characters")
    try hold(try Timestamp(time.description) == time, "a time is read as it is printed")
    let letters = Array(text.utf8)
    try hold(try Timestamp(utf8: letters.span) == time, "a time is the same read from bytes")
  }

  static let words = ["start", "now", "recorded:", "occurred:", "v", "p", "T", "Z", "+00:00", "2026-02-29", "9999"]

  static func seeds() throws -> [[UInt8]] {
    [
      "start", "now", "v12", "p345", "v18446744073709551615", "recorded:2026-11-20T10:00:00.000000Z",
      "occurred:2024-02-29t23:59:59.1234567+14:00", "recorded:1970-01-01 00:00:00-00:01",
      "occurred:9999-12-31T23:59:59.999999Z",
    ].map { Array($0.utf8) }
  }
}
