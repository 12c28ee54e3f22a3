// The measure of encryption at a tiny size: a figure for each store, and the same answers from all.
import Testing

@testable import MemoirBench

@Suite struct `Measuring encryption` {
  @Test func `gives every figure of every store, and the ratios to the plain one`() throws {
    var plan = Plan.quick
    plan.rounds = 2
    let command = EncryptionCommand(bench: try Bench(plan) { _ in })
    let figures = try command.run()
    for figure in EncryptionCommand.Figure.allCases {
      for subject in command.subjects {
        let values = try #require(figures[figure]?[subject])
        #expect(values.count == 2 && values.allSatisfy { $0 > 0 }, "\(figure) of \(subject.name)")
      }
    }
    let lines = command.text(figures).split(separator: "\n")
    #expect(lines.count == 2 + EncryptionCommand.Figure.allCases.count)
    #expect(lines[0].hasPrefix("| | plain | ") && command.subjects.count > 1)
  }
}
