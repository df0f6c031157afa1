// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import StateStore
import Testing

@testable import EtcdManager
@testable import Protokube

/// What a machine says of its backups.
@Suite struct MachineBackupTests {
    private let machine = MachineFileTests()

    private func step() -> EtcdBackupStep {
        let site = MachineSite(
            file: machine.file,
            etcdCluster: "main",
            clusterName: "db.example.com",
            node: machine.node,
            filesystems: RunTests.Clean(),
            http: FakeControlPlane(),
            now: { .zero },
            open: { MemoryStore() },
            child: nil,
            sideline: Sideline(),
            programs: EtcdPrograms()
        )
        let member = EtcdMemberRunner(make: { try await site.agent() }, spec: { try await site.spec() })
        return EtcdBackupStep(site: site, member: member, pass: Aside(on: Sideline()), summarises: { _, _ in })
    }

    @Test(arguments: [(nil, "15 minutes"), (60, "60 s"), (90, "90 s"), (7200, "120 minutes")] as [(Int?, String)])
    func damageSaysWhenTheNextBackupComes(interval: Int?, words: String) async throws {
        var document = machine.document
        if let interval { document["backups"] = ["interval": .int(interval)] }
        try await machine.write(document)
        var pass = BackupKeeper.Pass(summary: BackupSummary(of: []))
        pass.tried = [
            StoredBackup(
                name: BackupName(taken: Date(timeIntervalSince1970: 0), revision: 7),
                record: nil,
                damage: BackupDamage("backup-differs", "it differs")
            )
        ]
        let (step, damaged) = (step(), pass)
        let said = await step.interval()
        let failure = #expect(throws: Failure.self) { try step.check(damaged, said) }
        #expect(failure?.code == "backup-differs")
        #expect(failure?.hint?.hasPrefix("a newer one is taken within \(words); ") == true, "\(failure?.hint ?? "")")
    }
}
