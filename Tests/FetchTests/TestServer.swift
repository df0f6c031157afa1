// SPDX-License-Identifier: Apache-2.0
import Crypto
import FoundationEssentials
import Glibc
import PKI
import Subprocess
import SystemPackage
import Testing

/// A real HTTP/1.1 server in a process of its own, with the faults that networks have.
struct TestServer {
    let port: Int
    let directory: FilePath
    var url: String { "http://127.0.0.1:\(port)" }

    /// Serves the files below `directory/files` while the body runs; over TLS when an authority is given.
    static func run(
        authority: Keyset? = nil,
        certificate: IssuedCertificate? = nil,
        needsClient: Bool = false,
        _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        var template = Array("/tmp/fetch-tests.XXXXXX".utf8CString)
        let directory = FilePath(platformString: try #require(mkdtemp(&template)))
        mkdir(directory.appending("files").string, 0o755)
        var arguments = ["-c", script, directory.appending("files").string]
        if let authority, let certificate {
            try directory.appending("server.pem").put(Array((certificate.certificate + certificate.privateKey).utf8))
            try directory.appending("ca.pem").put(Array(authority.bundle.utf8))
            arguments += [directory.appending("server.pem").string, directory.appending("ca.pem").string]
            if needsClient { arguments.append("client") }
        }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await serve(arguments, in: directory, body)) } catch { outcome = .failure(error) }
        _ = try await Subprocess.run(.name("rm"), arguments: ["-rf", directory.string], output: .discarded)
        try outcome.get()
    }

    private static func serve(
        _ arguments: [String],
        in directory: FilePath,
        _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        _ = try await Subprocess.run(
            .name("python3"),
            arguments: Arguments(arguments),
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { server in
            // The server ends when its standard input does, so it cannot outlive a test that crashes.
            let result: Result<Void, any Error>
            do {
                let line = try await server.standardOutput.strings().first { _ in true }
                let port = try #require(line.flatMap { Int($0.prefix { $0.isNumber }) })
                result = .success(try await body(TestServer(port: port, directory: directory)))
            } catch {
                result = .failure(error)
            }
            try await server.standardInputWriter.finish()
            try result.get()
        }
    }

    /// Makes a file of the server; returns its bytes.
    func serve(_ name: String, count: Int) throws -> [UInt8] {
        let bytes = pattern(name, count: count)
        try directory.appending("files").appending(name).put(bytes)
        return bytes
    }

    private static let script = #"""
        import http.server, json, os, socket, ssl, struct, sys, threading
        root, log, lock, counts, over = sys.argv[1], [], threading.Lock(), {}, threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *args): pass
            def answer(self, status, body=b'', headers={}, part=None):
                self.send_response(status)
                for name, value in headers.items(): self.send_header(name, value)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                if self.command != 'HEAD': self.wfile.write(body if part is None else body[:part])
                if part is not None:
                    self.wfile.flush()
                    self.close_connection = True
            def count(self):
                with lock:
                    counts[self.path] = counts.get(self.path, 0) + 1
                    return counts[self.path]
            def file(self, name, ranges=True, part=None):
                try:
                    with open(os.path.join(root, name), 'rb') as file: body = file.read()
                except OSError:
                    return self.answer(404, b'no such file')
                wanted = self.headers.get('Range')
                if not ranges or not wanted: return self.answer(200, body, part=part)
                start = int(wanted[len('bytes='):].rstrip('-'))
                if start >= len(body): return self.answer(416, b'beyond', {'Content-Range': 'bytes */%d' % len(body)})
                self.answer(206, body[start:], {'Content-Range': 'bytes %d-%d/%d' % (start, len(body) - 1, len(body))})
            def handle_any(self):
                length = int(self.headers.get('Content-Length') or 0)
                if self.path == '/count':
                    count = 0
                    while count < length: count += len(self.rfile.read(min(1 << 20, length - count)))
                    return self.answer(200, str(count).encode())
                body = self.rfile.read(length).decode('latin-1')
                words = self.path.split('?')[0].strip('/').split('/')
                if words[0] != 'log':
                    with lock: log.append(self.path + ' ' + (self.headers.get('Range') or '-'))
                if words[0] == 'log': return self.answer(200, json.dumps(log).encode())
                if words[0] == 'echo':
                    peer = self.connection.getpeercert() if hasattr(self.connection, 'getpeercert') else None
                    names = dict(pair[0] for pair in (peer or {}).get('subject', ()))
                    return self.answer(200, json.dumps({
                        'method': self.command, 'body': body, 'client': names.get('commonName', ''),
                        'headers': {k.lower(): v for k, v in self.headers.items()},
                        'port': self.client_address[1]}).encode(), {'X-Two': 'b', 'X-One': 'a:  c'})
                if words[0] == 'ok': return self.file(words[1])
                if words[0] == 'norange': return self.file(words[1], ranges=False)
                if words[0] == 'resetonce': return self.file(words[1], part=1000 if self.count() == 1 else None)
                if words[0] == 'flaky':
                    if self.count() <= int(words[1]): return self.answer(503, b'busy')
                    return self.file(words[2])
                if words[0] == 'later': return self.answer(503, b'busy', {'Retry-After': words[1]})
                if words[0] in ('endless', 'unsized'):
                    # No length: the end of the connection is the end of the answer (RFC 9112, section 6.3).
                    self.close_connection = True
                    self.send_response(200)
                    self.end_headers()
                    with open(os.path.join(root, words[1]), 'rb') as f: body = f.read()
                    self.wfile.write(body[:1000] if words[0] == 'unsized' and self.count() == 1 else body)
                    while words[0] == 'endless' and not over.is_set(): self.wfile.write(bytes(65536))
                    return
                if words[0] == 'cut': return self.file(words[1], part=1000)
                if words[0] == 'abort':
                    # Closed with unsent data thrown away: the other side gets a reset (socket(7), SO_LINGER).
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                    self.close_connection = True
                    return self.connection.close()
                if words[0] == 'drip':
                    self.send_response(200)
                    self.send_header('Content-Length', '1000000')
                    self.end_headers()
                    while not over.wait(0.1): self.wfile.write(b'x')
                    return
                if words[0] == 'garbage':
                    self.close_connection = True
                    return self.wfile.write(b'SSH-2.0-OpenSSH_9.2p1\r\n')
                if words[0] == 'status': return self.answer(int(words[1]), b'body of ' + words[1].encode())
                if words[0] == 'loop': return self.answer(302, b'on and on', {'Location': self.path})
                if words[0] == 'redirect': return self.answer(302, b'away', {'Location': self.path.split('?to=')[1]})
                if words[0] == 'stall':
                    self.send_response(200)
                    self.send_header('Content-Length', '1000000')
                    self.end_headers()
                    self.wfile.flush()
                    return self.rfile.read(1)
                self.answer(404, b'nothing here')
            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256
            def handle_error(self, *args): pass

        server = Server(('127.0.0.1', 0), Handler)
        if len(sys.argv) > 2:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2])
            context.load_verify_locations(sys.argv[3])
            if len(sys.argv) > 4: context.verify_mode = ssl.CERT_REQUIRED
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        over.set()
        os._exit(0)
        """#
}

/// A digest as 64 hex digits.
func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// Bytes that look random and are the same each time.
func pattern(_ name: String, count: Int) -> [UInt8] {
    var state = name.utf8.reduce(UInt64(count)) { $0 &* 31 &+ UInt64($1) }
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}

extension FilePath {
    func put(_ bytes: [UInt8]) throws {
        let file = try FileDescriptor.open(
            self,
            .writeOnly,
            options: [.create, .truncate],
            permissions: .ownerReadWrite
        )
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    func bytes() throws -> [UInt8] {
        let file = try FileDescriptor.open(self, .readOnly)
        return try file.closeAfter {
            var bytes = [UInt8](repeating: 0, count: Int(try file.seek(offset: 0, from: .end)))
            try file.seek(offset: 0, from: .start)
            let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
            return Array(bytes[..<count])
        }
    }

    func names() throws -> [String] {
        let stream = try #require(opendir(string))
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
