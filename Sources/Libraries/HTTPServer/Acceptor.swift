// Takes the connections that come, and hands them on.
internal import CMemoirHTTPD
internal import Glibc
internal import Platform
internal import Synchronization

/// Takes connections on a thread of its own and gives them to the daemon that is in charge.
///
/// Not left to libmicrohttpd: a daemon of several threads that is told to listen no more takes the socket out of each
/// thread's epoll set while the thread may do so too, and ends the process where both do.
final class Acceptor: Sendable {
  private struct State {
    var daemon: Daemon?
    var thread: DedicatedThread?
  }

  private let socket: Int32
  private let core: ServerCore
  private let state = Mutex(State())

  /// - Parameter socket: Listens; closed by ``end()``.
  init(_ socket: Int32, _ core: ServerCore, _ daemon: Daemon) throws(HTTPServerError) {
    self.socket = socket
    self.core = core
    state.withLock { $0.daemon = daemon }
    do throws(PlatformError) {
      let thread = try DedicatedThread(name: "memoir-accept") { [self] in run() }
      state.withLock { $0.thread = thread }
    } catch {
      throw .system(error)
    }
  }

  /// Gives connections to come to another daemon.
  func use(_ daemon: Daemon) { state.withLock { $0.daemon = daemon } }

  /// Takes no more. Once.
  func end() {
    shutdown(socket, Int32(SHUT_RDWR))
    let thread = state.withLock { state in
      defer { (state.daemon, state.thread) = (nil, nil) }
      return state.thread
    }
    thread?.join()
    // Nobody waits for it any more: the number may be another's now.
    if thread != nil { close(socket) }
  }

  private func run() {
    while true {
      var address = sockaddr_storage()
      var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let connection = unsafe memoir_httpd_accept(socket, &address, &size)
      if connection < 0 {
        switch errno {
        case EINVAL, EBADF: return
        case EINTR, ECONNABORTED: continue
        default:
          // Descriptors or memory are short: some connection ends soon.
          MonotonicClock.sleep(nanoseconds: 10_000_000)
          continue
        }
      }
      take(connection, address, size)
    }
  }

  private func take(_ connection: Int32, _ address: sockaddr_storage, _ size: socklen_t) {
    var address = address
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let peer = unsafe addressText { unsafe memoir_httpd_address(address, $0) }
        state.withLock { state in
          guard let daemon = state.daemon, core.connections.admits(peer) else {
            close(connection)
            return
          }
          unsafe daemon.add(connection, from: address, size)
        }
      }
    }
  }
}
