// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import PKI
import Testing

@Suite struct CurlClientTLSTests {
    let authority: Keyset
    let server: IssuedCertificate
    let client: IssuedCertificate

    init() throws {
        authority = try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: Date())
        let issuer = CertificateIssuer(keyset: authority)
        server = try issuer.issue(
            CertificateProfile(commonName: "api", dnsNames: ["api.internal.test"], usages: [.server]),
            now: Date()
        )
        client = try issuer.issue(CertificateProfile(commonName: "kubelet", usages: [.client]), now: Date())
    }

    /// The server under its certificate's name, which no resolver knows.
    func request(_ running: TestServer, identity: TLSIdentity?, path: String = "/echo") -> HTTPRequest {
        HTTPRequest(
            url: "https://api.internal.test\(path)",
            identity: identity,
            address: "127.0.0.1:\(running.port)"
        )
    }

    @Test func theNameIsVerifiedWhateverTheAddress() async throws {
        try await TestServer.run(authority: authority, certificate: server) { running in
            let identity = TLSIdentity(authorities: authority.bundle)
            let answer = try await Echo(CurlClient().send(request(running, identity: identity)))
            #expect(answer.headers["host"] == "api.internal.test")
            var other = request(running, identity: identity)
            other.url = "https://other.internal.test/echo"
            await #expect { _ = try await CurlClient().send(other) } throws: {
                isFetchError("tls-untrusted", .permanent)($0)
            }
        }
    }

    @Test func onlyTheGivenAuthoritiesAreTrusted() async throws {
        try await TestServer.run(authority: authority, certificate: server) { running in
            let stranger = try KeysetGenerator.certificateAuthority(name: "ca", commonName: "ca", now: Date())
            let http = CurlClient()
            for identity in [TLSIdentity(authorities: stranger.bundle), nil] {
                await #expect { _ = try await http.send(request(running, identity: identity)) } throws: {
                    isFetchError("tls-untrusted", .permanent)($0)
                }
            }
            let both = TLSIdentity(authorities: stranger.bundle + authority.bundle)
            #expect(try await http.send(request(running, identity: both)).status == 200)
            // A connection that one identity opened is not for another one.
            await #expect {
                _ = try await http.send(request(running, identity: TLSIdentity(authorities: stranger.bundle)))
            } throws: { isFetchError("tls-untrusted", .permanent)($0) }
        }
    }

    @Test func clientCertificatesSayWhoWeAre() async throws {
        try await TestServer.run(authority: authority, certificate: server, needsClient: true) { running in
            let identity = TLSIdentity(
                authorities: authority.bundle,
                certificate: client.certificate,
                privateKey: client.privateKey
            )
            let echo = try await Echo(CurlClient().send(request(running, identity: identity)))
            #expect(echo.client == "kubelet")
            await #expect(throws: FetchError.self) {
                try await CurlClient().send(request(running, identity: TLSIdentity(authorities: authority.bundle)))
            }
            await #expect {
                let broken = TLSIdentity(
                    authorities: authority.bundle,
                    certificate: client.certificate,
                    privateKey: "none"
                )
                _ = try await CurlClient().send(request(running, identity: broken))
            } throws: { isFetchError("tls-identity-invalid", .permanent)($0) }
        }
    }

    @Test func aRedirectNeverLeavesTLS() async throws {
        try await TestServer.run(authority: authority, certificate: server) { running in
            let identity = TLSIdentity(authorities: authority.bundle)
            let inside = request(running, identity: identity, path: "/redirect?to=https://api.internal.test/status/201")
            let answer = try await CurlClient().send(inside)
            #expect(answer.status == 201)
            let outside = request(running, identity: identity, path: "/redirect?to=http://127.0.0.1:\(running.port)/")
            await #expect { _ = try await CurlClient().send(outside) } throws: {
                isFetchError("redirect-refused", .permanent)($0)
            }
        }
    }

    @Test func aSlowClockIsNoBetrayal() async throws {
        let future = try CertificateIssuer(keyset: authority).issue(
            CertificateProfile(commonName: "api", dnsNames: ["api.internal.test"], usages: [.server]),
            now: Date() + 7 * 86400
        )
        try await TestServer.run(authority: authority, certificate: future) { running in
            await #expect {
                _ = try await CurlClient().send(request(running, identity: TLSIdentity(authorities: authority.bundle)))
            } throws: { isFetchError("tls-not-yet-valid", .transient)($0) }
        }
    }
}
