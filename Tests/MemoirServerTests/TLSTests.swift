// A real server with a certificate, asked by a real client.
import Glibc
import Platform
import TestSupport
import Testing

extension `A real server` {
  @Suite struct `with a certificate` {
    private let folder = TemporaryFolder()
    private var store: String { folder.path + "/store" }
    private var certificate: String { folder.path + "/chain.pem" }
    private var key: String { folder.path + "/key.pem" }

    /// Makes a certificate of this machine, in the place of the one before.
    private func renew() throws {
      let process = try RunningProcess(
        "/usr/bin/openssl",
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
          "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
          "-keyout", key, "-out", certificate,
        ])
      #expect(try process.wait() == .exit(0))
    }

    private func text(of path: String) throws -> String {
      String(decoding: try Descriptor(opening: path, for: .reading).readToEnd(limit: 1 << 20), as: UTF8.self)
    }

    /// Asks with Python's client, which trusts the certificate that is in the file, and no other.
    private func ask(_ port: UInt16) throws -> [String] {
      let script = """
        import ssl, sys, urllib.request
        context = ssl.create_default_context(cafile=sys.argv[1])
        try:
            print(urllib.request.urlopen("https://localhost:" + sys.argv[2] + "/healthz", context=context).read().decode())
        except Exception as error:
            print("refused:", error)
        """
      return try RunningProcess("/usr/bin/python3", ["-c", script, certificate, "\(port)"]).lines()
    }

    @Test func `serves whoever trusts it, and nobody in plain text`() async throws {
      try renew()
      let server = try ServeProcess(store, ["--tls-certificate", certificate, "--tls-key", key])
      #expect(server.log.contains { $0.contains(#""tls":true"#) })
      #expect(try ask(server.port) == [#"{"status":"ok"}"#])
      #expect(try await server.get("/healthz").status == 0)
      try renew()
      #expect(try ask(server.port).first?.hasPrefix("refused:") == true)
      #expect(try server.end().end == .exit(0))
    }

    @Test func `reads it anew on SIGHUP`() throws {
      try renew()
      let server = try ServeProcess(store, ["--tls-certificate", certificate, "--tls-key", key])
      for _ in 1...3 {
        try renew()
        server.process.signal(SIGHUP)
        _ = try server.waitFor("certificate_renewed")
        #expect(try ask(server.port) == [#"{"status":"ok"}"#])
      }
      #expect(try server.end().end == .exit(0))
    }

    @Test func `goes on with the old one where the new one is none`() throws {
      try renew()
      let (good, goodKey) = (try text(of: certificate), try text(of: key))
      let server = try ServeProcess(store, ["--tls-certificate", certificate, "--tls-key", key])
      for path in [certificate, key] {
        try Files.remove(path)
        try Descriptor(opening: path, for: .creating).write("nonsense\n")
      }
      server.process.signal(SIGHUP)
      _ = try server.waitFor("certificate_not_renewed")
      for (path, text) in [(certificate, good), (key, goodKey)] {
        try Files.remove(path)
        try Descriptor(opening: path, for: .creating).write(text)
      }
      #expect(try ask(server.port) == [#"{"status":"ok"}"#])
      #expect(try server.end().end == .exit(0))
    }

    @Test func `that is none does not begin`() throws {
      try renew()
      try Files.remove(key)
      try Descriptor(opening: key, for: .creating).write("nonsense\n")
      let process = try ServeProcess.start(store, ["--tls-certificate", certificate, "--tls-key", key])
      let lines = try process.lines()
      #expect(try process.wait() == .exit(2))
      #expect(lines.contains { $0.contains("--tls-certificate") }, "\(lines)")
      let keyless = try ServeProcess.start(store, ["--tls-certificate", certificate])
      _ = try keyless.lines()
      #expect(try keyless.wait() == .exit(2))
    }
  }
}
