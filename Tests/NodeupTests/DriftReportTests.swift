// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage
import Testing

@testable import Nodeup

/// A plan as a machine reports it.
@Suite struct DriftReportTests {
    private let tasks: [any NodeTask] = [
        FileTask("/etc/a", contents: "new"), FileTask("/etc/b", contents: "same", mode: 0o600), DirectoryTask("/etc/c"),
        PackageTask("socat"),
    ]

    private func drifted() -> FakeMachine {
        var machine = FakeMachine()
        machine.put("old", at: "/etc/a")
        machine.put("same", at: "/etc/b")
        machine.put("in the way", at: "/etc/c")
        return machine
    }

    private func digest(_ tasks: [any NodeTask], _ machine: FakeMachine) async throws -> String {
        let plan = try await NodeTaskGraph(tasks).plan(on: FakeNode(machine))
        return try DriftReport.digest(of: plan.entries.compactMap(DriftReport.Difference.init))
    }

    @Test func theSameDriftHasOneDigestInAnyOrder() async throws {
        let one = try await digest(tasks, drifted())
        #expect(one.count == 64)
        var other = drifted()
        other.put("of no interest", at: "/etc/d")
        #expect(try await digest(tasks.reversed() + [DirectoryTask("/etc")], other) == one)
    }

    @Test("any other drift has another digest", arguments: [0, 1, 2])
    func anotherDriftHasAnotherDigest(place: Int) async throws {
        var machine = drifted()
        switch place {
        case 0: machine.put("older", at: "/etc/a")
        case 1: machine.files["/etc/b"]?.mode = 0o640
        default: machine.files["/etc/c"] = nil
        }
        #expect(try await digest(tasks, machine) != digest(tasks, drifted()))
    }

    @Test func theWordsOfAFailureDoNotCount() throws {
        let differences = ["nodes-1", "nodes-2"].map { name in
            DriftReport.Difference(
                id: "a",
                action: .fail,
                changes: [],
                failure: AgentFailure(code: "c", message: "on \(name)")
            )
        }
        #expect(try DriftReport.digest(of: [differences[0]]) == DriftReport.digest(of: [differences[1]]))
        var other = differences[0]
        other.failure?.code = "d"
        #expect(try DriftReport.digest(of: [other]) != DriftReport.digest(of: [differences[0]]))
    }

    @Test func noDriftIsOneDigestForAll() async throws {
        var machine = FakeMachine()
        machine.put("same", at: "/etc/b", mode: 0o600)
        let worker = try await digest([tasks[1]], machine)
        #expect(try await digest([], FakeMachine()) == worker)
    }

    @Test func secretsAreNotShown() async throws {
        let secret = FileTask("/etc/s", contents: "hunter2", mode: 0o600, owner: "root", secret: true)
        var machine = FakeMachine()
        machine.put("hunter1", at: "/etc/s")
        let fixture = try await Fixture()
        let plan = try await NodeTaskGraph([secret]).plan(on: FakeNode(machine))
        let report = try DriftReport(plan, for: fixture.inputs, checked: Fixture.now)
        let text = String(decoding: try report.encoded(), as: UTF8.self)
        #expect(text.contains("~ content  <secret> -> <secret>"), "\(text)")
        #expect(!text.contains("hunter") && !text.contains("sha256"))
    }
}
