// English words that say nothing about what a text is about, and are neither indexed nor looked for.
internal import Bytes

enum StopWords {
  /// Their hashes.
  static let english: Set<UInt64> = Set(
    words.split(whereSeparator: \.isWhitespace).map { word in
      let bytes = Array(word.utf8)
      return XXH3.hash(bytes.rawSpan)
    })

  /// Articles, pronouns, prepositions, conjunctions, auxiliaries and the short forms of them, without apostrophes. Words
  /// that turn a sentence round (`not`, `no`, `never`) or tell times apart (`before`, `after`) stay.
  private static let words = """
    a an the this that these those
    i me my mine myself we us our ours ourselves you your yours yourself he him his himself she her hers herself it its
    itself they them their theirs themselves who whom whose which what
    am is are was were be been being do does did doing done have has had having can could will would shall should may
    might must
    and or but nor so yet if then than as because while of at by for with about into to from in out on off over under
    up down through between
    when where why how here there
    im ive id ill youre youve youd youll hes shes theyre theyve theyll weve were isnt arent wasnt werent dont doesnt
    didnt havent hasnt hadnt cant couldnt wont wouldnt shouldnt thats whats wheres whos heres theres lets
    just also too very really any some each such both all more most other own same s t
    please ok okay yes yeah hi hello hey thanks thank
    """
}
