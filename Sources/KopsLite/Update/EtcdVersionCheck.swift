// SPDX-License-Identifier: Apache-2.0
import Foundation
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
        guard let published = try await published(in: current) else { return }
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

    /// What control-plane machines are told; each group is told the same of etcd.
    private func published(in current: Generation) async throws -> ControlPlaneConfig? {
        for group in cluster.groups where group.spec.role.role == .controlPlane {
            let name = "nodes/\(group.metadata.name).json"
            guard current.manifest.objects[name] != nil else { continue }
            let bytes = try await current.object(named: name)
            if let config = try? JSONDecoder().decode(NodeConfig.self, from: Data(bytes)) { return config.controlPlane }
        }
        return nil
    }
}
