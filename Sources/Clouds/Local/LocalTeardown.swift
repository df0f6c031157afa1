// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// Removes everything of a cluster, by what the files say and by what the kernel shows, for either may be incomplete.
struct LocalTeardown: Sendable {
    let host: LocalHost

    func run(progress: (CloudChange) -> Void) async throws {
        try await removeMachines(progress)
        try await removeVolumes(progress)
        try await removeNetwork(progress)
        try await LocalMounts.unmount(below: host.layout.cluster)
        try await LocalRootFileSystem.remove(host.layout.cluster)
        LocalFiles.removeDirectory(host.layout.root)
    }

    private func removeMachines(_ progress: (CloudChange) -> Void) async throws {
        let names = host.reader.machineNames()
        for name in names { progress(CloudChange(.delete, "machine", name)) }
        // A machine about to be deleted needs no clean end; its volumes go, too.
        for group in host.groups.names(prefix: host.names.controlGroupPrefix) { try await host.end(group) }
        for name in names {
            if let record = try? host.reader.machine(name) { try await host.cleanUp(record) }
        }
    }

    private func removeVolumes(_ progress: (CloudChange) -> Void) async throws {
        let images = LocalFiles.list(host.layout.volumes).filter { $0.hasSuffix(".img") }
        for image in images { progress(CloudChange(.delete, "volume", String(image.dropLast(4)))) }
        // Any file below the cluster's directory that is still attached, known or not.
        let volumes = LocalFiles.list(host.layout.volumes).map { host.layout.volumes.appending($0) }
            .compactMap(LocalFiles.identity)
        for device in try await LoopDevice.all() where volumes.contains(where: device.shows) {
            try await device.detach()
        }
    }

    private func removeNetwork(_ progress: (CloudChange) -> Void) async throws {
        let hadRules = try await LocalFirewall.ofHost().remove(host.names)
        if hadRules || host.reader.hasBridge || LocalFiles.exists(host.layout.network) {
            progress(CloudChange(.delete, "network", host.names.clusterName))
        }
        for interface in LocalFiles.list("/sys/class/net") where interface.hasPrefix("vb-\(host.names.id)-") {
            _ = try await LocalCommand("ip", "link", "delete", interface).execute()
        }
        if host.reader.hasBridge { try await LocalCommand("ip", "link", "delete", host.names.bridge).run() }
        let run: FilePath = "/run/systemd/nspawn/propagate"
        for name in LocalFiles.list(run) where name.hasPrefix(host.names.id + "-") {
            LocalFiles.removeDirectory(run.appending(name))
        }
    }
}
