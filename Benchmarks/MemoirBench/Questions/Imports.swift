// JSON Lines from the command line: `memoir append`, and what one writes for SQLite in Python; then `memoir verify`.
import Foundation
import Memoir
import PeerBench
import Platform

extension Bench {
  func askImport() throws {
    say("import")
    let folder = try makeFolder()
    defer { try? remove(folder) }
    let file = folder + "/events.jsonl"
    try workload.write(to: file)

    let program = try Child.sibling("memoir")
    let store = folder + "/memoir.store"
    var watch = Stopwatch()
    let append = try Child.run(program, ["--store", store, "append", file])
    results.add("import", .memoir, Double(workload.events.count) / watch.lap())
    results.add("import-memory", .memoir, Double(append.ownMemory) / 1_048_576)
    _ = watch.lap()
    let verify = try Child.run(program, ["--store", store, "verify"])
    results.add("verify", .memoir, Double(workload.events.count) / watch.lap())
    results.add("verify-memory", .memoir, Double(verify.ownMemory) / 1_048_576)
    let memoir = try MemoirContestant(in: store, workload)
    _ = try ReadingBench(memoir, workload).scan()
    try memoir.close()

    let script = Data(PackageResources.import_into_sqlite_py)
    let peerTime = try seconds {
      try Child.run("/usr/bin/env", ["python3", "-", file, folder + "/events.db"], input: script)
    }
    results.add("import", .sqlite, Double(workload.events.count) / peerTime)
    let peer = try PeerContestant(.sqlite, in: folder, workload)
    _ = try ReadingBench(peer, workload).scan()
    try peer.close()
  }

  /// Real conversations: import, replay by one job and two.
  func askDialogues(_ file: String) throws {
    say("dialogues")
    let folder = try makeFolder()
    defer { try? remove(folder) }
    let store = folder + "/memoir.store"
    let program = try Child.sibling("memoir")
    let time = try seconds { try Child.run(program, ["--store", store, "append", file]) }
    let log = try EventLog(folder: store, schema: .memoir)
    let replays = try [1, 2].map { try log.replayAll(jobs: $0) }
    try log.close()
    guard replays[0].digest == replays[1].digest else { throw BenchError("replays of the dialogues differ") }
    results.add("dialogues-import", .memoir, Double(replays[0].events) / time)
    results.add("dialogues-replay", .memoir, Double(replays[0].events) / replays[0].seconds)
    results.note("the dialogues: \(replays[0].events) events of \(replays[0].streams) users")
  }
}

extension Workload {
  /// Writes the events as JSON Lines.
  func write(to file: String) throws {
    let output = try Descriptor(opening: file, for: .creating)
    var bytes: [UInt8] = []
    var data = [CChar](repeating: 0, count: 16_384)
    let types = ["MessageAdded", "FactLearned", "PreferenceUpdated", "SessionEnded"]
    for event in events {
      bytes += #"{"id":""#.utf8
      EventID(bytes: event.id).write(into: &bytes)
      bytes += #"","user":"\#(Self.name(of: Int(event.user)))","session":""#.utf8
      EventID(bytes: event.session).write(into: &bytes)
      bytes += #"","occurred_at":""#.utf8
      Timestamp(clamping: event.occurred).write(into: &bytes)
      bytes += #"","type":"\#(types[Int(event.type)])","data":"#.utf8
      var copy = event
      let size = unsafe texts.withUnsafeBufferPointer { texts in
        unsafe peer_event_json(&copy, texts.baseAddress, &data, data.count)
      }
      guard size > 0 else { throw BenchError("a text too long") }
      bytes += data[..<size].lazy.map { UInt8(bitPattern: $0) }
      bytes += "}\n".utf8
      if bytes.count > 1 << 20 {
        try output.write(bytes.rawSpan)
        bytes.removeAll(keepingCapacity: true)
      }
    }
    try output.write(bytes.rawSpan)
  }
}
