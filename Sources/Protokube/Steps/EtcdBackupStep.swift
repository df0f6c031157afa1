// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import StateStore

/// Takes, tries and prunes the backups of an etcd cluster, on the machine that leads it.
///
/// It comes last and holds nothing up: a control plane without a backup is worth more than none. A pass is made beside the
/// pipeline, for it may take minutes in which etcd is to be looked at; what came of the last one is what the step says.
struct EtcdBackupStep: Step {
    let site: any EtcdSite
    let member: EtcdMemberRunner
    let sideline: Sideline
    private let isUnderWay = Handover<Bool>()
    private let outcome = Handover<Result<BackupKeeper.Pass, any Error>>()

    init(site: any EtcdSite, member: EtcdMemberRunner, sideline: Sideline) {
        self.site = site
        self.member = member
        self.sideline = sideline
    }

    private var etcdCluster: String { site.etcdCluster }
    var name: String { "backup-\(etcdCluster)" }
    var activity: String { "backing up etcd \(etcdCluster)" }
    let patience: Duration = .seconds(1800)
    let cadence: Duration = .seconds(60)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        guard await member.leads else {
            outcome.value = nil
            return
        }
        if isUnderWay.value != true {
            isUnderWay.value = true
            sideline.add { [self] in
                do {
                    outcome.value = .success(try await site.keepBackups())
                } catch {
                    outcome.value = .failure(error)
                }
                isUnderWay.value = false
            }
        }
        if let outcome = outcome.value { try check(try outcome.get()) }
    }

    private func check(_ pass: BackupKeeper.Pass) throws {
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
