// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// etcd's programs and certificates; protokube writes its unit and starts it, for etcd must not run before its volume is
/// mounted.
struct EtcdBuilder: NodeBuilder {
    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        return [
            Declare.archive(try context.asset("etcd"), into: NodePaths.etcd, stripComponents: 1),
            Declare.directory(NodePaths.etcdPKI, mode: 0o700),
            Declare.file(NodePaths.etcdPKI.appending("ca.crt"), text: try context.authority("etcd-ca")),
        ] + (try certificates(context))
    }

    /// Everything of etcd that protokube waits for.
    static var needed: [TaskID] {
        let pairs = ["server", "peer", "client"].map { TaskID.certificate(CertificatePaths(in: NodePaths.etcdPKI, $0)) }
        return [.archive(NodePaths.etcd), .file(NodePaths.etcdPKI.appending("ca.crt"))] + pairs
    }

    private func certificates(_ context: NodeContext) throws -> [any NodeTask] {
        let authority = try context.keyset("etcd-ca")
        let instance = context.boot.instance
        let addresses = ["127.0.0.1", context.boot.address]
        // A machine may run any member: which one, its volume says.
        let peers = (context.config.controlPlane?.etcdClusters ?? []).flatMap { etcd in
            etcd.members.map { etcd.peerHost(of: $0, in: context.config.clusterName) }
        }
        // Both usages: etcd dials itself and its peers with the certificates it serves with.
        let server = CertificateProfile(
            commonName: instance,
            dnsNames: [instance, "localhost"] + peers,
            ipAddresses: addresses,
            usages: [.server, .client]
        )
        let client = CertificateProfile(commonName: "protokube-etcd-client", usages: [.client])
        return [("server", server), ("peer", server), ("client", client)].map { name, profile in
            Declare.certificate(CertificatePaths(in: NodePaths.etcdPKI, name), profile, signedBy: authority)
        }
    }
}
