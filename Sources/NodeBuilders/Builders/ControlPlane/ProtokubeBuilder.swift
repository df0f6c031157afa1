// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import SystemPackage

/// protokube: its program and service.
struct ProtokubeBuilder: NodeBuilder {
    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        let program = NodePaths.binaries.appending("protokube")
        return [
            Declare.directory(NodePaths.laterManifests, mode: 0o700),
            Declare.install(try context.asset("protokube"), to: program),
            Declare.service(
                "protokube.service",
                definition: Self.unit,
                dropIns: context.network.apiAddress == nil ? [:] : ["address.conf": Self.addressDropIn],
                after: EtcdBuilder.needed(context) + [
                    .certificate(AdminBuilder.pair), .file(NodePaths.adminKubeconfig), .file(NodePaths.authority),
                    .directory(NodePaths.manifests), .directory(NodePaths.laterManifests), .hosts,
                    .package("e2fsprogs"),
                ],
                restartOn: [.file(program)]
            ),
        ]
    }

    /// What moving an address takes: setting it on an interface, and telling the neighbours by a raw frame.
    private static let addressDropIn = UnitText.render([
        (
            "Service",
            ["CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW", "RestrictAddressFamilies=AF_PACKET"]
        )
    ])

    /// The unit as the package ships it, `systemd/protokube.service`.
    static let unit = String(decoding: PackageResources.protokube_service, as: UTF8.self)
}
