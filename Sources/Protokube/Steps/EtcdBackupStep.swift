// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import StateStore

/// Takes, tries and prunes the backups of an etcd cluster, on the machine that leads it.
///
/// It comes last and holds nothing up: a control plane without a backup is worth more than none.
struct EtcdBackupStep: Step {
    let site: any EtcdSite
    let member: EtcdMemberRunner

    private var etcdCluster: String { site.etcdCluster }
    var name: String { "backup-\(etcdCluster)" }
    var activity: String { "backing up etcd \(etcdCluster)" }
    let patience: Duration = .seconds(1800)
    let cadence: Duration = .seconds(60)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        guard await member.leads else { return }
        let pass = try await site.keepBackups()
        for backup in pass.tried {
            guard let damage = backup.damage ?? backup.proof?.damage else { continue }
            throw Failure(
                .permanent,
                code: damage.code,
                "backup \(backup.name) of etcd \(etcdCluster) cannot be restored: \(damage)",
                hint: "a newer one is taken within 15 minutes; kopslite etcd backups shows which are proven"
            )
        }
        if let failure = pass.failures.first { throw Failure(failure, during: name) }
    }
}
