// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTesting
import SystemPackage
import Testing

@testable import NodeTasks

/// A run of sixty tasks with its journal and its ownership record, killed before and after every single write.
@Suite struct SixtyTaskTests {
    /// Sixty tasks of every kind that a directory tree can take.
    static let tasks: [any NodeTask] = {
        var tasks: [any NodeTask] = [
            GroupTask("app", gid: 700), UserTask("app", uid: 700, groups: ["app"]), DirectoryTask("/srv/app"),
            HostsBlockTask("kops", entries: ["10.0.0.1": ["api.internal"]]), GroupTask("gone", ensure: .absent),
            FileTask("/etc/gone", content: .bytes([]), ensure: .absent), DirectoryTask("/srv/gone", ensure: .absent),
            SymlinkTask("/etc/moved", target: "/srv/app"),
        ]
        for number in 0..<26 {
            tasks.append(FileTask(FilePath("/srv/app/f\(number)"), contents: "\(number)\n", mode: 0o640, owner: "app"))
        }
        for number in 0..<13 { tasks.append(DirectoryTask(FilePath("/srv/d\(number)/deep"), mode: 0o700)) }
        for number in 0..<13 { tasks.append(SymlinkTask(FilePath("/srv/app/l\(number)"), target: "f\(number)")) }
        return tasks
    }()

    static let machine: FakeMachine = {
        var machine = FakeMachine()
        machine.put("127.0.0.1 localhost\n", at: "/etc/hosts")
        machine.put("x", at: "/etc/gone")
        machine.put("x", at: "/srv/gone/deep/file")
        machine.put("old\n", at: "/srv/app/f3", mode: 0o600)
        machine.files["/etc/moved"] = FakeMachine.Entry(.symlink, target: "/nowhere", mode: 0o777)
        machine.groups["gone"] = GroupEntry(name: "gone", gid: 900)
        return machine
    }()

    @Test func onTheFake() async throws {
        try await killEverywhere { FakeNode(Self.machine) }
    }

    @Test(.enabled(if: isRoot, "changing owners needs root"))
    func onARealTree() async throws {
        try await TemporaryRoots.using { roots in
            try await killEverywhere { try await roots.make(Self.machine) }
        }
    }

    private func killEverywhere(_ make: () async throws -> some ContractNode) async throws {
        #expect(Self.tasks.count == 60)
        let undisturbed = try await make()
        #expect(try await !run(on: undisturbed).failed)
        let wanted = try await tree(undisturbed)
        var count = 0
        while true {
            let node = try await make()
            await node.crash(afterWrite: count)
            _ = try? await run(on: node)
            let crashed = await node.hasCrashed()
            await node.revive()
            guard crashed else { break }
            let report = try await run(on: node)
            #expect(!report.failed, "killed after write \(count): \(report.text)")
            #expect(try await tree(node) == wanted, "killed after write \(count)")
            count += 1
        }
        // The journal and the record are written as well as what the tasks declare.
        #expect(count > 170, "\(count) writes")
    }

    private func run(on node: any NodeWriter) async throws -> ConvergeReport {
        let options = ConvergeOptions(width: 1, clock: SimulatedClock(), random: Seeded(1))
        return try await ListRun(list: "sixty", tasks: Self.tasks, on: node).converge(pid: 1, options: options)
    }

    /// The machine with its ownership record and without the journal, which tells how it came about.
    private func tree(_ node: some ContractNode) async throws -> [String] {
        try await node.snapshot().filter { !$0.contains(RunJournal.path.string) }
    }
}
