// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import StateStore

/// Takes, tries and prunes the backups of an etcd cluster, on the machine that leads it.
///
/// It comes last and holds nothing up: a control plane without a backup is worth more than none.
struct EtcdBackupStep: Step {
    let etcdCluster: String
    let member: EtcdMemberRunner
    let place: EtcdPlace
    /// Hears how well the cluster is backed up; `nil` from a machine that does not lead it.
    let summarises: @Sendable (String, BackupSummary?) async -> Void

    var name: String { "backup-\(etcdCluster)" }
    var activity: String { "backing up etcd \(etcdCluster)" }
    let patience: Duration = .seconds(1800)
    let cadence: Duration = .seconds(60)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        guard await member.leads else { return await summarises(etcdCluster, nil) }
        let pass = try await place.keepBackups()
        await summarises(etcdCluster, pass.summary)
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

/// Takes the backups that operators ask for, on the machine that leads the etcd cluster.
struct EtcdBackupRequestStep: Step {
    let etcdCluster: String
    let member: EtcdMemberRunner
    let place: EtcdPlace

    var name: String { "backup-request-\(etcdCluster)" }
    var activity: String { "taking a backup of etcd \(etcdCluster) that was asked for" }
    let patience: Duration = .seconds(10)
    /// A person waits.
    let cadence: Duration = .seconds(5)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        guard await member.leads else { return }
        do {
            _ = try await place.answerBackupRequest()
        } catch let error as RegisterError {
            throw Failure(.transient, code: error.code, "\(error)")
        }
    }
}
