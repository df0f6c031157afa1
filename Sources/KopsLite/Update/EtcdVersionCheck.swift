// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import StateStore

/// Refuses an etcd release that the data of the one in force cannot be given to.
struct EtcdVersionCheck {
    let cluster: ResolvedCluster

    /// Compares with what machines follow.
    ///
    /// - Throws: ``Failure`` `etcd-version-refused`.
    func run(against current: Generation) async throws {
        guard let published = try await current.controlPlane() else { return }
        for etcd in cluster.etcdClusters {
            guard let old = published.etcd(etcd.name).flatMap({ EtcdVersion($0.version) }),
                let new = EtcdVersion(etcd.version), let refusal = new.refusal(after: old)
            else { continue }
            throw Failure(
                .permanent,
                code: "etcd-version-refused",
                "etcd \(etcd.name) of \(cluster.name) cannot be changed: \(refusal.message)",
                hint: refusal.remedy
            )
        }
    }
}
