// `revise`: a memory is known otherwise.
import JSON
import Memoir

extension Tool {
  static let factID = Parameter.required("fact_id", .factID, "Which memory, as 'recall' and 'state' show its id.")

  static let revise: Tool = {
    let content = Parameter.optional("content", .text, "What is known now, as one sentence.")
    typealias Shared = MemoryParameters
    return Tool(
      name: "revise", title: "Revise a memory",
      description: """
        Change one memory that you know the id of: its wording, category, importance, confidence, tags, lifetime. What \
        is not given stays; nothing given at all confirms it as still true, which keeps it from fading. Use it for \
        corrections of the same fact; for something new that contradicts it, 'remember' is enough. History keeps what \
        it said before.
        """,
      parameters: [
        factID, content, Shared.category, Shared.importance, Shared.confidence, Shared.tags, Shared.lifetime,
        Shared.session, Shared.metadata,
      ],
      output: .memoryOutcome, effect: .adding
    ) { call in
      let given = call.arguments
      let revision = MemoryRevision(
        content: given[content], category: given[Shared.category], importance: given[Shared.importance],
        confidence: given[Shared.confidence], tags: given[Shared.tags], metadata: given[Shared.metadata],
        lifetime: given[Shared.lifetime].map { .seconds($0) })
      return try call.result(
        of: await call.store.revise(
          given[factID], of: call.user, revision, session: given[Shared.session], agent: call.agent))
    }
  }()
}
