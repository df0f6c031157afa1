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
                definition: Self.unit(program: program.string),
                after: EtcdBuilder.needed + [
                    .certificate(AdminBuilder.pair), .file(NodePaths.adminKubeconfig), .file(NodePaths.authority),
                    .directory(NodePaths.manifests), .directory(NodePaths.laterManifests), .hosts,
                    .package("e2fsprogs"),
                ],
                restartOn: [.file(program)]
            ),
        ]
    }

    /// The unit.
    ///
    /// Options that give a service its own mounts (ProtectSystem=, PrivateTmp=, ReadOnlyPaths=, …) are left out:
    /// etcd's volume, which protokube mounts, would then be mounted for protokube alone.
    static func unit(program: String) -> String {
        UnitText.render([
            (
                "Unit",
                [
                    "Description=protokube, keeps etcd, discovery and the add-ons of this control-plane machine",
                    "Wants=network.target",
                    "After=network.target",
                    "StartLimitIntervalSec=0",
                ]
            ),
            (
                "Service",
                [
                    "Type=notify",
                    "ExecStart=\(program)",
                    "WatchdogSec=60",
                    "Restart=always",
                    "RestartSec=2s",
                    "UMask=0077",
                    "NoNewPrivileges=yes",
                    // To format and mount a volume, and to write files that other users own.
                    "CapabilityBoundingSet=CAP_SYS_ADMIN CAP_MKNOD CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE",
                    "LockPersonality=yes",
                    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
                    "RestrictNamespaces=yes",
                    "RestrictRealtime=yes",
                    "RestrictSUIDSGID=yes",
                    "SystemCallArchitectures=native",
                ]
            ),
            ("Install", ["WantedBy=multi-user.target"]),
        ])
    }
}
