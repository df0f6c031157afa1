// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// The steps of one etcd cluster.
struct EtcdSteps {
    /// Its volume and this machine's member: what everything after them needs.
    let member: [any Step]
    /// Its backups.
    let backup: any Step

    /// Makes the steps of a site; `log` tells a person where etcd's own words are, and backups are made in the sideline.
    init(_ site: any EtcdSite, log: String, sideline: Sideline) {
        let runner = EtcdMemberRunner(make: { try await site.agent() }, spec: { try await site.spec() })
        member = [VolumeStep(site: site), EtcdStep(etcdCluster: site.etcdCluster, member: runner, log: log)]
        backup = EtcdBackupStep(site: site, member: runner, sideline: sideline)
    }
}
