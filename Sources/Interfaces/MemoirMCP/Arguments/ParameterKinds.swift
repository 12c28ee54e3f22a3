// The kinds of values that tools take.
import JSON
import Memoir

extension ParameterKind where Value == String {
  /// Any text.
  static var text: Self {
    Self(schema: .text()) { node throws(ParameterProblem) in try string(node) }
  }

  fileprivate static func string(_ node: JSONNode) throws(ParameterProblem) -> String {
    guard let text = node.string else { throw ParameterProblem(reason: "must be a string") }
    return text
  }
}

extension ParameterKind {
  /// A text that names something, and is checked when the name is made.
  static func name(
    longest: Int? = nil, _ make: @escaping @Sendable (String) throws(InvalidValue) -> Value
  ) -> Self {
    Self(schema: .text(longest: longest)) { node throws(ParameterProblem) in
      let text = try ParameterKind<String>.string(node)
      do throws(InvalidValue) { return try make(text) } catch { throw ParameterProblem(reason: error.reason) }
    }
  }

  /// Several of a kind.
  static func list<Element>(of kind: ParameterKind<Element>) -> Self where Value == [Element] {
    Self(schema: .array(of: kind.schema)) { node throws(ParameterProblem) in
      guard node.kind == .array else { throw ParameterProblem(reason: "must be an array") }
      var values: [Element] = []
      var elements = node.elements
      while let element = elements.next() {
        do throws(ParameterProblem) {
          values.append(try kind.read(element))
        } catch {
          throw ParameterProblem(path: "[\(values.count)]" + error.path, reason: error.reason)
        }
      }
      return values
    }
  }
}

extension ParameterKind where Value: CaseIterable & CustomStringConvertible {
  /// One of the cases, by the word it has in JSON.
  static var word: Self {
    let words = Value.allCases.map(\.description)
    return Self(schema: .word(of: words)) { node throws(ParameterProblem) in
      for word in Value.allCases where node.string == word.description { return word }
      throw ParameterProblem(reason: "must be one of " + words.joined(separator: ", "))
    }
  }
}

extension ParameterKind where Value == UserID {
  static var user: Self { .name(longest: 250) { text throws(InvalidValue) in try UserID(text) } }
}

extension ParameterKind where Value == SessionID {
  static var session: Self { .name(longest: 250) { text throws(InvalidValue) in try SessionID(text) } }
}

extension ParameterKind where Value == FactID {
  static var factID: Self { .name(longest: Limits.idSize) { text throws(InvalidValue) in try FactID(text) } }
}

extension ParameterKind where Value == AsOfText {
  /// A point in time: `v12`, `p345`, `recorded:TIME`, `occurred:TIME`, `start`, `now`.
  static var point: Self { .name { text throws(InvalidValue) in try AsOfText(text) } }
}

extension ParameterKind where Value == Timestamp {
  /// A time, RFC 3339 with any offset.
  static var time: Self {
    let name = ParameterKind.name { text throws(InvalidValue) in try Timestamp(text) }
    return Self(schema: .time, read: name.read)
  }
}

extension ParameterKind where Value == Fraction {
  /// A number from 0 to 1.
  static var fraction: Self {
    Self(schema: .fraction) { node throws(ParameterProblem) in
      guard node.kind == .number else { throw ParameterProblem(reason: "must be a number from 0 to 1") }
      // As it was written.
      let text = JSONText(node).description
      do throws(InvalidValue) {
        return try Fraction(text: text)
      } catch {
        throw ParameterProblem(reason: error.reason)
      }
    }
  }
}

extension ParameterKind where Value == Int64 {
  /// A whole number within a range.
  static func whole(_ range: ClosedRange<Int64>) -> Self {
    Self(schema: .whole(range)) { node throws(ParameterProblem) in
      guard let number = node.int64, range.contains(number) else {
        throw ParameterProblem(reason: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
  }
}

extension ParameterKind where Value == Bool {
  static var flag: Self {
    Self(schema: .flag) { node throws(ParameterProblem) in
      guard let flag = node.bool else { throw ParameterProblem(reason: "must be true or false") }
      return flag
    }
  }
}

extension ParameterKind where Value == JSONText {
  /// An object of the application's own.
  static var object: Self {
    Self(schema: .anyObject) { node throws(ParameterProblem) in
      guard node.kind == .object else { throw ParameterProblem(reason: "must be an object") }
      return JSONText(node)
    }
  }
}

extension ParameterKind where Value == MessageAdded {
  /// `{"role","content"}`: what somebody said.
  static var message: Self {
    let role = Parameter.required("role", .word, "Who said it.") as Parameter<MessageRole>
    let content = Parameter.required("content", .text, "What was said.") as Parameter<String>
    return Self(schema: .object([role.property, content.property], isClosed: true)) { node throws(ParameterProblem) in
      guard node.kind == .object else { throw ParameterProblem(reason: "must be an object of role and content") }
      let fields: ToolArguments
      do throws(ParameterProblem) {
        fields = try ToolArguments(node, for: [role, content])
      } catch {
        throw ParameterProblem(path: "." + error.path, reason: error.reason)
      }
      do throws(InvalidValue) {
        return try MessageAdded(role: fields[role], content: fields[content])
      } catch {
        throw ParameterProblem(path: ".content", reason: error.reason)
      }
    }
  }
}
