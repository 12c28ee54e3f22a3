// The list of tools, in the order a model sees it.

extension Tool {
  static let all: [Tool] = [
    remember, recall, forget, revise, context, state, changes, history, startSession, endSession, recordEpisode,
    report,
  ]
}
