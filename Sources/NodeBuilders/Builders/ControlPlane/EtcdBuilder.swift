// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// etcd's programs, and the certificates of each etcd cluster; protokube writes its units and starts them, for etcd must not run
/// before its volume is mounted.
struct EtcdBuilder: NodeBuilder {
    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        let clusters = context.config.controlPlane?.etcdClusters ?? []
        return [Declare.archive(try context.asset("etcd"), into: NodePaths.etcd, stripComponents: 1)]
            + (try clusters.flatMap { try certificates(of: $0, context) })
    }

    /// Everything of etcd that protokube waits for.
    static func needed(_ context: NodeContext) -> [TaskID] {
        let clusters = context.config.controlPlane?.etcdClusters ?? []
        return [.archive(NodePaths.etcd)]
            + clusters.flatMap { etcd in
                let directory = NodePaths.etcdPKI(of: etcd.name)
                let authorities = ["ca.crt", "peer-ca.crt"].map { TaskID.file(directory.appending($0)) }
                let pairs = ["server", "peer", "client"]
                return authorities + pairs.map { .certificate(CertificatePaths(in: directory, $0)) }
            }
    }

    private func certificates(of etcd: EtcdClusterConfig, _ context: NodeContext) throws -> [any NodeTask] {
        let directory = NodePaths.etcdPKI(of: etcd.name)
        let (clients, peers) = (KeysetName.etcdClients, KeysetName.etcdPeers(of: etcd.name))
        let instance = context.boot.instance
        let addresses = ["127.0.0.1", context.boot.address]
        // A machine may run any member: which one, its volume says.
        let hosts = etcd.members.map { etcd.peerHost(of: $0, in: context.config.clusterName) }
        // Both usages: etcd dials itself and its peers with the certificates it serves with.
        let server = CertificateProfile(
            commonName: instance,
            dnsNames: [instance, "localhost"],
            ipAddresses: addresses,
            usages: [.server, .client]
        )
        let peer = CertificateProfile(
            commonName: instance,
            dnsNames: [instance] + hosts,
            ipAddresses: [context.boot.address],
            usages: [.server, .client]
        )
        let client = CertificateProfile(commonName: "protokube-etcd-client", usages: [.client])
        let pairs = [("server", server, clients), ("peer", peer, peers), ("client", client, clients)]
        return [
            Declare.directory(directory, mode: 0o700),
            Declare.file(directory.appending("ca.crt"), text: try context.authority(clients)),
            Declare.file(directory.appending("peer-ca.crt"), text: try context.authority(peers)),
        ]
            + (try pairs.map { name, profile, authority in
                Declare.certificate(
                    CertificatePaths(in: directory, name),
                    profile,
                    signedBy: try context.keyset(authority)
                )
            })
    }
}
