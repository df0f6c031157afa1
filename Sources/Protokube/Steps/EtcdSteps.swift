// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel

/// The steps of one etcd cluster.
struct EtcdSteps {
    /// Its volume and this machine's member: what everything after them needs.
    let member: [any Step]
    /// What nothing waits for: the release of its program, the room on its volume, and the backups that are due and those that
    /// are asked for.
    let upkeep: [any Step]

    /// A step's name, which is plain for the etcd cluster that nothing works without.
    static func name(_ word: String, of etcdCluster: String) -> String {
        etcdCluster == EtcdClusterConfig.names[0] ? word : "\(word)-\(etcdCluster)"
    }

    /// Makes the steps of a site.
    ///
    /// `log` tells a person where etcd's own words are, backups are made in the sideline, and `summarises` hears how well
    /// the cluster is backed up.
    init(
        _ site: any EtcdSite,
        log: String,
        sideline: Sideline,
        summarises: @escaping @Sendable (String, BackupSummary?) async -> Void
    ) {
        let runner = EtcdMemberRunner(make: { try await site.agent() }, spec: { try await site.spec() })
        member = [VolumeStep(site: site), EtcdStep(etcdCluster: site.etcdCluster, member: runner, log: log)]
        upkeep = [
            EtcdProgramStep(site: site),
            VolumeGrowthStep(site: site),
            EtcdBackupStep(site: site, member: runner, pass: Aside(on: sideline), summarises: summarises),
            EtcdBackupRequestStep(site: site, member: runner, answer: Aside(on: sideline)),
        ]
    }
}
