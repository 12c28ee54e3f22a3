// What is said.
internal import Bytes
public import EventStore
public import JSON

/// Who speaks.
public enum MessageRole: UInt8, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  /// The person.
  case user = 1
  /// The assistant.
  case assistant = 2
  /// Instructions to the assistant.
  case system = 3
  /// The answer of a tool.
  case tool = 4

  /// The word in JSON.
  public var description: String {
    switch self {
    case .user: "user"
    case .assistant: "assistant"
    case .system: "system"
    case .tool: "tool"
    }
  }
}

/// The payload fields of messages.
enum MessageField {
  static let role: UInt8 = 1, content: UInt8 = 2, messageID: UInt8 = 3
}

/// `MessageAdded`: something was said.
public struct MessageAdded: JSONContent {
  static var type: EventTypeCode { .messageAdded }

  /// Who said it.
  public let role: MessageRole
  /// What was said; may be empty, as a tool's answer can be.
  public let content: String
  /// The message's id in the application.
  public let messageID: MessageID?
  /// Members of `data` that the vocabulary does not know, kept as they came: an object.
  public internal(set) var otherFields: JSONText?

  /// Checks the fields.
  ///
  /// - Throws: ``InvalidValue`` where the content is too long.
  public init(role: MessageRole, content: String, messageID: MessageID? = nil) throws(InvalidValue) {
    try TextRule.check(content, field: "data.content", mayBeEmpty: true)
    self.role = role
    self.content = content
    self.messageID = messageID
  }

  static let keys = [
    DataKey("content", MessageField.content), DataKey("message_id", MessageField.messageID),
    DataKey("role", MessageField.role, .role),
  ]

  func write(into writer: inout PayloadWriter) {
    writer.write(otherFields, field: otherFieldsNumber)
    writer.write(UInt64(role.rawValue), field: MessageField.role)
    writer.write(content, field: MessageField.content)
    writer.write(messageID?.description, field: MessageField.messageID)
  }

  init(payload: RawSpan) throws(DamagedBytes) {
    var role: MessageRole? = nil
    var content: String? = nil
    var messageID: MessageID? = nil
    var reader = PayloadReader(payload)
    while let field = try reader.next() {
      switch field.number {
      case otherFieldsNumber: otherFields = try field.json()
      case MessageField.role: role = MessageRole(rawValue: UInt8(clamping: field.integer))
      case MessageField.content: content = try field.text()
      case MessageField.messageID: messageID = MessageID(stored: try field.itemID())
      default: break
      }
    }
    guard let role, let content else { throw DamagedBytes() }
    self.role = role
    self.content = content
    self.messageID = messageID
  }

  init(reading data: borrowing DataReader) throws {
    try self.init(
      role: data.word("role", of: MessageRole.self), content: data.text("content", mayBeEmpty: true),
      messageID: data.id("message_id", MessageID.init))
    otherFields = try data.others(besides: Self.keys)
  }
}
