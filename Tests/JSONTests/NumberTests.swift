// The number rule: numbers are equal when they are so as decimals.
import JSON
import Testing

private func areEqual(_ first: String, _ second: String) -> Bool {
  JSONNumber.areEqual(first.utf8Span.span, second.utf8Span.span)
}

private func isNumber(_ text: String) -> Bool { JSONNumber.isNumber(text.utf8Span.span) }

@Suite struct `Numbers as written` {
  @Test func `are equal when they are the same decimal`() {
    let equal = [
      [
        "1", "1.0", "1.000", "10e-1", "0.1e1", "1e0", "1E+0", "1e-0", "100e-2", "0.01E2",
        "1e00000000000000000000",
      ],
      ["0", "-0", "0.0", "-0.000", "0e5", "0e99999999999999999999999", "-0e-99999999999999999999999"],
      ["120", "1.2e2", "12e1", "120.0", "0.12e3", "1200e-1"],
      ["-1.5", "-15e-1", "-0.15e1", "-1.50"],
      [
        "123456789012345678901234567890", "123456789012345678901234567890.0",
        "12345678901234567890123456789e1",
      ],
      ["1e400", "10e399", "0.1e401", "1E+400"],
      ["1e-400", "0.1e-399", "10e-401"],
      ["1e99999999999999999999", "10e99999999999999999998", "0.1e100000000000000000000"],
      ["1e-100000000000000000000", "10e-100000000000000000001", "0.1e-99999999999999999999"],
      ["1e9223372036854775807", "10e9223372036854775806"],
      ["1e9223372036854775808", "0.1e9223372036854775809"],
      ["0.001", "1e-3", "0.1e-2", "1000e-6"],
      ["101", "1.01e2", "10.1e1", "101.0"],
      ["10", "1e1"], ["100.001", "100001e-3"],
    ]
    for (place, group) in equal.enumerated() {
      for first in group {
        for (otherPlace, other) in equal.enumerated() {
          for second in other {
            #expect(areEqual(first, second) == (place == otherPlace), "\(first) \(second)")
          }
        }
      }
    }
  }

