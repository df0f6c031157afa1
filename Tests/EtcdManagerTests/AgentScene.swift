// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTesting
import StateStore
import Synchronization

@testable import EtcdManager

/// One machine's agent, with everything around it in memory.
final class AgentScene: MemberHost {
    private struct State {
        var volume: LocalSight.Volume
        var process: LocalSight.Process
        var acts: [String] = []
        var lacksProgram = false
    }

    let registers: StoreRegisters
    private let store = MemoryStore()
    private let state: Mutex<State>
    private let outage = Outage()

    private final class Outage: Sendable {
        let isThere = Mutex(false)
    }

    /// A member `a` of a cluster with these members, whose volume holds data that has served.
    init(_ members: [String] = ["a"], data release: String?, cluster: String?, process: LocalSight.Process) async throws
    {
        let isAway = outage
        registers = StoreRegisters(layout: BackupScene.layout, etcdCluster: "main") { [store] in
            if isAway.isThere.withLock(\.self) { throw StoreError.unavailable(url: "memory://", reason: "unplugged") }
            return store
        }
        let found = VolumeNote(
            clusterName: "a.example.com",
            etcdCluster: "main",
            id: "0123",
            epoch: 1,
            member: "a",
            incarnation: 1,
            initialised: true,
            alone: members.count == 1,
            releases: release.map { ReleaseRange($0) }
        )
        state = Mutex(State(volume: .mounted(note: found, hasData: true), process: process))
        var record = ClusterRecord(clusterName: "a.example.com", etcdCluster: "main", id: "0123", founder: "a")
        for (number, name) in members.enumerated() {
            record.members[name] = MemberRecord(incarnation: 1, state: .voter, etcdID: UInt64(number + 1))
        }
        record.release = cluster
        try await registers.write(record, to: .record, replacing: nil)
    }

    /// What was done to the volume and to etcd.
    var acts: [String] { state.withLock(\.acts) }
    var note: VolumeNote? { state.withLock { $0.volume.note } }
    var isRunning: Bool { state.withLock { $0.process != .stopped } }
    func lackProgram() { state.withLock { $0.lacksProgram = true } }
    func loseStore() { outage.isThere.withLock { $0 = true } }

    func loseData() { state.withLock { $0.volume = .mounted(note: $0.volume.note, hasData: false) } }

    /// What another machine says of its member.
    func report(_ data: MemberReport.Data, of member: String) async throws {
        let report = MemberReport(machine: "m-\(member)", address: member, clientURL: member, data: data)
        let held = try await registers.read(.report(of: member))
        try await registers.write(report, to: .report(of: member), replacing: held?.version)
    }

    func damageReport(of member: String) async throws {
        let key = try BackupScene.layout.etcdRegister("main", Slot.report(of: member).path)
        try await store.write(Array("{}".utf8), to: key, when: .always)
    }

    func change(_ edit: (inout ClusterRecord) -> Void) async throws {
        _ = try await registers.change(.record) { record in if record != nil { edit(&record!) } }
    }

    /// One look with a release declared.
    @discardableResult
    func tick(_ release: String?, _ members: [String] = ["a"]) async throws -> EtcdAgent.Outlook {
        var agent = EtcdAgent(
            place: EtcdAgent.Place(machine: "m", member: "a", address: "10.0.0.1", clientURL: "https://10.0.0.1:2379"),
            holder: "m-1",
            means: EtcdAgent.Means(
                registers: registers,
                host: self,
                etcd: ToldMembers(),
                backups: NoBackups(),
                now: { .zero },
                randomID: { "0123" }
            )
        )
        let urls = Dictionary(uniqueKeysWithValues: members.map { ($0, "https://\($0):2380") })
        return try await agent.tick(
            EtcdSpec(
                clusterName: "a.example.com",
                etcdCluster: "main",
                members: members,
                peerURLs: urls,
                release: release
            )
        )
    }

    private func act(_ text: String, _ body: (inout State) -> Void) {
        state.withLock { state in
            state.acts.append(text)
            body(&state)
        }
    }

    func look() -> LocalSight { state.withLock { LocalSight(volume: $0.volume, process: $0.process) } }
    func format() { act("format") { $0.volume = .mounted(note: nil, hasData: false) } }
    func write(_ note: VolumeNote) {
        act("note") { state in
            guard case .mounted(_, let hasData) = state.volume else { return }
            state.volume = .mounted(note: note, hasData: hasData)
        }
    }
    func setAside(_ kind: SetAside) {
        act("set aside \(kind.rawValue)") { $0.volume = .mounted(note: $0.volume.note, hasData: false) }
    }
    func lay(backup: String, for start: EtcdStart) {
        act("lay \(backup)") { $0.volume = .mounted(note: $0.volume.note, hasData: true) }
    }
    func resolve(_ addresses: [String: String]) {}
    func checkStart() throws {
        guard state.withLock(\.lacksProgram) else { return }
        throw Failure(.waiting, code: "etcd-version-differs", "another release is installed")
    }
    func start(_ start: EtcdStart) { act("start \(start.release ?? "any")") { $0.process = .running(isCurrent: true) } }
    func stop() { act("stop") { $0.process = .stopped } }
}

extension LocalSight.Volume {
    fileprivate var note: VolumeNote? { if case .mounted(let note, _) = self { note } else { nil } }
}

/// No backup, and none can be taken.
private struct NoBackups: BackupVault {
    func isEmpty() -> Bool { true }
    func take(before step: String, from endpoint: String) throws { throw ToldMembers.Unasked() }
}
