// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import StateStore
import SystemPackage

/// Where one member runs, as whoever composes the manager knows it; what may change is asked for at each look.
///
/// The rest follows: the agent, its place in the store, and the backups.
public protocol EtcdSite: Sendable {
    /// Such as `main`.
    var etcdCluster: String { get }
    /// The cluster's DNS name.
    var clusterName: String { get }
    /// The machine.
    var node: any NodeWriter { get }
    /// Since any fixed instant, never going back.
    var now: @Sendable () -> Duration { get }
    /// Has something done that takes long, beside the looks.
    func doAside(_ work: @escaping @Sendable () async -> Void)
    /// Opens the state store, which may come and go.
    func openStore() throws -> any StateStore
    /// The cluster as declared now.
    func spec() async throws -> EtcdSpec
    /// Who the agent is.
    func place() async throws -> EtcdAgent.Place
    /// The member's volume.
    func volume() async throws -> MemberVolume
    /// etcd as declared now, on that volume.
    func supervisor(on volume: MemberVolume, of place: EtcdAgent.Place) async throws -> any EtcdSupervisor
    /// A client of the members, with the certificates as they are now.
    func gateway() async throws -> EtcdGateway
    /// The programs on this machine.
    func tools() async throws -> EtcdTools
    /// By what etcd's own client is known; `nil` for members that ask nobody.
    func client() async throws -> EtcdClientFiles?
    /// When backups are taken, tried and dropped.
    func backupPolicy() async throws -> BackupPolicy
    /// To whom backups are sealed; none: they are not.
    func backupRecipients() async throws -> [RecipientKey]
    /// What opens backups that are sealed; `nil` where none need be.
    func backupKey() async throws -> ReaderKey?
    /// Lets the members' names stand for these addresses on this machine.
    func resolve(_ addresses: [String: String]) async throws
    /// Frees a cluster that was begun anew of what only its former clients could mean.
    func clearStale(at endpoint: String) async throws
}

extension EtcdSite {
    /// Names that are the users' own business stand for what they do already.
    public func resolve(_ addresses: [String: String]) async throws {}
    /// Clients that are not known here look after themselves.
    public func clearStale(at endpoint: String) async throws {}
    /// Backups of data that no keyring is known for are not sealed.
    public func backupRecipients() async throws -> [RecipientKey] { [] }
    /// What is not sealed needs no key.
    public func backupKey() async throws -> ReaderKey? { nil }
    /// As often as kops.
    public func backupPolicy() async throws -> BackupPolicy { .standard }

    var layout: ClusterLayout { ClusterLayout(clusterName: clusterName) }

    /// What the machines share.
    public var registers: StoreRegisters {
        StoreRegisters(layout: layout, etcdCluster: etcdCluster, open: { try openStore() })
    }

    /// The member's volume where it is a disk of a machine's.
    ///
    /// - Parameters:
    ///   - label: What it is found by, such as `k8s.io/etcd/main`.
    ///   - machine: Whose it becomes.
    ///   - finder: Knows what is attached.
    ///   - tools: Work on file systems.
    /// - Returns: The volume, below `/mnt/kopslite`.
    public func disk(
        labelled label: String,
        of machine: String,
        finder: any VolumeFinder,
        tools: any FilesystemTools
    ) -> MemberVolume {
        let name = "etcd-\(etcdCluster)"
        let directory = FilePath("/mnt/kopslite").appending(name)
        let disk = MemberDisk(
            clusterName: clusterName,
            etcdCluster: etcdCluster,
            label: label,
            node: node,
            finder: finder,
            claimant: VolumeClaimant(machine: machine, registers: registers),
            mounter: VolumeMounter(node: node, tools: tools, label: name, mountPoint: directory)
        )
        return MemberVolume(node: node, directory: directory, source: .disk(disk))
    }

    /// Says whether the etcd that is installed on this machine is not of the declared release.
    ///
    /// - Throws: ``Failure`` as ``EtcdService/checkInstalled()``.
    public func checkInstalled() async throws {
        try await supervisor(on: try await volume(), of: try await place()).checkInstalled()
    }

    /// This machine with the member's volume and etcd.
    public func machine() async throws -> MemberMachine {
        let (volume, place) = (try await volume(), try await place())
        return machine(volume, place)
    }

    private func machine(_ volume: MemberVolume, _ place: EtcdAgent.Place) -> MemberMachine {
        MemberMachine(
            volume: volume,
            supervisor: DeclaredEtcd { try await supervisor(on: volume, of: place) },
            names: { try await resolve($0) },
            restore: { try await restore($0, $1, on: volume) }
        )
    }

    /// This machine's agent, which leads nothing yet.
    public func agent() async throws -> EtcdAgent {
        let (volume, place) = (try await volume(), try await place())
        return EtcdAgent(
            place: place,
            holder: "\(place.machine)-\(randomID())",
            means: EtcdAgent.Means(
                registers: registers,
                host: machine(volume, place),
                etcd: DeclaredGateway { try await gateway() },
                backups: backups(on: volume),
                now: now,
                randomID: { randomID() },
                clearStale: { try await clearStale(at: $0) }
            )
        )
    }
}

/// 32 random hex digits.
private func randomID() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<2).map { _ in
        let hex = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }.joined()
}
