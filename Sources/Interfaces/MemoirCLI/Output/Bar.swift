// A share of the whole as a small bar.

enum Bar {
  /// `■■■□□` for 0.6: five cells, of which as many are full as is nearest; one at least where there is anything.
  static func text(_ share: Double, cells: Int = 5) -> String {
    let share = min(max(share, 0), 1)
    var full = Int((share * Double(cells)).rounded())
    if share > 0 { full = max(full, 1) }
    return String(repeating: "■", count: full) + String(repeating: "□", count: cells - full)
  }

  /// `██▍` for 0.24: as long as the share of ten columns, to an eighth of one.
  static func line(_ share: Double) -> String {
    let eighths = Int((min(max(share, 0), 1) * 80).rounded(.up))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }
}
