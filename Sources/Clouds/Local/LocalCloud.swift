// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTasks
public import SystemPackage

/// The embedded cloud: machines are systemd-nspawn containers on this host, volumes are loop devices.
///
/// A machine boots its own systemd and cloud-init and runs docker and kubelet as any other would. It is no boundary of
/// security: it has every capability. All state is below `root` and in the kernel, so any program, at any time, after
/// any crash, sees the same cloud.
///
/// - Shape: `<root>/<cluster>/network.json`, `machines/<name>/{machine.json,rootfs,console.log,run}`,
///   `volumes/<name>.{img,json}`.
public struct LocalCloud: Cloud {
    /// `local`.
    public let name = "local"

    private let root: FilePath
    private let rootFileSystem: FilePath?
    private let cache: FilePath
    private let clock: any Clock<Duration>

    /// Makes a cloud; changes nothing.
    ///
    /// - Parameters:
    ///   - root: Where the cloud keeps its clusters.
    ///   - rootFileSystem: What machines are copied from, a tar archive or a directory; by default
    ///     `rootfs/bookworm.tar` of the file repository, which must then be a directory of this host.
    ///   - cache: Where an archive is unpacked, once for all clusters; machines that are there need it.
    ///   - clock: Paces waiting for machines to start and stop.
    public init(
        root: FilePath = "/var/lib/kopslite/local",
        rootFileSystem: FilePath? = nil,
        cache: FilePath = "/var/cache/kopslite/machines",
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.root = root
        self.rootFileSystem = rootFileSystem
        self.cache = cache
        self.clock = clock
    }

    /// What exists of a cluster.
    public func inventory(of clusterName: String) async throws -> CloudInventory {
        let host = try host(of: clusterName).reader
        let machines = try host.machines().map { record in
            CloudInventory.Machine(
                name: record.name,
                instanceGroup: record.instanceGroup,
                role: record.role,
                zone: record.zone,
                address: record.address,
                state: try host.isRunning(record) ? "running" : "stopped",
                launched: try host.launched(record)
            )
        }
        let hasNetwork = host.hasBridge || LocalFiles.exists(host.layout.network)
        return CloudInventory(
            machines: machines,
            volumes: try host.volumes().map(\.name),
            networks: hasNetwork ? [host.names.bridge] : []
        )
    }

    /// What ``apply(_:progress:)`` would do.
    ///
    /// Machines that are not desired are deleted, volumes never.
    public func plan(_ desired: DesiredCloud) async throws -> [CloudChange] {
        let host = try host(of: desired.clusterName).reader
        return try await LocalRunner.plan(try tasks(for: desired, on: host), on: host)
    }

    /// Makes the network, the volumes and the machines, and starts machines that are stopped.
    ///
    /// - Throws: `Failure` `cloud-busy` while another program changes the cluster.
    public func apply(_ desired: DesiredCloud, progress: @Sendable (CloudChange) -> Void) async throws {
        var host = try host(of: desired.clusterName)
        let tasks = try tasks(for: desired, on: host.reader)
        let base = LocalBase(source: try base(of: desired), cache: cache)
        try LocalCommand.require("systemd-nspawn", "setsid", "tar", "ip", "losetup")
        try LocalFiles.makeDirectory(host.layout.cluster)
        if desired.machines.contains(where: { !LocalFiles.isDirectory(host.layout.files($0.name)) }) {
            host.base = try await base.prepare(waiting: host)
        }
        try await LocalLock.hold(host.layout.cluster) {
            try await LocalRunner.converge(tasks, on: host, progress: progress)
        }
    }

    /// Removes the cluster's machines, volumes and network with everything in them.
    public func delete(_ clusterName: String, progress: @Sendable (CloudChange) -> Void) async throws {
        let host = try host(of: clusterName)
        guard host.reader.hasFiles else { return try await LocalTeardown(host: host).run(progress: progress) }
        try await LocalLock.hold(host.layout.cluster) { try await LocalTeardown(host: host).run(progress: progress) }
    }

    func host(of clusterName: String) throws -> LocalHost {
        let names = try LocalNames(clusterName: clusterName)
        let layout = LocalLayout(root: root, clusterName: clusterName)
        return LocalHost(
            reader: LocalHostReader(layout: layout, names: names, groups: LocalControlGroups()),
            clock: clock
        )
    }

    /// What is desired, as tasks: the network first, then volumes, then machines all at once.
    func tasks(for desired: DesiredCloud, on host: LocalHostReader) throws -> [any LocalTask] {
        for machine in desired.machines { try LocalNames.check(machine: machine.name) }
        let machineNames = desired.machines.map(\.name)
        try Self.checkUnique(machineNames, "machine")
        try Self.checkUnique(desired.volumes.map(\.name), "volume")
        let subnet = try IPv4Subnet(desired.networkCIDR)
        let network = LocalNetworkTask(names: host.names, subnet: subnet)
        let volumes = try desired.volumes.map(LocalVolumeTask.init)

        let surplus = host.machineNames().filter { !machineNames.contains($0) }
        let removals = surplus.map { LocalMachineRemovalTask(name: $0) }
        let known = try host.machines()
        let addresses = try subnet.allocate(
            machineNames,
            keeping: Dictionary(try known.map { ($0.name, try host.address(of: $0)) }, uniquingKeysWith: { $1 })
        )
        let repository = Self.directory(desired.fileRepository)
        _ = try base(of: desired)
        let machines = desired.machines.compactMap { machine in
            addresses[machine.name].map { address in
                LocalMachineTask(
                    desired: machine,
                    address: address,
                    store: Self.directory(desired.store),
                    fileRepository: repository,
                    after: [network.id] + volumes.filter { $0.record.machine == machine.name }.map(\.id)
                )
            }
        }
        return [network] + volumes + removals + machines
    }

    private func base(of desired: DesiredCloud) throws -> FilePath {
        if let rootFileSystem { return rootFileSystem }
        if let repository = Self.directory(desired.fileRepository) {
            return FilePath(repository).pushing("rootfs/bookworm.tar")
        }
        throw Failure(
            .permanent,
            code: "base-missing",
            "the local cloud finds no root file system for machines in \(desired.fileRepository)",
            hint: "use a file:// repository made by `make assets`"
        )
    }

    /// The directory of a `file://` URL or an absolute path; `nil` for anything that is reached over the network.
    static func directory(_ location: String) -> String? {
        let path = location.hasPrefix("file://") ? String(location.dropFirst(7)) : location
        guard path.hasPrefix("/") else { return nil }
        return FilePath(path).lexicallyNormalized().string
    }

    private static func checkUnique(_ names: [String], _ kind: String) throws {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw Failure(
                .permanent,
                code: "duplicate-name",
                "\(kind) \(name) is declared twice",
                hint: "give each its own name"
            )
        }
    }
}
