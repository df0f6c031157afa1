// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Starts and ends one member's etcd.
public protocol EtcdSupervisor: Sendable {
    /// Hands certificates that were renewed on to a running etcd; nothing where it reads them where they are.
    func renewCertificates() async throws
    /// What runs now.
    func process() async throws -> LocalSight.Process
    /// Has etcd run as declared, started anew where it runs otherwise.
    func ensureRunning(_ start: EtcdStart) async throws
    /// Ends etcd and waits for its end; one that does not run is no error.
    func stop() async throws
    /// Throws while no program of the declared release could be started.
    func checkStart() async throws
    /// Throws while what is installed is not of the declared release, which need not keep etcd from running.
    func checkInstalled() async throws
}

extension EtcdSupervisor {
    /// Nothing: etcd reads the certificates where they are.
    public func renewCertificates() async throws {}
    /// Nothing: whoever starts etcd knows its program.
    public func checkStart() async throws {}
    /// Nothing: whoever starts etcd knows its program.
    public func checkInstalled() async throws {}
}

extension EtcdService: EtcdSupervisor {}

/// A real machine with a member's volume and etcd.
public struct MemberMachine: MemberHost {
    private let volume: MemberVolume
    private let supervisor: any EtcdSupervisor
    private let names: @Sendable ([String: String]) async throws -> Void
    private let restore: @Sendable (String, EtcdStart) async throws -> Void

    /// Makes a machine.
    ///
    /// - Parameters:
    ///   - volume: The member's volume.
    ///   - supervisor: Starts and ends its etcd.
    ///   - names: Lets members' names stand for addresses on this machine.
    ///   - restore: Lays a backup's data on the volume, where there is none.
    public init(
        volume: MemberVolume,
        supervisor: any EtcdSupervisor,
        names: @escaping @Sendable ([String: String]) async throws -> Void,
        restore: @escaping @Sendable (String, EtcdStart) async throws -> Void
    ) {
        self.volume = volume
        self.supervisor = supervisor
        self.names = names
        self.restore = restore
    }

    /// Looks at the volume and at etcd.
    public func look() async throws -> LocalSight {
        LocalSight(volume: try await lookAtVolume(), process: try await supervisor.process())
    }

    /// Looks at the volume; etcd does not run on one that has become another machine's.
    public func lookAtVolume() async throws -> LocalSight.Volume {
        do {
            return try await volume.look()
        } catch let failure as Failure where failure.code == VolumeClaimant.claimedCode {
            try await supervisor.stop()
            throw failure
        }
    }
    /// Makes a file system on a volume that is blank, and mounts it.
    public func format() async throws { try await volume.format() }
    /// Puts a note on the volume.
    public func write(_ note: VolumeNote) async throws { try await volume.write(note) }
    /// Moves the data out of etcd's way.
    public func setAside(_ kind: SetAside) async throws { try await volume.setAside(kind) }
    /// Lays the data of a backup where etcd finds it, which is noted as the declared release's from then on.
    public func lay(backup: String, for start: EtcdStart) async throws {
        try await supervisor.checkStart()
        try await volume.clearEmpty()
        try await restore(backup, start)
    }
    /// Lets the members' names stand for these addresses.
    public func resolve(_ addresses: [String: String]) async throws { try await names(addresses) }
    /// Throws while no program of the declared release could be started.
    public func checkStart() async throws { try await supervisor.checkStart() }
    /// Has etcd run as declared.
    public func start(_ start: EtcdStart) async throws { try await supervisor.ensureRunning(start) }
    /// Ends etcd.
    public func stop() async throws { try await supervisor.stop() }
}
