// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import StateStore
import SystemPackage

/// Where one of this machine's etcd members runs: what its agent is made of.
struct EtcdPlace: Sendable {
    let etcdCluster: String
    let nodeState: NodeState
    let clusterState: ClusterState
    let volume: VolumeStep
    let http: any HTTPClient
    let clock: any Clock<Duration>

    /// The cluster as declared now.
    func spec() async throws -> EtcdSpec {
        let inputs = try await nodeState.inputs()
        let etcd = try await nodeState.etcd(etcdCluster)
        let names = try await volume.volume().membership()?.members ?? []
        let urls = (etcd.members + names).map { name in
            (name, "https://\(etcd.peerHost(of: name, in: inputs.config.clusterName)):\(etcd.peerPort)")
        }
        return EtcdSpec(
            clusterName: inputs.config.clusterName,
            etcdCluster: etcdCluster,
            members: etcd.members,
            peerURLs: Dictionary(urls, uniquingKeysWith: { first, _ in first })
        )
    }

    /// This machine's agent.
    func agent() async throws -> EtcdAgent {
        let inputs = try await nodeState.inputs()
        let etcd = try await nodeState.etcd(etcdCluster)
        let volume = try await volume.volume()
        guard let member = try await volume.membership()?.member else {
            throw Failure(.waiting, code: "volume-not-found", "no volume is attached for etcd \(etcdCluster)")
        }
        let address = inputs.boot.address
        let place = EtcdAgent.Place(
            machine: inputs.boot.instance,
            member: member,
            address: address,
            clientURL: "https://\(address):\(etcd.clientPort)"
        )
        let started = Stopwatch(clock)
        return EtcdAgent(
            place: place,
            holder: "\(inputs.boot.instance)-\(Self.randomID())",
            means: EtcdAgent.Means(
                registers: registers,
                host: machine(volume, member, address),
                etcd: MemberGateway(place: self),
                backups: backups(volume),
                now: started.elapsed,
                randomID: { Self.randomID() },
                clearStale: { try await clearStaleLeases(at: $0) }
            )
        )
    }

    var registers: StoreRegisters { clusterState.registers(of: etcdCluster) }

    func gateway() async throws -> EtcdGateway {
        let identity = try await nodeState.identity(
            authority: NodePaths.etcdPKI.appending("ca.crt"),
            pair: NodePaths.etcdPKI.appending("client"),
            of: "etcd"
        )
        return EtcdGateway(http: http, identity: identity)
    }

    /// API servers that are gone would be led to until their leases end, which the restored cluster does not know of.
    private func clearStaleLeases(at endpoint: String) async throws {
        _ = try await gateway().deletePrefix(Array("/registry/masterleases/".utf8), at: endpoint)
    }

    private func machine(_ volume: MemberVolume, _ member: String, _ address: String) -> MemberMachine {
        MemberMachine(
            volume: volume,
            supervisor: DeclaredEtcd(place: self, volume: volume, member: member, address: address),
            names: { try await resolve($0) },
            restore: { try await restore($0, $1, into: volume.dataDirectory) }
        )
    }

    /// Lets the members' names stand for addresses in this machine's hosts file.
    private func resolve(_ addresses: [String: String]) async throws {
        let inputs = try await nodeState.inputs()
        let etcd = try await nodeState.etcd(etcdCluster)
        let entries = addresses.reduce(into: [String: [String]]()) { entries, member in
            entries[member.value, default: []].append(etcd.peerHost(of: member.key, in: inputs.config.clusterName))
        }
        let task = HostsBlockTask("etcd-\(etcdCluster)", entries: entries.mapValues { $0.sorted() })
        for step in try task.plan(from: try await task.find(on: nodeState.node)) {
            try await task.apply(step, on: nodeState.node)
        }
    }

    static func randomID() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let hex = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - hex.count) + hex
        }.joined()
    }
}

/// etcd as the sealed inputs declare it at each look: a newer generation may have changed it.
struct DeclaredEtcd: EtcdSupervisor {
    let place: EtcdPlace
    let volume: MemberVolume
    let member: String
    let address: String

    func process() async throws -> LocalSight.Process {
        let service = try await service()
        try await service.renewCertificates()
        return try await service.process()
    }
    func ensureRunning(_ start: EtcdStart) async throws { try await service().ensureRunning(start) }
    func stop() async throws { try await service().stop() }

    private func service() async throws -> EtcdService {
        let etcd = try await place.nodeState.etcd(place.etcdCluster)
        let name = try await place.nodeState.inputs().config.clusterName
        let runtime = EtcdService.runtimeDirectory(of: place.etcdCluster)
        let unit = EtcdUnit(
            etcdCluster: place.etcdCluster,
            version: etcd.version,
            member: member,
            addresses: EtcdUnit.Addresses(
                peerListen: "https://\(address):\(etcd.peerPort)",
                peerURL: "https://\(etcd.peerHost(of: member, in: name)):\(etcd.peerPort)",
                clientListen: ["https://127.0.0.1:\(etcd.clientPort)", "https://\(address):\(etcd.clientPort)"],
                clientURL: "https://\(address):\(etcd.clientPort)"
            ),
            binary: NodePaths.etcd.appending("etcd"),
            volume: volume.directory,
            dataDirectory: volume.dataDirectory,
            certificates: EtcdCertificates(in: runtime.appending("pki")),
            environmentFile: runtime.appending("environment")
        )
        return EtcdService(node: place.nodeState.node, unit: unit, source: EtcdCertificates(in: NodePaths.etcdPKI))
    }
}
