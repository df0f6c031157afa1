// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import StateStore
import SystemPackage

/// Where one of a control-plane machine's etcd members runs, as nodeup's sealed inputs say at each look.
struct EtcdPlace: EtcdSite {
    let etcdCluster: String
    let nodeState: NodeState
    let clusterState: ClusterState
    let finder: any VolumeFinder
    let tools: any FilesystemTools
    let http: any HTTPClient
    let now: @Sendable () -> Duration
    let sideline: Sideline
    /// Which releases programs were found to be.
    let programs: EtcdPrograms

    func doAside(_ work: @escaping @Sendable () async -> Void) { sideline.add(work) }
    var node: any NodeWriter { nodeState.node }
    var clusterName: String { clusterState.boot.clusterName }
    private var pki: FilePath { NodePaths.etcdPKI(of: etcdCluster) }
    func openStore() throws -> any StateStore { try clusterState.open() }

    func spec() async throws -> EtcdSpec {
        let inputs = try await nodeState.inputs()
        let etcd = try await nodeState.etcd(etcdCluster)
        return EtcdSpec(
            clusterName: inputs.config.clusterName,
            etcdCluster: etcdCluster,
            members: etcd.members,
            peerURLPattern: "https://\(etcd.peerHost(of: "*", in: inputs.config.clusterName)):\(etcd.peerPort)",
            release: etcd.version
        )
    }

    func place() async throws -> EtcdAgent.Place {
        let inputs = try await nodeState.inputs()
        guard let member = try await volume().membership()?.member else {
            throw Failure(.waiting, code: "volume-not-found", "no volume is attached for etcd \(etcdCluster)")
        }
        let address = inputs.boot.address
        return EtcdAgent.Place(
            machine: inputs.boot.instance,
            member: member,
            address: address,
            clientURL: "https://\(address):\(try await nodeState.etcd(etcdCluster).clientPort)"
        )
    }

    func volume() async throws -> MemberVolume {
        disk(
            labelled: try await nodeState.etcd(etcdCluster).volumeLabel,
            of: clusterState.boot.instance,
            finder: finder,
            tools: tools
        )
    }

    func supervisor(on volume: MemberVolume, of place: EtcdAgent.Place) async throws -> any EtcdSupervisor {
        let etcd = try await nodeState.etcd(etcdCluster)
        let name = try await nodeState.inputs().config.clusterName
        let runtime = EtcdService.runtimeDirectory(of: etcdCluster)
        let unit = EtcdUnit(
            etcdCluster: etcdCluster,
            version: etcd.version,
            member: place.member,
            addresses: EtcdUnit.Addresses(
                peerListen: "https://\(place.address):\(etcd.peerPort)",
                peerURL: "https://\(etcd.peerHost(of: place.member, in: name)):\(etcd.peerPort)",
                clientListen: ["https://127.0.0.1:\(etcd.clientPort)", place.clientURL],
                clientURL: place.clientURL
            ),
            binary: EtcdUnit.program(of: etcdCluster),
            volume: volume.directory,
            dataDirectory: volume.dataDirectory,
            certificates: EtcdCertificates(in: runtime.appending("pki")),
            environmentFile: runtime.appending("environment")
        )
        return EtcdService(
            node: node,
            unit: unit,
            program: NodePaths.etcd.appending("etcd"),
            source: EtcdCertificates(in: pki),
            programs: programs
        )
    }

    func gateway() async throws -> EtcdGateway {
        let identity = try await nodeState.identity(
            authority: pki.appending("ca.crt"),
            pair: pki.appending("client"),
            of: "etcd"
        )
        return EtcdGateway(http: http, identity: identity)
    }

    /// etcdutl is of 3.5 also beside etcd 3.4: it alone can move revisions.
    func tools() async throws -> EtcdTools {
        EtcdTools(
            release: try await nodeState.etcd(etcdCluster).version,
            etcd: NodePaths.etcd.appending("etcd"),
            etcdctl: NodePaths.etcd.appending("etcdctl"),
            etcdutl: NodePaths.etcd.appending("etcdutl")
        )
    }

    func client() -> EtcdClientFiles? {
        EtcdClientFiles(
            authority: pki.appending("ca.crt"),
            certificate: pki.appending("client.crt"),
            key: pki.appending("client.key")
        )
    }

    /// API servers that are gone would be led to until their leases end, which the restored cluster does not know of.
    func clearStale(at endpoint: String) async throws { try await gateway().clearStaleLeases(at: endpoint) }

    func backupKey() async throws -> ReaderKey? { try await nodeState.readerKey() }

    /// None where sealing is not declared.
    ///
    /// - Throws: ``Failure`` `backup-recipients` (permanent) rather than to let a backup be read that should not be.
    func backupRecipients() async throws -> [RecipientKey] {
        guard let declared = try await nodeState.etcd(etcdCluster).backupRecipients else { return [] }
        let keys = declared.compactMap { recipient in
            SecretReader(rawValue: recipient.reader).map { RecipientKey(reader: $0, publicKey: recipient.publicKey) }
        }
        guard keys.count == declared.count, keys.contains(where: { $0.reader == .controlPlane }) else {
            throw Failure(
                .permanent,
                code: "backup-recipients",
                "backups of etcd \(etcdCluster) are to be sealed, and the generation does not name whose keys open them",
                hint: "publish again with this release: `kopslite update cluster --yes`"
            )
        }
        return keys
    }

    /// Lets the members' names stand for addresses in this machine's hosts file.
    func resolve(_ addresses: [String: String]) async throws {
        let inputs = try await nodeState.inputs()
        let etcd = try await nodeState.etcd(etcdCluster)
        let entries = addresses.reduce(into: [String: [String]]()) { entries, member in
            entries[member.value, default: []].append(etcd.peerHost(of: member.key, in: inputs.config.clusterName))
        }
        let task = HostsBlockTask("etcd-\(etcdCluster)", entries: entries.mapValues { $0.sorted() })
        for step in try task.plan(from: try await task.find(on: node)) { try await task.apply(step, on: node) }
    }
}
