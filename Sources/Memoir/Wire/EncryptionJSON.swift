// How a store is encrypted, as every surface shows it.
package import EventStore
package import JSON

extension EncryptionStatus {
  /// Writes it as an object.
  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writeMembers(to: &writer)
    writer.endObject()
  }

  /// Writes its members, which come before others by their names.
  package func writeMembers(to writer: inout JSONWriter) {
    writer.key("algorithm")
    writer.string(algorithm)
    writer.key("master_key")
    writer.string(masterKeyID)
  }

  /// In a few words, for people.
  package var summary: String { "\(algorithm), master key \(masterKeyID)" }
}
