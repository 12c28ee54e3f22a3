// What was tried, and how it went.
internal import Bytes
public import EventStore
public import JSON

/// One text or a list of texts: kept as it was given.
public enum TextList: Hashable, Sendable, ExpressibleByArrayLiteral, ExpressibleByStringLiteral {
  /// A single text, e.g. `"sent the mail"`.
  case one(String)
  /// An array of texts.
  case many([String])

  /// Makes an array of texts.
  public init(arrayLiteral texts: String...) { self = .many(texts) }
  /// Makes a single text.
  public init(stringLiteral text: String) { self = .one(text) }

  /// The texts, however many.
  public var texts: [String] {
    switch self {
    case .one(let text): [text]
    case .many(let texts): texts
    }
  }

  func check(field: String) throws(InvalidValue) {
    switch self {
    case .one(let text): try TextRule.check(text, field: field, mayBeEmpty: true)
    case .many(let texts): try TextRule.check(texts, field: field)
    }
  }
}

/// `EpisodeRecorded`: a task, what was done about it, and what came of it.
public struct EpisodeRecorded: JSONContent {
  static var type: EventTypeCode { .episodeRecorded }

  /// What was to be done.
  public let task: String
  /// What was done.
  public let actions: TextList
  /// What came of it.
  public let outcomes: TextList
  /// Whether it was what was wanted.
  public let success: Bool
  /// What to remember next time.
  public let lessons: TextList?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` where the task is empty or a text is too long.
  public init(
    task: String, actions: TextList, outcomes: TextList, success: Bool, lessons: TextList? = nil
  ) throws(InvalidValue) {
    try TextRule.check(task, field: "data.task")
    try actions.check(field: "data.actions")
    try outcomes.check(field: "data.outcomes")
    try lessons?.check(field: "data.lessons")
    self.task = task
    self.actions = actions
    self.outcomes = outcomes
    self.success = success
    self.lessons = lessons
  }

  enum Field {
    static let task: UInt8 = 1, actions: UInt8 = 2, outcomes: UInt8 = 3, success: UInt8 = 4,
      lessons: UInt8 = 5
  }

  static let keys = [
    DataKey("actions", Field.actions), DataKey("lessons", Field.lessons), DataKey("outcomes", Field.outcomes),
    DataKey("success", Field.success), DataKey("task", Field.task),
  ]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(task, field: Field.task)
    writer.write(actions, field: Field.actions)
    writer.write(outcomes, field: Field.outcomes)
    writer.write(success, field: Field.success)
    if let lessons { writer.write(lessons, field: Field.lessons) }
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var task: String? = nil
    var actions: TextList? = nil
    var outcomes: TextList? = nil
    var success: Bool? = nil
    var lessons: TextList? = nil
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      switch field.number {
      case otherFieldsNumber: otherFields = try field.json()
      case Field.task: task = try field.text()
      case Field.actions: actions = try field.textList()
      case Field.outcomes: outcomes = try field.textList()
      case Field.success: success = try field.flag()
      case Field.lessons: lessons = try field.textList()
      default: break
      }
    }
    guard let task, let actions, let outcomes, let success else { throw DamagedBytes() }
    self.task = task
    self.actions = actions
    self.outcomes = outcomes
    self.success = success
    self.lessons = lessons
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      task: data.text("task"), actions: data.textList("actions"), outcomes: data.textList("outcomes"),
      success: data.flag("success"), lessons: data.optionalTextList("lessons"))
    otherFields = try data.others(besides: Self.keys)
  }
}

extension PayloadWriter {
  /// A single text as a text, a list as JSON: so the field says which it was.
  fileprivate mutating func write(_ list: TextList, field number: UInt8) {
    switch list {
    case .one(let text): write(text, field: number)
    case .many(let texts): write(JSONText(strings: texts), field: number)
    }
  }
}

extension PayloadField {
  fileprivate func textList() throws(DamagedBytes) -> TextList {
    kind == .json ? .many(try texts()) : .one(try text())
  }
}
