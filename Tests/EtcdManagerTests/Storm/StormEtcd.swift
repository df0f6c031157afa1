// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import NodeOS
import Synchronization
import SystemPackage

/// What is declared of a cluster under test; it changes while the agents look.
final class StormDeclaration: Sendable {
    private let state: Mutex<(members: [String], binaries: EtcdBinaries)>

    init(_ members: [String], _ binaries: EtcdBinaries) { state = Mutex((members, binaries)) }

    var members: [String] {
        get { state.withLock { $0.members } }
        set { state.withLock { $0.members = newValue } }
    }
    var binaries: EtcdBinaries {
        get { state.withLock { $0.binaries } }
        set { state.withLock { $0.binaries = newValue } }
    }
}

/// The processes of a real cluster, as an agent starts and ends them.
struct StormEtcd: EtcdSupervisor {
    let cluster: RealEtcdCluster
    let member: String
    let declared: StormDeclaration
    let credentials: StormCredentials
    let events: StormEvents

    func process() async throws -> LocalSight.Process {
        events.looked(at: member, absent: await absent())
        guard await cluster.isRunning(member) else { return .stopped }
        return .running(isCurrent: events.startedWith(member) == (try await stamp()))
    }

    func ensureRunning(_ start: EtcdStart) async throws {
        let binaries = declared.binaries
        guard start.release == binaries.version else {
            throw Failure(.transient, code: "etcd-declaration-changed", "another release is declared by now")
        }
        let stamp = try await stamp()
        if await cluster.isRunning(member) {
            if events.startedWith(member) == stamp { return }
            events.willRestart(member, absent: await absent())
            await cluster.stop(member)
        }
        await cluster.change(member) { unit in
            unit.version = binaries.version
            unit.binary = binaries.etcd
        }
        let data = cluster.directory.appending(member).appending("data")
        try await LiveNode().makeDirectory(data, attributes: FileAttributes(mode: 0o700))
        try await cluster.launch(member, start)
        events.started(member, with: stamp)
    }

    func stop() async throws { await cluster.stop(member) }

    /// What etcd reads only once, as `EtcdService` has it: its program, and whom it trusts.
    private func stamp() async throws -> String {
        let authority = credentials.certificates(of: member).authority
        return declared.binaries.version + " " + (try await LiveNode().sha256(of: authority))
    }

    /// The other members that do not run now.
    private func absent() async -> Set<String> {
        var absent: Set<String> = []
        for name in declared.members where name != member {
            if await !cluster.isRunning(name) { absent.insert(name) }
        }
        return absent
    }
}

/// The members' etcd as one machine reaches it, with whoever the client is and whom the machine trusts by then.
struct StormGateway: EtcdAPI {
    let cluster: RealEtcdCluster
    let member: String
    let credentials: StormCredentials

    private func gateway() async throws -> EtcdGateway {
        var identity = credentials.identity
        guard credentials.agentsTrustTheirOwnFiles else { return EtcdGateway(http: cluster.http, identity: identity) }
        let authorities = try await LiveNode().read(credentials.certificates(of: member).authority)
        identity.authorities = String(decoding: authorities, as: UTF8.self)
        return EtcdGateway(http: cluster.http, identity: identity)
    }

    func status(of endpoint: String) async throws -> EtcdStatus { try await gateway().status(of: endpoint) }
    func members(at endpoint: String) async throws -> EtcdMembers { try await gateway().members(at: endpoint) }
    func addLearner(peerURL: String, at endpoint: String) async throws -> EtcdMember {
        try await gateway().addLearner(peerURL: peerURL, at: endpoint)
    }
    func promote(_ id: UInt64, at endpoint: String) async throws { try await gateway().promote(id, at: endpoint) }
    func remove(_ id: UInt64, at endpoint: String) async throws { try await gateway().remove(id, at: endpoint) }
}
