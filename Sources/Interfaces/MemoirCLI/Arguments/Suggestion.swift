// "Did you mean …?" for a misspelt word.

/// Finds what may have been meant.
enum Suggestion {
  /// The candidate nearest to `word`, if it is near enough to be worth a question; the first of several.
  ///
  /// Near is a distance of a third of the word, at least one; a beginning of a candidate counts as near from three
  /// letters on.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let written = Array(word.lowercased().utf8)
    guard !written.isEmpty, written.count <= 64 else { return nil }
    let allowed = max(1, written.count / 3)
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(written, Array(candidate.utf8))
      if distance <= allowed && distance < (best?.distance ?? .max) { best = (candidate, distance) }
    }
    if let best { return best.candidate }
    return written.count < 3 ? nil : candidates.first { $0.utf8.starts(with: written) }
  }

  /// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`: optimal string
  /// alignment, Damerau 1964.
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 1...a.count {
      var row = [i]
      for j in 1...b.count {
        var cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          cost = min(cost, beforeLast[j - 2] + 1)
        }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
