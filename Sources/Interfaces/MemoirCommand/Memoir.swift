// The program `memoir`: all of it is in MemoirCLI, where it can be tested.
internal import MemoirCLI

@main
enum MemoirCommand {
  static func main() async {
    await CommandLineProgram.run()
  }
}
