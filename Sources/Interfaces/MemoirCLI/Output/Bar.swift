// A share of the whole as a small bar.

enum Bar {
  /// `■■■□□` for 0.6: five cells, of which as many are full as is nearest; one at least where there is anything.
  static func text(_ share: Double, cells: Int = 5) -> String {
    let share = min(max(share, 0), 1)
    var full = Int((share * Double(cells)).rounded())
    if share > 0 { full = max(full, 1) }
    return String(repeating: "■", count: full) + String(repeating: "□", count: cells - full)
  }
}
