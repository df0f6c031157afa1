// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

/// A cluster on this host as it can be changed.
///
/// Everything here may be repeated after a crash.
struct LocalHost: Sendable {
    let reader: LocalHostReader
    let clock: any Clock<Duration>
    /// What new machines stand on; `nil` where none is made.
    var base: FilePath?

    var layout: LocalLayout { reader.layout }
    var names: LocalNames { reader.names }
    var groups: LocalControlGroups { reader.groups }

    /// Asks again every 20 ms until the condition holds.
    ///
    /// - Returns: Whether it did before the time was up.
    func wait(_ limit: Duration, until condition: () async throws -> Bool) async throws -> Bool {
        // A count, not a deadline: an opened `any Clock` has no instants to compare.
        for _ in 0..<max(1, Int(limit / .milliseconds(20))) {
            if try await condition() { return true }
            try await clock.sleep(for: .milliseconds(20))
        }
        return try await condition()
    }

    /// Starts a machine that is complete, and returns once its init runs.
    func start(_ name: String) async throws {
        let record = try reader.existing(name)
        let group = try reader.controlGroup(of: record)
        guard !groups.isPopulated(group) else { return }
        // What a machine that ended without us left.
        try await cleanUp(record)
        let container = LocalContainer(
            names: names,
            record: record,
            address: try reader.address(of: record),
            rootFileSystem: layout.rootFileSystem(name)
        )
        try prepareBinds(container)
        try await LocalRootFileSystem.mount(
            record,
            files: layout.files(name),
            at: layout.rootFileSystem(name)
        )
        try await writeDevices(record)
        try groups.create(group)
        try await launch(container, group: group)
    }

    private func prepareBinds(_ container: LocalContainer) throws {
        guard let access = container.storeAccess else { return }
        // Secrets are nobody else's on the host either.
        let secrets = access.readOnly.appending("private")
        if !LocalFiles.exists(secrets) { try LocalFiles.makeDirectory(secrets, mode: .ownerReadWriteExecute) }
        for directory in access.inaccessible { try LocalFiles.makeDirectory(directory, mode: .ownerReadWriteExecute) }
        for directory in access.readWrite { try LocalFiles.makeDirectory(directory) }
    }

    /// Attaches the machine's volumes and tells it of them, and of its address.
    private func writeDevices(_ record: MachineRecord) async throws {
        var announced: [VolumeAnnouncement.Volume] = []
        for volume in try reader.volumes() where volume.machine == record.name {
            let image = layout.image(ofVolume: volume.name)
            guard let size = LocalFiles.size(of: image) else {
                throw Failure(
                    .permanent,
                    code: "volume-missing",
                    "the image of volume \(volume.name) is not at \(image)",
                    hint: "put it back; only update cluster makes a new, empty one"
                )
            }
            try checkExclusive(volume.name, for: record)
            let device = try await LoopDevice.attach(image)
            announced.append(.init(name: volume.name, device: device.path, size: size, labels: volume.labels))
        }
        guard let network = try reader.networkRecord() else {
            throw Failure(
                .permanent,
                code: "no-network",
                "cluster \(names.clusterName) has no network",
                hint: "run update cluster"
            )
        }
        let subnet = try IPv4Subnet(network.networkCIDR)
        let numbers = announced.compactMap { Int($0.device.drop { !$0.isNumber }) }
        let settings = """
            ADDRESS=\(record.address)/\(subnet.length)
            GATEWAY=\(subnet.gateway)
            LOOP_DEVICES=\(max(64, (numbers.max() ?? 0) + 32))

            """
        let directory = layout.rootFileSystem(record.name).pushing("etc/kopslite")
        try LocalFiles.makeDirectory(directory)
        try LocalFiles.write(
            LocalJSON.encode(VolumeAnnouncement(volumes: announced)),
            to: layout.announcement(record.name)
        )
        try LocalFiles.write(Array(settings.utf8), to: directory.appending("local.env"))
    }

    /// Two machines that mount one file system destroy it: who has a volume keeps it until it is stopped.
    private func checkExclusive(_ volume: String, for record: MachineRecord) throws {
        let holder = try reader.holder(of: volume, besides: record.name, isRunning: reader.isRunning)
        guard let holder else { return }
        throw Failure(
            .permanent,
            code: "volume-in-use",
            "machine \(record.name) cannot have volume \(volume): machine \(holder), which runs, has it",
            hint: "stop machine \(holder) first"
        )
    }

