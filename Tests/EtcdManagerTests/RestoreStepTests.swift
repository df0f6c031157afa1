// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import EtcdManager

/// How a leader goes through a restore, and what an operator may still change of one.
@Suite struct RestoreStepTests {
    private static let spec = EtcdSpec(
        clusterName: "c",
        etcdCluster: "main",
        members: ["a", "b", "c"],
        peerURLs: [:],
        release: "3.5.21"
    )
    private static let first = OperatorCommand(id: "1", restore: "good", lost: [])

    private static func record() -> ClusterRecord { MembershipView.threeMembers("3.5.21").record }

    private static func next(
        _ record: ClusterRecord,
        _ command: OperatorCommand?,
        stopped: [String: String] = [:]
    ) -> LeaderStep? {
        var view = MembershipView(record: record)
        for name in spec.members {
            var report = MemberReport.of(name, .good, incarnation: 1, isRunning: stopped[name] == nil)
            report.stoppedFor = stopped[name]
            view.reports[name] = report
        }
        return LeaderStep.next(view, spec: spec, command: command, token: 1)
    }

    /// The record after the next step.
    private static func after(
        _ record: ClusterRecord,
        _ command: OperatorCommand?,
        stopped: [String: String] = [:]
    ) throws -> ClusterRecord {
        let step = try #require(next(record, command, stopped: stopped))
        return try #require(step.record(after: record, token: 1))
    }

    /// One machine will never stop, since it is gone, and the first command does not say so.
    @Test func whoWasForgottenCanBeStatedLostLater() throws {
        var record = try Self.after(Self.record(), Self.first)
        #expect(Self.next(record, Self.first, stopped: ["a": "1", "b": "1"]) == nil, "c is waited for")
        let second = OperatorCommand(id: "2", restore: "good", lost: ["c"])
        record = try Self.after(record, second, stopped: ["a": "1", "b": "1"])
        #expect(Self.next(record, second, stopped: ["a": "1", "b": "1"]) == nil, "they stop for the new command")
        record = try Self.after(record, second, stopped: ["a": "2", "b": "2"])
        #expect(record.members == ["a": MemberRecord(incarnation: 2, state: .founding)])
        #expect(record.epoch == 2)
    }

    /// The backup cannot be laid: another one is chosen, and what served before stays known.
    @Test func anotherBackupCanBeChosenWhileNobodyServes() throws {
        let all = { (command: String) in Dictionary(uniqueKeysWithValues: Self.spec.members.map { ($0, command) }) }
        var record = try Self.after(Self.record(), Self.first)
        record = try Self.after(record, Self.first, stopped: all("1"))
        #expect(record.members["a"]?.state == .founding)
        let second = OperatorCommand(id: "2", restore: "better", lost: ["a"])
        record = try Self.after(record, second, stopped: all("1"))
        record = try Self.after(record, second, stopped: all("2"))
        #expect(record.members == ["b": MemberRecord(incarnation: 3, state: .founding)], "a is relied on last")
        #expect(record.epoch == 3)
        guard case .restore(let restore)? = record.operation else { return #expect(Bool(false)) }
        #expect(restore.backup == "better" && restore.served == 1)
    }

    @Test func whatServesIsNotGivenUpForALaterCommand() throws {
        var record = try Self.after(Self.record(), Self.first)
        record = try Self.after(record, Self.first, stopped: ["a": "1", "b": "1", "c": "1"])
        record.members["a"]?.state = .voter
        let second = OperatorCommand(id: "2", restore: "better", lost: [])
        guard case .endRestore? = Self.next(record, second) else { return #expect(Bool(false), "it ends first") }
    }

    @Test func aRestoreIsGivenUpOnlyBeforeAnybodyBeginsAnew() throws {
        let command = OperatorCommand(id: "2", restore: nil)
        let stopping = try Self.after(Self.record(), Self.first)
        let given = try Self.after(stopping, command)
        #expect(given.operation == nil && given.members == Self.record().members && given.lastCommand == "2")
        #expect(Self.next(given, command) == nil, "once")
        let begun = try Self.after(stopping, Self.first, stopped: ["a": "1", "b": "1", "c": "1"])
        #expect(try Self.after(begun, command).operation == begun.operation)
        // With nothing to give up, nothing else is given up.
        var joining = Self.record()
        joining.operation = .join(member: "d")
        #expect(try Self.after(joining, command).operation == .join(member: "d"))
    }
}
