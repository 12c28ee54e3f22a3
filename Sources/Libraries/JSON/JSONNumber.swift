// What a number's text is worth, exactly, whatever its size.

/// Questions about numbers as they are written.
///
/// Two numbers are equal when they are so as decimals: `1.0`, `1` and `10e-1` are, and `-0` and `0`.
/// No text makes any of this slow or wrong, `1e99999999999999999999` included; a text that is no number
/// of JSON's grammar equals only the same bytes and has no value.
public enum JSONNumber {
  /// Whether the text is one number of JSON's grammar.
  public static func isNumber(_ text: Span<UInt8>) -> Bool {
    let scan = scanNumber(text, at: 0)
    return scan.isValid && scan.end == text.count
  }

  /// Whether both texts are the same decimal.
  ///
  /// - Complexity: O(length of both texts).
  public static func areEqual(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Bool {
    if first.hasSameBytes(as: second) { return true }
    guard let a = Decimal(first), let b = Decimal(second) else { return false }
    guard !a.isZero, !b.isZero else { return a.isZero && b.isZero }
    guard a.isNegative == b.isNegative, a.digitCount == b.digitCount else { return false }
    var place = a.firstDigit, other = b.firstDigit
    for _ in 0..<a.digitCount {
      if first[place] == .point { place += 1 }
      if second[other] == .point { other += 1 }
      if first[place] != second[other] { return false }
      place += 1
      other += 1
    }
    return Decimal.differenceOfExponents(a, first, b, second) == b.pointShift - a.pointShift
  }

  /// The number, if it has no fractional part and fits, however it is written.
  public static func int64(_ text: Span<UInt8>) -> Int64? {
    guard let decimal = Decimal(text), let magnitude = decimal.magnitude(of: text) else { return nil }
    if decimal.isNegative { return Int64(exactly: -Int128(magnitude)) }
    return Int64(exactly: magnitude)
  }

  /// The number, if it has no fractional part and fits, however it is written; `-0` is 0.
  public static func uint64(_ text: Span<UInt8>) -> UInt64? {
    guard let decimal = Decimal(text), let magnitude = decimal.magnitude(of: text) else { return nil }
    return decimal.isNegative && magnitude != 0 ? nil : magnitude
  }

  /// The nearest `Double`, correctly rounded; `nil` where the number is beyond the finite ones.
  public static func double(_ text: Span<UInt8>) -> Double? {
    guard let decimal = Decimal(text) else { return nil }
    if let exact = decimal.exactDouble(of: text) { return exact }
    guard let value = Double(String(validUTF8: text)), value.isFinite else { return nil }
    return value
  }
}

extension UInt8 {
  fileprivate static var point: UInt8 { UInt8(ascii: ".") }
}

/// Where the parts of a number lie: ±0.d₁d₂…dₙ · 10^(pointShift + exponent), d₁ and dₙ not 0.
private struct Decimal {
  let isNegative: Bool
  /// Offset of the first digit that is not 0, and the digits from there to the last that is not 0.
  var firstDigit = 0
  var digitCount = 0
  var pointShift = 0
  let exponentIsNegative: Bool
  /// The exponent's digits, leading zeros left out.
  let exponent: Range<Int>

  var isZero: Bool { digitCount == 0 }