    private func launch(_ container: LocalContainer, group: String) async throws {
        let name = container.record.name
        try LocalCommand.require("systemd-nspawn")
        let program: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
        try LocalFiles.write(Array(LocalScripts.run.utf8), to: layout.launcher(name), mode: program)
        // A session of its own, so that the machine outlives this program and its terminal.
        var arguments = ["setsid", "--fork"]
        if groups.managedBySystemd {
            arguments += [
                "systemd-run", "--quiet", "--collect", "--scope", "--unit=" + groups.scope(group),
                "--slice=" + LocalControlGroups.slice, "--property=Delegate=yes", "--",
            ]
        }
        arguments += [layout.launcher(name).string, layout.machine(name).string]
        arguments += groups.directories(of: group).map(\.string) + ["--"] + container.arguments
        try LocalFiles.remove(layout.ended(name))
        try await LocalCommand(arguments).run()
        _ = try await wait(.seconds(60)) { groups.leader(of: group) != nil || LocalFiles.exists(layout.ended(name)) }
        guard groups.leader(of: group) != nil else {
            let lines = (LocalFiles.text(layout.console(name)) ?? "").split(separator: "\n").suffix(3)
            throw Failure(
                .permanent,
                code: "machine-not-started",
                "machine \(name) ended before its init ran: \(lines.joined(separator: "; ").printable)",
                hint: "see \(layout.console(name))"
            )
        }
    }

    /// Shuts a machine down, by force after 30 s, and removes what it held on the host.
    func stop(_ record: MachineRecord, clean: Bool = true) async throws {
        let group = try reader.controlGroup(of: record)
        if clean { try await shutDown(group) }
        try await end(group)
        try await cleanUp(record)
    }

    private func shutDown(_ group: String) async throws {
        // An init that is still starting does not hear the first.
        for _ in 0..<15 where groups.isPopulated(group) {
            // systemd(1): SIGRTMIN+4 powers off. The number is glibc's 34, as the kernel's, on both sides.
            if let leader = groups.leader(of: group) { _ = kill(leader, 34 + 4) }
            if try await wait(.seconds(2), until: { !groups.isPopulated(group) }) { return }
        }
    }

    /// Ends what is left of a machine, by force.
    func end(_ group: String) async throws {
        let gone = try await wait(.seconds(20)) {
            if groups.isPopulated(group) { groups.kill(group) }
            return groups.remove(group)
        }
        guard gone else {
            let processes = groups.processes(of: group).sorted().map { String($0) }.joined(separator: ", ")
            throw Failure(
                .transient,
                code: "machine-not-stopped",
                "control group \(group) cannot be removed; processes in it: \(processes.isEmpty ? "none" : processes)",
                hint: "a process may hang in the kernel; try again"
            )
        }
    }

    /// Removes what a machine that does not run holds on the host besides its directory.
    func cleanUp(_ record: MachineRecord) async throws {
        let address = try reader.address(of: record)
        try await end(names.controlGroup(address))
        try await detachLoops(of: record.name)
        let container = names.container(address)
        // The kernel removes it with the machine's network, a moment after the last process.
        if LocalFiles.exists(LocalHostReader.interface("vb-" + container)) {
            _ = try await LocalCommand("ip", "link", "delete", "vb-" + container).execute()
        }
        try removeSupervisorFiles(container: container, root: layout.rootFileSystem(record.name))
    }

    /// Detaches the machine's volumes, and the devices it attached itself to files of its own.
    private func detachLoops(of name: String) async throws {
        let root = layout.rootFileSystem(name)
        let images = try reader.volumes().filter { $0.machine == name }
            .compactMap { LocalFiles.identity(of: layout.image(ofVolume: $0.name)) }
        for device in try await LoopDevice.all() {
            let own = LocalFiles.identity(of: root.pushing(FilePath(device.backingFile).removingRoot()))
            if images.contains(where: device.shows) || own.map(device.shows) == true { try await device.detach() }
        }
    }

    /// Removes what systemd-nspawn leaves where `/run` is no tmpfs, or when it was killed.
    private func removeSupervisorFiles(container: String, root: FilePath) throws {
        let run: FilePath = "/run/systemd/nspawn"
        LocalFiles.removeDirectory(run.appending("propagate").appending(container))
        if let file = LocalFiles.identity(of: root) {
            try LocalFiles.remove(run.appending("locks").appending("inode-\(file.device):\(file.inode)"))
        }
    }

    /// Removes a machine; its volumes stay.
    func removeMachine(_ name: String) async throws {
        if let record = try? reader.machine(name) {
            try await stop(record, clean: LocalFiles.exists(layout.files(name)))
        }
        try await LocalMounts.unmount(below: layout.machine(name))
        // Under another name first: what is half removed must not look complete.
        if LocalFiles.exists(layout.files(name)) {
            try await LocalRootFileSystem.remove(layout.unfinishedFiles(name))
            try LocalFiles.rename(layout.files(name), to: layout.unfinishedFiles(name))
        }
        try await LocalRootFileSystem.remove(layout.machine(name))
    }
}