  @Test func `differ in sign, digits or magnitude`() {
    for (first, second) in [
      ("1", "-1"), ("1", "2"), ("1", "10"), ("1", "1.0000000000000000000000000000001"), ("101", "11"),
      ("1.01", "1.1"),
      ("9007199254740993", "9007199254740992"), ("1e400", "1e401"), ("1e400", "-1e400"), ("1e5", "1e-5"),
      ("12", "21"),
      ("1e99999999999999999999", "1e99999999999999999998"),
      ("1e99999999999999999999", "1e-99999999999999999999"),
      ("0", "1e-99999999999999999999"), ("12", "1"), ("1", "12"),
    ] {
      #expect(!areEqual(first, second), "\(first) \(second)")
      #expect(!areEqual(second, first), "\(first) \(second)")
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `are equal however one decimal is spelled`(seed: UInt64) {
    var random = Seeded(seed)
    for _ in 0..<2_000 {
      let digits =
        String(1 + random.below(9)) + (random.below(2) == 0 ? Model.randomDigits(using: &random) : "")
      let sign = Bool.random(using: &random) ? "-" : ""
      let exponent = random.below(60) - 30
      let first = spelling(of: digits, exponent, sign, using: &random)
      let second = spelling(of: digits, exponent, sign, using: &random)
      #expect(isNumber(first), "\(first)")
      #expect(areEqual(first, second), "\(first) \(second)")
      #expect(!areEqual(first, spelling(of: digits, exponent + 1, sign, using: &random)), "\(first)")
      #expect(!areEqual(first, spelling(of: "1" + digits, exponent, sign, using: &random)), "\(first)")
      #expect(
        !areEqual(first, spelling(of: digits, exponent, sign == "" ? "-" : "", using: &random)), "\(first)")
    }
  }

  /// One of the many texts of digits · 10^exponent.
  private func spelling(
    of digits: String, _ exponent: Int, _ sign: String, using random: inout Seeded
  ) -> String {
    var digits = digits, exponent = exponent
    for _ in 0..<random.below(4) {
      digits += "0"
      exponent -= 1
    }
    let shift = random.below(digits.count + 8)
    exponent += shift
    var text: String
    if shift == 0 {
      text = digits
    } else if shift < digits.count {
      text = digits.dropLast(shift) + "." + digits.suffix(shift)
    } else {
      text = "0." + String(repeating: "0", count: shift - digits.count) + digits
    }
    if exponent != 0 || Bool.random(using: &random) {
      text += exponent < 0 ? "e-" : ["e", "E+"][random.below(2)]
      text += String(repeating: "0", count: random.below(3)) + String(exponent.magnitude)
    }
    return sign + text
  }

  @Test func `have an integer value where they have no fractional part and fit`() {
    func int64(_ text: String) -> Int64? { JSONNumber.int64(text.utf8Span.span) }
    func uint64(_ text: String) -> UInt64? { JSONNumber.uint64(text.utf8Span.span) }
    for text in ["3", "3.0", "3e0", "0.3e1", "30e-1", "300.00e-2"] {
      #expect(int64(text) == 3, "\(text)")
      #expect(uint64(text) == 3, "\(text)")
    }
    #expect(int64("3e2") == 300)
    #expect(int64("-3e2") == -300)
    #expect(uint64("-3") == nil)
    for text in ["0", "-0", "0.0", "0e99999999999999999999"] {
      #expect(int64(text) == 0, "\(text)")
      #expect(uint64(text) == 0, "\(text)")
    }
    #expect(int64("9223372036854775807") == .max)
    #expect(int64("9223372036854775808") == nil)
    #expect(int64("-9223372036854775808") == .min)
    #expect(int64("-9223372036854775809") == nil)
    #expect(uint64("18446744073709551615") == .max)
    #expect(uint64("18446744073709551616") == nil)
    #expect(uint64("1844674407370955161.5e1") == .max)
    #expect(uint64("184467440737095516150e-1") == .max)
    #expect(uint64("1e19") == 10_000_000_000_000_000_000)
    #expect(uint64("99999999999999999999") == nil)
    for text in [
      "1.5", "1e-1", "0.1", "1e20", "1e99999999999999999999", "1e-99999999999999999999", "2e19", "", "a",
      "01",
    ] {
      #expect(int64(text) == nil, "\(text)")
      #expect(uint64(text) == nil, "\(text)")
    }
  }

  @Test func `have the nearest double`() {
    func double(_ text: String) -> Double? { JSONNumber.double(text.utf8Span.span) }
    #expect(double("0.1") == 0.1)
    #expect(double("-0")?.sign == .minus)
    #expect(double("9007199254740993") == 9007199254740992)
    #expect(double("9007199254740993.00000000001") == 9007199254740994)
    #expect(double("1e-400") == 0)
    #expect(double("4.9e-324") == .leastNonzeroMagnitude)
    #expect(double("1.7976931348623157e308") == .greatestFiniteMagnitude)
    #expect(double("1e309") == nil)
    #expect(double("-1e99999999999999999999") == nil)
    #expect(double("0e99999999999999999999") == 0)
    #expect(double("1e-99999999999999999999") == 0)
    for text in ["", "nan", "inf", "0x1p3", "1.", " 1"] { #expect(double(text) == nil, "\(text)") }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `have the double that the standard library reads`(seed: UInt64) throws {
    var random = Seeded(seed)
    for _ in 0..<5_000 {
      let text = Model.randomNumber(using: &random)
      let expected = try #require(Double(text))
      #expect(
        JSONNumber.double(text.utf8Span.span) == (expected.isFinite ? expected : nil), "\(text)")
    }
  }
}
