// This process: its surroundings and its end.
internal import Glibc

/// This process.
public enum CurrentProcess {
  /// The system's number for it.
  public static var id: Int32 { getpid() }

  /// The words of the command line after the program's name, byte by byte as they were given: not all of them need be
  /// UTF-8.
  public static var arguments: [[UInt8]] {
    (1..<max(1, Int(CommandLine.argc))).map { index in
      // SAFETY: the system's own array, which nothing here changes; copied at once.
      guard let word = unsafe CommandLine.unsafeArgv[index] else { return [] }
      return unsafe Array(UnsafeRawBufferPointer(start: word, count: strlen(word)))
    }
  }

  /// A variable of the environment, `nil` where it is not set.
  public static func environment(_ name: String) -> String? {
    // SAFETY: nothing here changes the environment while threads run; copied at once.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// From now on files are made for their owner alone (umask 077).
  public static func restrictNewFiles() { umask(0o077) }

  /// From now on writing to a reader that went away is an error (`EPIPE`) and not the end of the process.
  public static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

  /// Lets this process have as many files and sockets open as the system allows it: for servers.
  ///
  /// - Returns: How many that is.
  @discardableResult
  public static func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard unsafe getrlimit(kind, &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    // Where it is refused, it stays as it was.
    unsafe setrlimit(kind, &limit)
    guard unsafe getrlimit(kind, &limit) == 0 else { return 0 }
    return Int(clamping: limit.rlim_cur)
  }

  /// Ends the process.
  public static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

  /// Processors this process may use.
  public static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}

/// The terminal a person may sit at.
public enum Terminal {
  /// Columns of the terminal at `descriptor`; `nil` where it is none or does not tell.
  public static func width(_ descriptor: borrowing Descriptor) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor.number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
