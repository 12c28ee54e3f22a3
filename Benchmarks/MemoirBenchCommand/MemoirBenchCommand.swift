// The program `memoir-bench`: all of it is in MemoirBench, where it can be tested.
internal import MemoirBench

@main
enum MemoirBenchCommand {
  static func main() async { await BenchProgram.run() }
}
