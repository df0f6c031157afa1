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
                try await nobody.isHealthy(cluster.endpoint("a"))
            }
            guard case .unreachable = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test(arguments: EtcdBinaries.minors) func onlyItsOwnPeersAreLetInAmongMembers(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor), members: 1) { cluster in
            let (own, directory) = (cluster.certificates, cluster.directory.appending("other"))
            // A client of the cluster, and a member of another etcd cluster, whose peers have an authority of their own.
            let other = try await EtcdTestPKI.make(in: directory, addresses: ["127.0.0.1"]).certificates
            func isPeer(_ certificate: FilePath, _ key: FilePath) async throws -> Bool {
                let words =
                    ["--silent", "--http1.1", "--cacert", own.peerAuthority.string, "--cert", certificate.string]
                    + ["--key", key.string, cluster.peerURL("a") + "/members"]
                return try await SubprocessRunner().result(of: Command("curl", words)).code == 0
            }
            #expect(try await isPeer(own.peerCertificate, own.peerKey))
            #expect(try await !isPeer(own.serverCertificate, own.serverKey))
            #expect(try await !isPeer(other.peerCertificate, other.peerKey))
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
