// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

// Debugging, tests and the demo: what a cloud's console offers for single machines.
extension LocalCloud: MachineControl {
    /// Shuts a machine down, by force after 30 s.
    ///
    /// One that is stopped stays so.
    ///
    /// - Throws: `Failure` `no-such-machine`, `cloud-busy`.
    public func stop(machine: String, of clusterName: String) async throws {
        let host = try host(of: clusterName)
        let record = try host.reader.existing(machine)
        try await LocalLock.hold(host.layout.cluster) { try await host.stop(record) }
    }

    /// Starts a machine as it was, with its network and volumes, also after the host itself was restarted.
    ///
    /// One that runs stays as it is.
    ///
    /// - Throws: `Failure` `no-such-machine`, `machine-not-started`, `cloud-busy`.
    public func start(machine: String, of clusterName: String) async throws {
        let host = try host(of: clusterName)
        _ = try host.reader.existing(machine)
        try await LocalLock.hold(host.layout.cluster) {
            if let network = try host.reader.networkRecord() {
                let task = LocalNetworkTask(names: host.names, subnet: try IPv4Subnet(network.networkCIDR))
                try await LocalRunner.converge([task], on: host) { _ in }
            }
            try await host.start(machine)
        }
    }

    /// Removes a machine; its volumes stay, and apply makes it anew.
    ///
    /// - Throws: `Failure` `no-such-machine`, `cloud-busy`.
    public func deleteMachine(_ machine: String, of clusterName: String) async throws {
        let host = try host(of: clusterName)
        try LocalNames.check(machine: machine)
        guard LocalFiles.exists(host.layout.machine(machine)) else {
            _ = try host.reader.existing(machine)
            return
        }
        try await LocalLock.hold(host.layout.cluster) { try await host.removeMachine(machine) }
    }

    /// Runs a program inside a machine, as root, in `/`, without a shell and without input.
    ///
    /// - Parameters:
    ///   - arguments: The program, looked up in the machine's usual path, and its arguments.
    ///   - machine: The machine's name.
    ///   - clusterName: Its cluster's.
    /// - Returns: How it ended and up to 64 MiB of each of its outputs.
    /// - Throws: `Failure` `no-such-machine`, `machine-not-running`.
    public func execute(_ arguments: [String], in machine: String, of clusterName: String) async throws -> Execution {
        let host = try host(of: clusterName).reader
        let record = try host.existing(machine)
        guard let leader = host.groups.leader(of: try host.controlGroup(of: record)) else {
            throw Failure(
                .permanent,
                code: "machine-not-running",
                "machine \(machine) of \(clusterName) does not run",
                hint: "start it"
            )
        }
        var command = LocalCommand(
            ["nsenter", "--target", String(leader), "--all", "--wd=/proc/\(leader)/root", "--"] + arguments
        )
        command.environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "USER": "root",
            "LC_ALL": "C.UTF-8", "container": "systemd-nspawn",
        ]
        return try await command.execute()
    }

    /// What a machine has written to its console since it was made; empty before its first start.
    public func console(of machine: String, of clusterName: String) async throws -> [UInt8] {
        let host = try host(of: clusterName).reader
        _ = try host.existing(machine)
        return try LocalFiles.read(host.layout.console(machine)) ?? []
    }
}
