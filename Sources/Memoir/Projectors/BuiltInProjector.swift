// The projectors of the memory, by the names they have on every surface.
internal import Bytes
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

  /// Compares the snapshots that stand in a log with what this program's projector folds the same events to; see
  /// ``EventLog/comparison(ofSnapshotsWith:_:forms:)``.
  ///
  /// A part of the context state is compared with that part of the context's snapshots too, since those are the ones that
  /// are taken by themselves.
  /// - Throws: `invalid_argument` for an occurred-at: snapshots stand at versions.
  public func comparison(
    ofSnapshotsIn log: EventLog, _ options: ComparisonOptions = ComparisonOptions()
  ) throws(MemoirError) -> StateComparison {
    switch self {
    case .messages: try compare(log, MessageProjector(), options) { $0.messages }
    case .facts: try compare(log, FactProjector(), options) { $0.facts }
    case .preferences: try compare(log, PreferenceProjector(), options) { $0.preferences }
    case .relationships: try compare(log, RelationshipProjector(), options) { $0.relationships }
    case .sessions: try compare(log, SessionProjector(), options) { $0.sessions }
    case .episodes: try compare(log, EpisodeProjector(), options) { $0.episodes }
    case .profile: try compare(log, ProfileProjector(), options) { ProfileState($0.preferences, $0.facts) }
    case .context: try compare(log, ContextProjector(), options, part: nil)
    }
  }

  private func compare<P: Projector>(
    _ log: EventLog, _ projector: P, _ options: ComparisonOptions, part: (@Sendable (ContextState) -> P.State)?
  ) throws(MemoirError) -> StateComparison where P.State: ItemizedState {
    var forms = [
      SnapshotForm(of: projector.name) { (bytes) throws(DamagedBytes) in try P.State(decoding: &bytes) }
    ]
    if let part {
      forms.append(
        SnapshotForm(of: ContextProjector().name) { (bytes) throws(DamagedBytes) in
          part(try ContextState(decoding: &bytes))
        })
    }
    do {
      return StateComparison(try log.comparison(ofSnapshotsWith: projector, options, forms: forms))
    } catch {
      throw MemoirError(error)
    }
  }
}
