// SPDX-License-Identifier: Apache-2.0
import NodeBuilders
import NodeOS
import SystemPackage

/// Reads from the machine what decides what is declared for it.
enum NodeFactsProbe {
    /// Observes, and changes nothing.
    static func observe(_ node: any NodeReader) async throws -> NodeFacts {
        NodeFacts(
            cgroupVersion: try await node.mounts().contains {
                $0.path == "/sys/fs/cgroup" && $0.filesystem == "cgroup2"
            } ? 2 : 1,
            isContainer: try await node.status(of: "/run/systemd/container") != nil,
            conntrackWritable: try await isWritable("/proc/sys/net/netfilter/nf_conntrack_max", on: node)
        )
    }

    /// The kernel shows settings that belong to another namespace without write permission, even to root.
    private static func isWritable(_ path: FilePath, on node: any NodeReader) async throws -> Bool {
        guard let status = try await node.status(of: path) else { return false }
        return status.mode & 0o200 != 0
    }
}
