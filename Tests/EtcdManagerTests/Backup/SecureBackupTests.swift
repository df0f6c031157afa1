// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import SystemPackage
import Testing

@testable import EtcdManager

/// A member as protokube runs it, which speaks to nobody without a certificate.
@Suite(
    .serialized,
    .enabled(if: SourceEtcd.isThere && (RealEtcd.binary != nil || RealEtcd.isRequired), "no etcd is installed"),
    .timeLimit(.minutes(2))
)
struct SecureBackupTests {
    @Test func aMemberThatWantsCertificatesIsBackedUp() async throws {
        let tools = try #require(SourceEtcd.releases.first { $0.release == "3.4.23" })
        try await RealEtcd.inDirectory { etcd in
            try await etcd.running(.new) { etcd in
                try await etcd.put("key", "value")
                try await BackupScene.run { scene in
                    let certificates = etcd.unit.certificates
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
                            etcd: ToldMembers(statuses: [etcd.unit.clientURL: status]),
                            runner: runner,
                            tools: tools,
                            client: client,
                            directory: scene.directory
                        ).take(
                            of: [BackupMember(name: "a", endpoint: etcd.unit.clientURL)],
                            source: BackupScene.source,
                            reason: .asked
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
}
