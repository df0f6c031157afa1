// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import StateStore

/// Takes, tries and prunes the backups of an etcd cluster, on the machine that leads it.
///
/// It comes after etcd and holds nothing up: a control plane without a backup is worth more than none. Nothing that stands on
/// etcd holds it up either. A pass is made beside the pipeline, for it may take minutes in which etcd is to be looked at.
struct EtcdBackupStep: Step {
    let site: any EtcdSite
    let member: EtcdMemberRunner
    let pass: Aside<BackupKeeper.Pass>
    /// Hears how well the cluster is backed up; `nil` from a machine that does not lead it.
    let summarises: @Sendable (String, BackupSummary?) async -> Void
    /// What failed in the passes of before.
    let attempts = BackupAttempts()

    private var etcdCluster: String { site.etcdCluster }
    var name: String { "backup-\(etcdCluster)" }
    var activity: String { "backing up etcd \(etcdCluster)" }
    let patience: Duration = .seconds(1800)
    let cadence: Duration = .seconds(60)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        guard await member.leads else {
            pass.forget()
            await summarises(etcdCluster, nil)
            return try await site.clearScratch()
        }
        pass.begin { [self] in
            let pass = try await site.keepBackups(attempts)
            await summarises(etcdCluster, pass.summary)
            return pass
        }
        if let last = try pass.last { try check(last, await interval()) }
    }

    /// Tells of what a pass found damaged, and of what it could not do.
    func check(_ pass: BackupKeeper.Pass, _ interval: String) throws {
        for backup in pass.tried {
            guard let damage = backup.damage ?? backup.proof?.damage else { continue }
            throw Failure(
                .permanent,
                code: damage.code,
                "backup \(backup.name) of etcd \(etcdCluster) cannot be restored: \(damage)",
                hint: "a newer one is taken within \(interval); kopslite etcd backups shows which are proven"
            )
        }
        if let failure = pass.failures.first { throw Failure(failure, during: name) }
    }

    /// The time from one backup to the next, in words; that of most sites where this one's is not known just now.
    func interval() async -> String {
        let seconds = Int(((try? await site.backupPolicy()) ?? .standard).interval)
        return seconds % 60 == 0 && seconds > 60 ? "\(seconds / 60) minutes" : "\(seconds) s"
    }
}

/// Takes the backups that operators ask for, on the machine that leads the etcd cluster.
struct EtcdBackupRequestStep: Step {
    let site: any EtcdSite
    let member: EtcdMemberRunner
    /// After a pass that is under way: one backup at a time is taken on a machine.
    let answer: Aside<BackupName?>
    /// What failed of what was asked for before.
    let attempts = BackupAttempts()

    var name: String { "backup-request-\(site.etcdCluster)" }
    var activity: String { "taking a backup of etcd \(site.etcdCluster) that was asked for" }
    let patience: Duration = .seconds(10)
    /// A person waits.
    let cadence: Duration = .seconds(5)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        guard await member.leads else { return answer.forget() }
        answer.begin { [self] in try await site.answerBackupRequest(attempts) }
        do {
            _ = try answer.last
        } catch let error as RegisterError {
            throw Failure(error)
        }
    }
}
