// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import Glibc
import KopsModel
import KubeAPI
import PKI
import Subprocess
import SystemPackage
import Testing

/// The whole way: our certificates, libcurl, TLS, a server that asks who we are.
@Suite struct KubeClientTLSTests {
    static let script = #"""
        import http.server, json, ssl, sys, threading, os
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *args): pass
            def answer(self, status, body):
                self.send_response(status)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def any(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                names = dict(pair[0] for pair in self.connection.getpeercert()['subject'])
                if names.get('organizationName') != 'system:masters':
                    return self.answer(403, b'{"kind":"Status","reason":"Forbidden","message":"no"}')
                if self.path == '/readyz': return self.answer(200, b'ok')
                if self.path == '/api/v1':
                    return self.answer(200, b'{"resources":[{"name":"nodes","kind":"Node","namespaced":false}]}')
                if self.command == 'PATCH': return self.answer(201, body)
                self.answer(404, b'{"kind":"Status","reason":"NotFound"}')
            do_GET = do_PATCH = any
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        context.load_verify_locations(sys.argv[2])
        context.verify_mode = ssl.CERT_REQUIRED
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *args: None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        os._exit(0)
        """#

    func put(_ text: String, _ path: FilePath) throws -> String {
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create], permissions: .ownerReadWrite)
        try file.closeAfter { _ = try file.writeAll(Array(text.utf8)) }
        return path.string
    }

    @Test func theServerKnowsUsAndWeKnowTheServer() async throws {
        let authority = try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: Date())
        let issuer = CertificateIssuer(keyset: authority)
        func issue(
            _ name: String,
            _ organization: String,
            _ usage: CertificateProfile.Usage
        ) throws -> IssuedCertificate {
            try issuer.issue(
                CertificateProfile(
                    commonName: name,
                    organizations: [organization],
                    dnsNames: ["kubernetes"],
                    usages: [usage]
                ),
                now: Date()
            )
        }
        let certificate = try issue("kube-apiserver", "", .server)
        let admin = try issue("admin", "system:masters", .client)
        let stranger = try issue("stranger", "system:nodes", .client)
        var template = Array("/tmp/kube-tests.XXXXXX".utf8CString)
        let directory = FilePath(platformString: try #require(mkdtemp(&template)))
        let server = try put(certificate.certificate + certificate.privateKey, directory.appending("server.pem"))
        let root = try put(authority.bundle, directory.appending("ca.pem"))
        _ = try await run(
            .name("python3"),
            arguments: ["-c", Self.script, server, root],
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { process in
            let result: Result<Void, any Error>
            do {
                let line = try await process.standardOutput.strings().first { _ in true }
                let port = try #require(line.flatMap { Int($0.prefix { $0.isNumber }) })
                func client(_ mine: IssuedCertificate) -> KubeClient {
                    KubeClient(
                        endpoint: "https://kubernetes",
                        address: "127.0.0.1:\(port)",
                        identity: TLSIdentity(
                            authorities: authority.bundle,
                            certificate: mine.certificate,
                            privateKey: mine.privateKey
                        ),
                        http: CurlClient()
                    )
                }
                try await client(admin).healthz()
                let node: JSONValue = ["apiVersion": "v1", "kind": "Node", "metadata": ["name": "n"]]
                let applied = try await client(admin).apply(node, fieldManager: "kopslite")
                #expect(applied == .created)
                await #expect { try await client(stranger).healthz() } throws: {
                    ($0 as? KubeError)?.reason == "Forbidden"
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            try await process.standardInputWriter.finish()
            try result.get()
        }
        _ = try await run(.name("rm"), arguments: ["-rf", directory.string], output: .discarded)
    }
}
