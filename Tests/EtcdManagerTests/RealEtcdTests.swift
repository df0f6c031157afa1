// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import FoundationEssentials
import Glibc
import NodeOS
import PKI
import Subprocess
import SystemPackage
import Testing

/// The rendered command line, run by a real etcd.
@Suite(
    .serialized,
    .enabled(if: RealEtcd.binary != nil || RealEtcd.isRequired, "etcd is not installed: apt-get install etcd-server"),
    .timeLimit(.minutes(3))
)
struct RealEtcdTests {
    @Test func dataSurvivesARestart() async throws {
        try await RealEtcd.inDirectory { etcd in
            try await etcd.running(.new) { etcd in
                try await etcd.put("key", "value")
            }
            try await etcd.running(.existing) { etcd in
                let value = try await etcd.get("key")
                #expect(value == "value")
            }
        }
    }

    @Test func aClientWithoutACertificateIsRefused() async throws {
        try await RealEtcd.inDirectory { etcd in
            try await etcd.running(.new) { etcd in
                var request = HTTPRequest(url: etcd.unit.clientURL + "/health")
                request.identity = TLSIdentity(authorities: etcd.authority.bundle)
                await #expect(throws: FetchError.self) { try await CurlClient().send(request) }
            }
        }
    }

    @Test func anExistingClusterIsNotBegunOnAnEmptyDirectory() async throws {
        try await RealEtcd.inDirectory { etcd in
            let served = await #expect(throws: Failure.self) {
                try await etcd.running(.existing) { _ in }
            }
            #expect(served?.code == "etcd-ended")
        }
    }
}

/// One etcd with its certificates, in a directory that goes away with the test.
struct RealEtcd: Sendable {
    let directory: FilePath
    let unit: EtcdUnit
    let authority: Keyset
    let client: IssuedCertificate
    let http = CurlClient()

    static var isRequired: Bool { getenv("CI") != nil }
    static var binary: String? { ["/usr/bin/etcd", "/opt/etcd/etcd"].first { access($0, X_OK) == 0 } }

    static func inDirectory(_ body: (RealEtcd) async throws -> Void) async throws {
        let directory = FilePath("/tmp/etcd-test-\(UInt64.random(in: .min ... .max))")
        let node = LiveNode()
        do {
            try await body(try await make(in: directory, node))
        } catch {
            try? await node.remove(directory)
            throw error
        }
        try await node.remove(directory)
    }

    private static func make(in directory: FilePath, _ node: LiveNode) async throws -> RealEtcd {
        let authority = try KeysetGenerator.certificateAuthority(name: "etcd-ca", commonName: "etcd-ca", now: Date())
        let issuer = CertificateIssuer(keyset: authority)
        let server = try issuer.issue(
            CertificateProfile(commonName: "a", ipAddresses: ["127.0.0.1"], usages: [.server, .client]),
            now: Date()
        )
        let client = try issuer.issue(CertificateProfile(commonName: "client", usages: [.client]), now: Date())
        let pki = directory.appending("pki")
        let certificates = EtcdCertificates(in: pki)
        try await node.makeDirectory(pki, attributes: FileAttributes())
        try await node.makeDirectory(directory.appending("data"), attributes: FileAttributes(mode: 0o700))
        for (path, text) in [
            (certificates.authority, authority.bundle),
            (certificates.serverCertificate, server.certificate), (certificates.serverKey, server.privateKey),
            (certificates.peerCertificate, server.certificate), (certificates.peerKey, server.privateKey),
        ] {
            try await node.write(Array(text.utf8), to: path, attributes: FileAttributes(mode: 0o600))
        }
        let ports = try [freePort(), freePort()]
        return RealEtcd(
            directory: directory,
            unit: EtcdUnit(
                etcdCluster: "main",
                version: try await version(),
                member: "a",
                peers: [EtcdUnit.Peer(name: "a", url: "https://127.0.0.1:\(ports[0])")],
                token: "test",
                binary: FilePath(binary ?? "/usr/bin/etcd"),
                volume: directory,
                dataDirectory: directory.appending("data"),
                certificates: certificates,
                clientURL: "https://127.0.0.1:\(ports[1])",
                environmentFile: directory.appending("environment")
            ),
            authority: authority,
            client: client
        )
    }

    /// Runs etcd around the body, which starts once etcd is healthy.
    func running(
        _ state: EtcdUnit.ClusterState,
        _ body: @escaping @Sendable (RealEtcd) async throws -> Void
    ) async throws {
        let parts = unit.environment(state).filter { !$0.isNewline }.split(separator: "=").map(String.init)
        let environment: [Environment.Key: String?] = [Environment.Key(stringLiteral: parts[0]): parts[1]]
        let arguments = Arguments(try unit.arguments())
        let binary = unit.binary
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                var options = PlatformOptions()
                options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
                _ = try await Subprocess.run(
                    .path(binary),
                    arguments: arguments,
                    environment: .inherit.updating(environment),
                    platformOptions: options,
                    output: .discarded,
                    error: .discarded
                )
                return false
            }
            group.addTask {
                try await untilHealthy()
                try await body(self)
                return true
            }
            defer { group.cancelAll() }
            guard try await group.next() == true else {
                throw Failure(.permanent, code: "etcd-ended", "etcd ended by itself")
            }
        }
    }

    private func untilHealthy() async throws {
        let service = EtcdService(node: LiveNode(), unit: unit, source: unit.certificates)
        while true {
            do {
                return try await service.checkHealth { try await http.send(request("/health")).body }
            } catch is Failure {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
        }
    }

    func put(_ key: String, _ value: String) async throws {
        _ = try await call("/v3/kv/put", #"{"key":"\#(base64(key))","value":"\#(base64(value))"}"#)
    }

    func get(_ key: String) async throws -> String? {
        struct Answer: Decodable {
            struct Pair: Decodable { let value: Data }
            let kvs: [Pair]?
        }
        let body = try await call("/v3/kv/range", #"{"key":"\#(base64(key))"}"#)
        let answer = try JSONDecoder().decode(Answer.self, from: Data(body))
        return answer.kvs?.first.map { String(decoding: $0.value, as: UTF8.self) }
    }

    private func call(_ path: String, _ body: String) async throws -> [UInt8] {
        var request = request(path)
        request.method = "POST"
        request.body = Array(body.utf8)
        let response = try await http.send(request)
        #expect(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
        return response.body
    }

    private func request(_ path: String) -> HTTPRequest {
        HTTPRequest(
            url: unit.clientURL + path,
            identity: TLSIdentity(
                authorities: authority.bundle,
                certificate: client.certificate,
                privateKey: client.privateKey
            )
        )
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static func version() async throws -> String {
        let text = try await SubprocessRunner().run(Command(binary ?? "/usr/bin/etcd", ["--version"]))
        let words = text.split { $0.isWhitespace }
        return words.first { $0.first?.isNumber == true }.map(String.init) ?? ""
    }

    private static func freePort() throws -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
            }
        }
        guard socket >= 0, result == 0 else { throw Errno(rawValue: errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}
