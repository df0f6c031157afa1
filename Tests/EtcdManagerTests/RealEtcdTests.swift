// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import NodeOS
import SystemPackage
import Testing

/// The rendered command line, run by real etcd.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"), .timeLimit(.minutes(3)))
struct RealEtcdTests {
    @Test(arguments: EtcdBinaries.minors) func dataSurvivesARestart(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let endpoint = cluster.endpoint("a")
            try await cluster.gateway.put([1], [2], at: endpoint)
            await cluster.stop("a")
            try await cluster.start("a", .existing)
            let page = try await cluster.gateway.range(EtcdRange(key: [1]), at: endpoint)
            #expect(page.pairs.map(\.value) == [[2]])
        }
    }

    @Test(arguments: EtcdBinaries.minors) func aClientWithoutACertificateIsRefused(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let nobody = EtcdGateway(
                http: CurlClient(),
                identity: TLSIdentity(authorities: cluster.authorities)
            )
            let error = await #expect(throws: EtcdError.self) {
                try await nobody.health(of: cluster.endpoint("a"))
            }
            guard case .unreachable = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test(arguments: EtcdBinaries.minors) func onlyItsOwnPeersAreLetInAmongMembers(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let files = cluster.certificates
            func text(_ path: FilePath) async throws -> String {
                String(decoding: try await LiveNode().read(path), as: UTF8.self)
            }
            let own = TLSIdentity(
                authorities: try await text(files.peerAuthority),
                certificate: try await text(files.peerCertificate),
                privateKey: try await text(files.peerKey)
            )
            // A client of the cluster, and a member of another etcd cluster, whose peers have an authority of their own.
            let other = try await EtcdTestPKI.make(in: cluster.directory.appending("other"), addresses: ["127.0.0.1"])
            var client = cluster.identity
            client.authorities = own.authorities
            let stranger = TLSIdentity(
                authorities: own.authorities,
                certificate: try await text(other.certificates.peerCertificate),
                privateKey: try await text(other.certificates.peerKey)
            )
            let url = cluster.peerURL("a") + "/members"
            func members(as identity: TLSIdentity) async throws -> Int {
                try await cluster.http.send(HTTPRequest(url: url, identity: identity, isHTTP1: true)).status
            }
            #expect(try await members(as: own) == 200)
            for identity in [client, stranger] {
                await #expect(throws: (any Error).self) { try await members(as: identity) }
            }
        }
    }

    @Test(arguments: EtcdBinaries.minors) func anExistingClusterIsNotBegunOnAnEmptyDirectory(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 0) { cluster in
            try await cluster.addMember("a", peers: ["a"])
            let served = await #expect(throws: Failure.self) { try await cluster.start("a", .existing) }
            #expect(served?.code == "etcd-ended")
        }
    }
}
