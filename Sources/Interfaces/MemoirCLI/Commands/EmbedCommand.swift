// `memoir embed`: makes the vectors that recall by meaning needs.
import JSON
import Memoir

enum EmbedCommand: Command {
  static let drop = Argument.option(
    "drop", .text("MODEL"), help: "Delete all vectors of this model instead, e.g. of one that is not used any more.")

  static let row = CommandRow(
    name: "embed",
    summary: "Make the vectors that recall by meaning needs",
    section: .care,
    discussion: """
      Sends each text that has no vector yet to the embedding model that $MEMOIR_EMBEDDINGS_URL and
      $MEMOIR_EMBEDDINGS_MODEL name, with the key in $MEMOIR_EMBEDDINGS_KEY or the file $MEMOIR_EMBEDDINGS_KEY_FILE.
      $MEMOIR_EMBEDDINGS_TIMEOUT are the seconds that a call may take; $MEMOIR_MODELS_FILE names a file of such lines.

      What was done is kept when it fails or is interrupted; the next run goes on there. Texts leave this machine
      unless the model is on it. Those of all namespaces, unless one is given; --drop is of all of them.
      """,
    arguments: [drop],
    examples: [CommandExample("memoir embed", "Embed what was said since the last time.")],
    exitCodes: [
      ExitMeaning(.failed, "no model is configured, or it fails; a failure of the disk or the store"),
      ExitMeaning(.wrongUsage, "wrong usage; a variable that cannot be meant"), ExitMeaning(.notFound, "no store"),
      ExitMeaning(.corrupt, "the store is damaged"),
    ])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) async throws -> ExitCode {
    if let model = arguments[drop] {
      return try await arguments.withStore(for: .writing, in: context) { store in
        try await store.dropVectors(of: model)
        try context.output.write(
          json: JSONWriter.objectLine { writer in
            writer.key("dropped")
            writer.string(model)
          })
        return .done
      }
    }
    return try await arguments.withStore(for: .writing, usesModels: true, in: context) { store in
      guard let model = store.memory.embedder?.model else {
        throw MemoirError(
          .unavailable, "no embedding model is configured: set $MEMOIR_EMBEDDINGS_URL and $MEMOIR_EMBEDDINGS_MODEL")
      }
      let began = context.monotonic()
      let status = try await store.embedMissing(in: arguments[GlobalOptions.namespace])
      let seconds = (context.monotonic() - began) / .seconds(1)
      try context.output.write(
        json: JSONWriter.objectLine { writer in
          writer.key("embedded")
          writer.integer(status.embedded)
          writer.key("model")
          writer.string(model)
          writer.key("refused")
          writer.integer(status.refused)
          writer.key("seconds")
          writer.double((seconds * 1_000).rounded() / 1_000)
        })
      return .done
    }
  }
}