  /// The parts of a text; `nil` where it is no number.
  init?(_ text: Span<UInt8>) {
    guard JSONNumber.isNumber(text) else { return nil }
    isNegative = text[0] == .minus
    var offset = isNegative ? 1 : 0
    var point: Int? = nil
    var lastDigit = -1
    var hasDigit = false
    while offset < text.count, text[offset].isDigit || text[offset] == .point {
      if text[offset] == .point {
        point = offset
      } else if text[offset] != UInt8(ascii: "0") {
        if !hasDigit {
          hasDigit = true
          firstDigit = offset
        }
        lastDigit = offset
      }
      offset += 1
    }
    let end = point ?? offset
    if hasDigit {
      digitCount = lastDigit - firstDigit + 1
      if firstDigit < end, end < lastDigit { digitCount -= 1 }
      pointShift = firstDigit < end ? end - firstDigit : end + 1 - firstDigit
    }
    // Either the end, or `e`, a sign perhaps, and digits.
    if offset < text.count { offset += 1 }
    exponentIsNegative = offset < text.count && text[offset] == .minus
    if offset < text.count, !text[offset].isDigit { offset += 1 }
    while offset < text.count, text[offset] == UInt8(ascii: "0") { offset += 1 }
    exponent = offset..<text.count
  }

  /// The difference of the exponents as written; `nil` where it is greater than any text is long.
  static func differenceOfExponents(
    _ a: Decimal, _ first: Span<UInt8>, _ b: Decimal, _ second: Span<UInt8>
  ) -> Int? {
    let length = max(a.exponent.count, b.exponent.count)
    var difference = 0
    for place in 0..<length {
      difference =
        difference * 10 + a.exponentDigit(place, of: length, in: first)
        - b.exponentDigit(place, of: length, in: second)
      // A step adds at most 18 to ten times the difference: from here on it only grows.
      if difference.magnitude > 1 << 50 { return nil }
    }
    return difference
  }

  /// The digit at `place`, with the exponent's sign, of the exponent written with `length` digits.
  private func exponentDigit(_ place: Int, of length: Int, in text: Span<UInt8>) -> Int {
    let offset = exponent.upperBound - length + place
    guard offset >= exponent.lowerBound else { return 0 }
    let digit = Int(text[offset] & 0xF)
    return exponentIsNegative ? -digit : digit
  }

  /// The exponent as a number; `nil` where it is very large or very small.
  private func exponent(in text: Span<UInt8>) -> Int? {
    var value = 0
    for offset in exponent {
      value = value * 10 + Int(text[offset] & 0xF)
      if value > 1 << 50 { return nil }
    }
    return exponentIsNegative ? -value : value
  }

  /// The number without its sign, if it has no fractional part and fits.
  func magnitude(of text: Span<UInt8>) -> UInt64? {
    if isZero { return 0 }
    guard let exponent = exponent(in: text) else { return nil }
    // So many digits stand before the point.
    let whole = pointShift + exponent
    guard digitCount <= whole, whole <= 20 else { return nil }
    guard var value = significand(of: text) else { return nil }
    for _ in digitCount..<whole {
      let product = value.multipliedReportingOverflow(by: 10)
      if product.overflow { return nil }
      value = product.partialValue
    }
    return value
  }

  /// The digits without point and exponent, if they fit.
  private func significand(of text: Span<UInt8>) -> UInt64? {
    guard digitCount <= 20 else { return nil }
    var value: UInt64 = 0
    var offset = firstDigit
    for _ in 0..<digitCount {
      if text[offset] == .point { offset += 1 }
      let product = value.multipliedReportingOverflow(by: 10)
      let sum = product.partialValue.addingReportingOverflow(UInt64(text[offset] & 0xF))
      if product.overflow || sum.overflow { return nil }
      value = sum.partialValue
      offset += 1
    }
    return value
  }

  /// The number by one multiplication or division of exact values, which rounds once and so correctly
  /// (Clinger 1990); `nil` where it takes more.
  func exactDouble(of text: Span<UInt8>) -> Double? {
    if isZero { return isNegative ? -0.0 : 0.0 }
    guard let exponent = exponent(in: text), let significand = significand(of: text),
      significand <= 1 << 53
    else { return nil }
    let power = pointShift + exponent - digitCount
    guard -22...22 ~= power else { return nil }
    var ten = 1.0
    for _ in 0..<power.magnitude { ten *= 10 }
    let value = power < 0 ? Double(significand) / ten : Double(significand) * ten
    return isNegative ? -value : value
  }
}
