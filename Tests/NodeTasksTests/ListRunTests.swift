// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTesting
import SystemPackage
import Testing

@testable import NodeTasks

@Suite struct ListRunTests {
    private func run(
        _ tasks: [any NodeTask],
        on node: any NodeWriter,
        list: String = "list",
        prune: Bool = false,
        expecting digest: String? = nil
    ) async throws -> ConvergeReport {
        let options = ConvergeOptions(width: 1, clock: SimulatedClock(), random: Seeded(1))
        return try await ListRun(list: list, tasks: tasks, on: node)
            .converge(ListRun.Request(prunes: prune, expected: digest), pid: 1, options: options)
    }

    @Test func whatWasCreatedAndIsNoLongerDeclaredIsRemoved() async throws {
        var machine = FakeMachine()
        machine.put("theirs\n", at: "/etc/theirs")
        machine.repository["tool"] = "1"
        let node = FakeNode(machine)
        let first: [any NodeTask] = [
            FileTask("/etc/ours", contents: "a\n"), FileTask("/etc/theirs", contents: "b\n"), UserTask("etcd"),
            DirectoryTask("/srv/a"), FileTask("/srv/a/f", contents: "c\n"), DirectoryTask("/srv/b"),
            PackageTask("tool"), FileTask("/etc/kept", contents: "d\n"),
        ]
        let created = try await run(first, on: node)
        #expect(!created.failed, "\(created.text)")
        await node.change { $0.put("x", at: "/srv/b/foreign") }
        let rest: [any NodeTask] = [FileTask("/etc/kept", contents: "d\n")]
        #expect(try await run(rest, on: node).changedCount == 0)
        let plan = try await ListRun(list: "list", tasks: rest, on: node).plan(ListRun.Request(prunes: true))
        let report = try await run(rest, on: node, prune: true)
        #expect(!report.failed, "\(report.text)")
        #expect(
            report.tasks.filter(\.changed).map(\.id.name).sorted() == [
                "prune:directory:/srv/a", "prune:file:/etc/ours", "prune:file:/srv/a/f", "prune:package:tool",
                "prune:user:etcd",
            ]
        )
        #expect(plan.entries.filter { $0.action != .none }.map(\.id) == report.tasks.filter(\.changed).map(\.id))
        let left = await node.machine
        #expect(left.text(at: "/etc/theirs") == "b\n" && left.text(at: "/etc/kept") == "d\n")
        #expect(left.text(at: "/srv/b/foreign") == "x" && left.files["/srv/a"] == nil && left.packages["tool"] == nil)
        #expect(try await run(rest, on: node, prune: true).changedCount == 0)
    }

    @Test func whatAnotherListDeclaresStays() async throws {
        let node = FakeNode()
        let shared = FileTask("/etc/shared", contents: "a\n")
        _ = try await run([shared], on: node, list: "one")
        _ = try await run([shared], on: node, list: "two")
        #expect(try await run([], on: node, list: "one", prune: true).changedCount == 0)
        #expect(await node.machine.text(at: "/etc/shared") == "a\n")
        _ = try await run([], on: node, list: "two", prune: true)
        #expect(try await run([], on: node, list: "one", prune: true).changedCount == 1)
    }

    @Test("what a list needs is not removed, whatever kind made it before")
    func whatIsNeededStays() async throws {
        let node = FakeNode()
        _ = try await run([SymlinkTask("/etc/a", target: "b"), FileTask("/etc/src", contents: "a")], on: node)
        let now: [any NodeTask] = [
            FileTask("/etc/a", contents: "a"),
            FileTask("/etc/copy", content: .file("/etc/src", sha256: digest("a"))),
        ]
        let report = try await run(now, on: node, prune: true)
        #expect(!report.failed && report.tasks.count == 2, "\(report.text)")
        #expect(await node.machine.text(at: "/etc/src") == "a")
    }

    @Test func nothingIsRemovedAfterAFailure() async throws {
        let node = FakeNode()
        _ = try await run([FileTask("/etc/a", contents: "a")], on: node)
        await node.change { $0.putDirectory("/etc/b") }
        let report = try await run([FileTask("/etc/b", contents: "")], on: node, prune: true)
        #expect(report.rootFailures.map(\.id) == ["file:/etc/b"])
        #expect(report.text.contains("? prune:file:/etc/a\n    not reached, because file:/etc/b failed"))
        #expect(await node.machine.text(at: "/etc/a") == "a")
    }

    @Test func onlyTheApprovedPlanRuns() async throws {
        let node = FakeNode()
        let tasks: [any NodeTask] = [FileTask("/etc/a", contents: "a")]
        let digest = try await ListRun(list: "list", tasks: tasks, on: node).plan().digest
        await node.change { $0.put("other", at: "/etc/a") }
        await node.forgetEffects()
        let failure = await #expect(throws: Failure.self) { try await run(tasks, on: node, expecting: digest) }
        #expect(failure?.code == "plan-outdated" && failure?.kind == .permanent)
        #expect(await node.effects.isEmpty)
        let next = try await ListRun(list: "list", tasks: tasks, on: node).plan().digest
        #expect(try await run(tasks, on: node, expecting: next).changedCount == 1)
    }

    @Test("what changes between the plan and the run is refused by the task it concerns")
    func surprisesAreRefused() async throws {
        let node = FakeNode()
        let graph = try NodeTaskGraph([FileTask("/etc/a", contents: "a"), FileTask("/etc/b", contents: "b")])
        let plan = try await graph.plan(on: node)
        await node.change { $0.put("other", at: "/etc/a") }
        let report = await graph.converge(on: node, reader: node, options: ConvergeOptions(approved: plan))
        #expect(report.rootFailures.map(\.id) == ["file:/etc/a"])
        #expect(report.rootFailures.first?.failure?.code == "plan-outdated")
        #expect(await node.machine.text(at: "/etc/a") == "other")
    }

    @Test("killed after any write, the run is explained, and what it created is known", arguments: [false, true])
    func killedAnywhere(prune: Bool) async throws {
        let tasks: [any NodeTask] = [
            FileTask("/etc/a", contents: "a"), DirectoryTask("/srv"), FileTask("/srv/b", contents: "b"), GroupTask("g"),
        ]
        var count = 0
        while true {
            let node = FakeNode()
            await node.crash(afterWrite: count)
            _ = try? await run(tasks, on: node)
            let crashed = await node.hasCrashed()
            await node.revive()
            guard crashed else { break }
            if let history = try await RunHistory(on: node, isLive: { _ in false }), history.outcome != .converged {
                #expect(history.outcome == .interrupted && history.text.contains("run nodeup apply again"))
            }
            if !prune { #expect(try await !run(tasks, on: node).failed) }
            let report = try await run([], on: node, prune: true)
            #expect(!report.failed, "\(report.text)")
            let left = await node.machine
            #expect(left.files["/etc/a"] == nil && left.files["/srv"] == nil, "after \(count)")
            #expect(left.groups["g"] == nil, "after \(count)")
            count += 1
        }
        #expect(count > 10)
    }

    @Test func theJournalTellsTheLastRun() async throws {
        let node = FakeNode()
        await node.change { $0.putDirectory("/etc/b") }
        let tasks: [any NodeTask] = [
            FileTask("/etc/a", contents: "a"), FileTask("/etc/b", contents: ""),
            FileTask("/etc/s", contents: "hunter2", mode: 0o600, secret: true),
        ]
        _ = try await run(tasks, on: node)
        let history = try #require(try await RunHistory(on: node, isLive: { _ in false }))
        #expect(history.outcome == .failed)
        #expect(history.text.contains("3 tasks: 0 converged, 2 changed, 1 failed"), "\(history.text)")
        #expect(history.text.contains("! file:/etc/b\n    not-a-file: "), "\(history.text)")
        let journal = try #require(await node.machine.text(at: RunJournal.path))
        #expect(!journal.contains("hunter2") && journal.contains("<secret>"))
        await node.change { $0.put(String(journal.dropLast(20)), at: RunJournal.path) }
        #expect(try await RunHistory(on: node, isLive: { _ in false })?.outcome == .interrupted)
        #expect(try await RunHistory(on: node, isLive: { $0 == 1 })?.outcome == .running)
        #expect(try await run([], on: node).changedCount == 0)
    }

    @Test("pruning after a random history leaves what is not ours", arguments: Seeded.seeds(40))
    func randomHistories(seed: UInt64) async throws {
        var random = Seeded(seed)
        var machine = FakeMachine()
        let foreign = (0..<6).map { _ in path(using: &random) }
        for path in foreign {
            let isTaken = machine.files.contains { known, entry in
                known.starts(with: path) || path.starts(with: known) && entry.kind == .regular
            }
            if !isTaken { machine.put("foreign", at: path) }
        }
        let before = machine.files
        let node = FakeNode(machine)
        var declared: [any NodeTask] = []
        for _ in 0..<5 {
            declared = list(using: &random)
            guard (try? NodeTaskGraph(declared)) != nil else { continue }
            _ = try await run(declared, on: node, prune: Bool.random(using: &random))
        }
        let report = try await run([], on: node, prune: true)
        #expect(!report.failed, "\(random): \(report.text)")
        let after = await node.machine.files
        for (path, entry) in before where entry.kind == .regular {
            #expect(after[path] != nil, "\(random): \(path) was not ours")
        }
        for path in after.keys where after[path]?.kind == .regular && !path.starts(with: "/var/lib/kopslite") {
            #expect(before[path] != nil, "\(random): \(path) was left")
        }
    }

    private func path(using random: inout Seeded) -> FilePath {
        let names = (0...Int.random(in: 0...2, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" }
        return FilePath("/d/" + names.map(String.init).joined(separator: "/"))
    }

    /// Files and directories that may lie in each other.
    private func list(using random: inout Seeded) -> [any NodeTask] {
        var paths: Set<FilePath> = []
        for _ in 0..<Int.random(in: 0...5, using: &random) { paths.insert(path(using: &random)) }
        return paths.sorted { $0.string < $1.string }.map { path in
            let isAbove = paths.contains { $0 != path && $0.starts(with: path) }
            return isAbove ? DirectoryTask(path) : FileTask(path, contents: "ours") as any NodeTask
        }
    }
}
