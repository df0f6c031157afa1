// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import Glibc
import NodeOS
import NodeTesting
import PKI
import SystemPackage
import Testing

/// What is broken on the way of a download, and the class, code and remedy it is told with.
@Suite struct FaultTableTests {
    static let rows = answers + connections + assets + files

    @Test("each fault has its class, code and remedy", arguments: rows)
    func fault(_ row: Fault<TestServer>) async throws {
        try await TestServer.run { try await row.check(on: $0) }
    }

    @Test(
        "each fault of TLS has its class, code and remedy",
        arguments: [
            Fault<TestServer>("an authority nobody knows", .permanent, "tls-untrusted", "trust the authority") {
                server in
                try await server.download("https://127.0.0.1:\(server.port)/ok/f")
            },
            Fault<TestServer>("a server that speaks no TLS to one that does", .transient, "connection-broken", "check")
            {
                try await $0.download("http://127.0.0.1:\($0.port)/ok/f")
            },
        ]
    )
    func secureFault(_ row: Fault<TestServer>) async throws {
        let authority = try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: Date())
        let profile = CertificateProfile(commonName: "api", ipAddresses: ["127.0.0.1"], usages: [.server])
        let certificate = try CertificateIssuer(keyset: authority).issue(profile, now: Date())
        try await TestServer.run(authority: authority, certificate: certificate) { try await row.check(on: $0) }
    }

    @Test func thereAreEnough() {
        #expect(Self.rows.count >= 28 && Set(Self.rows.map(\.description)).count == Self.rows.count)
    }

    @Test func aServerThatAsksToBeLeftAloneIs() async throws {
        try await TestServer.run { server in
            for (asked, expected) in [("7", Duration.seconds(7)), ("3600", .seconds(30)), ("soon", .zero)] {
                let clock = ImmediateClock()
                let fetcher = AssetFetcher(
                    cache: server.directory.appending("cache"),
                    http: CurlClient(),
                    clock: clock,
                    policy: RetryPolicy(rounds: 2)
                )
                let file = RemoteFile(name: "f", sha256: noDigest, sources: ["\(server.url)/later/\(asked)"])
                await #expect(throws: FetchError.self) { try await fetcher.fetch([file]) }
                #expect(clock.sleeps.count == 1 && clock.sleeps.allSatisfy { $0 >= expected && $0 <= .seconds(30) })
            }
        }
    }
}
