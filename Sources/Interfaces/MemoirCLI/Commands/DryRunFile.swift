// How far a dry run of the whole store has come, kept beside the data so that one that was killed can go on.
//
//   memoir-dry-run 1 PROGRAM      size and time of the program that wrote it
//   differs NAMESPACE USER      tabs between the words, which no name contains
//   done CHECKPOINT             what stands before it counts; what follows the last one does not
import Memoir
import Platform

/// The file of an unfinished dry run.
///
/// It is no part of the store: where it cannot be written, as on a disk that can only be read, the run goes on all the
/// same and cannot be resumed. It is not synced: after a power loss the run begins anew, after a kill it goes on.
final class DryRunFile {
  private let path: String
  private var file: Descriptor?

  private let header: String

  /// That of the store in `folder`. What another program had found, or this one before it was built anew, counts for
  /// nothing: its projectors may have been others under the same version.
  init(in folder: String) {
    path = "\(folder)/\(StoreFolder.dryRunName)"
    let program = try? Files.status("/proc/self/exe")
    header = "memoir-dry-run 1 \(program?.sizeInBytes ?? 0)-\(program?.modifiedAt ?? 0)"
  }

  /// How far an interrupted run had come, and the users it had found to differ.
  func read() -> (checkpoint: ComparisonCheckpoint, different: [StreamName])? {
    guard (try? Files.status(path))?.kind == .file, let bytes = try? Files.read(path, limit: 1 << 30) else {
      return nil
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let first = lines.first, first == header else { return nil }
    var known: (checkpoint: ComparisonCheckpoint, different: [StreamName])?
    var different: [StreamName] = []
    for line in lines.dropFirst() {
      let words = line.split(separator: "\t").map(String.init)
      if words.count == 3, words[0] == "differs", let namespace = try? Namespace(words[1]),
        let user = try? UserID(words[2])
      {
        different.append(StreamName(user, in: namespace))
      } else if words.count == 2, words[0] == "done", let checkpoint = ComparisonCheckpoint(words[1]) {
        known = (checkpoint, different)
      } else {
        break
      }
    }
    return known
  }

  /// Begins the file anew, with what an interrupted run had found.
  func begin(different: [StreamName], at checkpoint: ComparisonCheckpoint) {
    _ = try? Files.remove(path)
    file = try? Descriptor(opening: path, for: .appending)
    try? file?.write(header + "\n")
    note(different: different, at: checkpoint)
  }

  /// Adds what was found on the way to `checkpoint`.
  func note(different: [StreamName], at checkpoint: ComparisonCheckpoint) {
    var text = ""
    for user in different { text += "differs\t\(user.namespace)\t\(user.user)\n" }
    try? file?.write(text + "done\t\(checkpoint)\n")
  }

  /// The run is finished.
  func remove() {
    file = nil
    _ = try? Files.remove(path)
  }
}
