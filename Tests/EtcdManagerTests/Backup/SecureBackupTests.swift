// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import SystemPackage
import Testing

@testable import EtcdManager

/// A member as protokube runs it, which speaks to nobody without a certificate.
@Suite(
    .serialized,
    .enabled(if: SourceEtcd.isThere && EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"),
    .timeLimit(.minutes(2))
)
struct SecureBackupTests {
    @Test func aMemberThatWantsCertificatesIsBackedUp() async throws {
        let tools = try #require(SourceEtcd.releases.first { $0.release == "3.4.23" })
        try await RealEtcdCluster.run(EtcdBinaries(minor: 4), members: 1) { cluster in
            let endpoint = cluster.endpoint("a")
            try await cluster.gateway.put(Array("key".utf8), Array("value".utf8), at: endpoint)
            try await BackupScene.run { scene in
                let certificates = cluster.certificates
                let client = EtcdClientFiles(
                    authority: certificates.authority,
                    certificate: certificates.serverCertificate,
                    key: certificates.serverKey
                )
                let runner = SubprocessRunner()
                func take(_ client: EtcdClientFiles?) async throws -> BackupRecord {
                    let status = EtcdStatus(
                        version: "3.4.23",
                        clusterID: 1,
                        memberID: 1,
                        leader: 1,
                        revision: 2,
                        raftIndex: 1,
                        raftAppliedIndex: 1
                    )
                    return try await BackupTaker(
                        backups: scene.backups(),
                        node: LiveNode(),
                        etcd: ToldMembers(statuses: [endpoint: status]),
                        runner: runner,
                        tools: tools,
                        client: client,
                        directory: scene.directory
                    ).take(
                        of: [BackupMember(name: "a", endpoint: endpoint)],
                        source: BackupScene.source,
                        reason: .asked(1)
                    )
                }
                let record = try await take(client)
                #expect(record.snapshot.revision == 2 && record.snapshot.keys == 1)
                let failure = await #expect(throws: Failure.self) { try await take(nil) }
                #expect(failure?.code == "etcd-not-answering")
                #expect(try await scene.backups().list().map(\.name) == [record.name])
            }
        }
    }
}
