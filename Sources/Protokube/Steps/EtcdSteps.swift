// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// The steps of one etcd cluster.
struct EtcdSteps {
    /// Its volume and this machine's member: what everything after them needs.
    let member: [any Step]
    /// Its volume's size.
    let growth: any Step
    /// Its backups: those that are due, and those that are asked for.
    let backups: [any Step]

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
        growth = VolumeGrowthStep(site: site)
        backups = [
            EtcdBackupStep(site: site, member: runner, pass: Aside(on: sideline), summarises: summarises),
            EtcdBackupRequestStep(site: site, member: runner, answer: Aside(on: sideline)),
        ]
    }
}
