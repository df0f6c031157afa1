// SPDX-License-Identifier: Apache-2.0
import Fetch
import Subprocess
import SystemPackage
import Testing

/// A real nginx with its own prefix and configuration, and beside it a proxy that cuts connections short.
struct NginxServer {
    /// A request as nginx saw it.
    struct Request: Equatable {
        let path: String
        /// As in `bytes=5-`; `-` for none.
        let range: String
        let status: Int
        /// Bytes of the body that were sent.
        let sent: Int
    }

    let url: String
    /// The same server, through a proxy that ends each connection after some bytes.
    let cutURL: String
    let directory: FilePath

    /// Runs nginx while the body does; `cut` is after how many bytes the proxy ends a connection.
    static func run(cut: Int = 100_000, _ body: @Sendable (NginxServer) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            _ = try await Subprocess.run(
                .name("python3"),
                arguments: ["-c", script, directory.string, "\(cut)"],
                input: .inputWriter,
                output: .sequence,
                error: .string(limit: 10_000)
            ) { server in
                // The script ends when its standard input does, and nginx with it.
                let result: Result<Void, any Error>
                do {
                    let line = try await server.standardOutput.strings().first { _ in true } ?? "nothing"
                    let ports = line.split(separator: " ").compactMap { Int($0.filter { !$0.isNewline }) }
                    try #require(ports.count == 2, "nginx did not start (packaging/prerequisites installs it): \(line)")
                    result = .success(
                        try await body(
                            NginxServer(
                                url: "http://127.0.0.1:\(ports[0])",
                                cutURL: "http://127.0.0.1:\(ports[1])",
                                directory: directory
                            )
                        )
                    )
                } catch {
                    result = .failure(error)
                }
                try await server.standardInputWriter.finish()
                try result.get()
            }
        }
    }

    /// What was asked for so far, in the order of the answers' ends.
    func requests() async throws -> [Request] {
        // nginx has one worker here: once it answers this, it has logged all that ended before.
        _ = try await CurlClient().send(HTTPRequest(url: url + "/now"))
        let text = String(decoding: try directory.appending("access.log").bytes(), as: UTF8.self)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("/now") }.map { line in
            let words = line.split(separator: " ").map(String.init)
            try #require(words.count == 4)
            return Request(path: words[0], range: words[1], status: Int(words[2]) ?? 0, sent: Int(words[3]) ?? 0)
        }
    }

    private static let script = #"""
        import os, shutil, socket, subprocess, sys, threading
        prefix, cut = sys.argv[1], int(sys.argv[2])

        def listener():
            one = socket.socket()
            one.bind(('127.0.0.1', 0))
            one.listen(64)
            return one, one.getsockname()[1]

        nginx, port = listener()
        proxy, proxy_port = listener()
        if not shutil.which('nginx', path=os.environ.get('PATH', '') + ':/usr/sbin'):
            print('there is no nginx')
            sys.exit()
        with open(prefix + '/nginx.conf', 'w') as file:
            file.write('''
                daemon off;
                user root;
                worker_processes 1;
                pid nginx.pid;
                error_log stderr crit;
                events { worker_connections 64; }
                http {
                    log_format short '$uri $http_range $status $body_bytes_sent';
                    access_log access.log short;
                    client_body_temp_path body;
                    proxy_temp_path body;
                    fastcgi_temp_path body;
                    uwsgi_temp_path body;
                    scgi_temp_path body;
                    server {
                        listen 127.0.0.1:%d;
                        location /now { return 204; }
                        location /files/ { alias ./; }
                        location /slow/ { alias ./; limit_rate 1k; }
                        location /whole/ { alias ./; max_ranges 0; }
                        location /stale/ { alias ./; rewrite ^/stale/(.*)$ /files/old-$1 last; }
                        location /forbidden/ { return 403; }
                        location /later/ { add_header Retry-After 7 always; return 503; }
                        location /reset/ { return 444; }
                        location /moved/ { rewrite ^/moved/(.*)$ /files/$1 redirect; }
                    }
                }''' % port)

        def pump(client):
            server = socket.create_connection(('127.0.0.1', port))
            def ask():
                while data := client.recv(65536): server.sendall(data)
            threading.Thread(target=ask, daemon=True).start()
            left = cut
            while left and (data := server.recv(min(65536, left))):
                client.sendall(data)
                left -= len(data)
            client.shutdown(socket.SHUT_WR)
            server.close()

        def serve():
            while True: threading.Thread(target=pump, args=proxy.accept()[:1], daemon=True).start()

        # nginx takes the listening socket over, so whoever connects is heard even before it is up.
        os.set_inheritable(nginx.fileno(), True)
        environment = dict(os.environ, NGINX='%d;' % nginx.fileno(), PATH=os.environ.get('PATH', '') + ':/usr/sbin')
        child = subprocess.Popen(['nginx', '-p', prefix + '/', '-c', prefix + '/nginx.conf'], env=environment,
                                 close_fds=False, stdout=subprocess.DEVNULL)
        nginx.close()
        threading.Thread(target=serve, daemon=True).start()
        print(port, proxy_port, flush=True)
        sys.stdin.read()
        child.terminate()
        child.wait()
        os._exit(0)
        """#
}
