// The projectors of the memory, by the names they have on every surface.
public import EventStore

/// A projector that comes with the memory.
public enum BuiltInProjector: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  /// Folds the whole state, or one part of it.
  case messages, facts, preferences, relationships, sessions, episodes, profile, context

  /// Its name.
  public var description: String { rawValue }

  /// Folds every stream of a log, or those that `options` name; see ``EventLog/replay(by:_:progress:)``.
  public func replay(
    _ log: EventLog, _ options: ReplayOptions = ReplayOptions(),
    progress: @escaping @Sendable (ReplayProgress) -> Void = { _ in }
  ) throws(MemoirError) -> ReplayResult {
    do {
      return switch self {
      case .messages: try log.replay(by: MessageProjector(), options, progress: progress)
      case .facts: try log.replay(by: FactProjector(), options, progress: progress)
      case .preferences: try log.replay(by: PreferenceProjector(), options, progress: progress)
      case .relationships: try log.replay(by: RelationshipProjector(), options, progress: progress)
      case .sessions: try log.replay(by: SessionProjector(), options, progress: progress)
      case .episodes: try log.replay(by: EpisodeProjector(), options, progress: progress)
      case .profile: try log.replay(by: ProfileProjector(), options, progress: progress)
      case .context: try log.replay(by: ContextProjector(), options, progress: progress)
      }
    } catch {
      throw MemoirError(error)
    }
  }
}
