// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage
import Testing

/// Order, from declared edges and from claims.
struct GraphTests {
    @Test("random graphs are ordered, the same way each time, and converge", arguments: Seeded.seeds(40))
    func randomGraphs(seed: UInt64) async throws {
        var random = Seeded(seed)
        let stubs = randomStubs(&random, cyclic: false)
        let graph = try StubGraph(stubs: stubs)
        let place = Dictionary(uniqueKeysWithValues: graph.ids.enumerated().map { ($1, $0) })
        for stub in stubs {
            for before in stub.after {
                #expect(try #require(place[before]) < (try #require(place[stub.id])), "\(random)")
            }
        }
        #expect(try StubGraph(stubs: stubs).ids == graph.ids, "\(random)")
        // What is declared in a possible order keeps that order.
        let sorted = graph.ids.compactMap { id in stubs.first { $0.id == id } }
        #expect(try StubGraph(stubs: sorted).ids == graph.ids, "\(random)")

        let ledger = Ledger()
        let report = await graph.converge(on: ledger, reader: ledger, options: ConvergeOptions(clock: SimulatedClock()))
        #expect(!report.failed && report.tasks.map(\.id) == graph.ids, "\(random)\n\(report.text)")
        let done = Dictionary(uniqueKeysWithValues: ledger.order.enumerated().map { ($1, $0) })
        for stub in stubs {
            for before in stub.after { #expect((done[before] ?? 0) < (done[stub.id] ?? 0), "\(random)") }
        }
    }

    @Test("random graphs with a cycle are refused, naming tasks on it", arguments: Seeded.seeds(40))
    func randomCycles(seed: UInt64) throws {
        var random = Seeded(seed)
        let stubs = randomStubs(&random, cyclic: true)
        let failure = try #require(throws: Failure.self) { try StubGraph(stubs: stubs) }
        #expect(failure.code == "task-cycle", "\(random)")
        let named = try #require(failure.message.split(separator: ": ").last).split(separator: ", ").map(String.init)
        #expect(named.count >= 2 && named.first == named.last, "\(random) \(failure)")
        for (task, before) in zip(named, named.dropFirst()) {
            let stub = try #require(stubs.first { $0.id.name == task })
            #expect(stub.after.contains(TaskID(before)), "\(random) \(failure)")
        }
    }

    private func randomStubs(_ random: inout Seeded, cyclic: Bool) -> [StubTask] {
        let count = Int.random(in: 2...30, using: &random)
        var stubs = (0..<count).map { StubTask(id: TaskID("t\($0)")) }
        for index in stubs.indices.dropFirst() {
            for other in 0..<index where Int.random(in: 0..<5, using: &random) == 0 {
                stubs[index].after.append(stubs[other].id)
            }
        }
        if cyclic {
            let ring = (0..<Int.random(in: 1...count, using: &random)).map { $0 }
            for index in ring { stubs[index].after.append(stubs[(index + 1) % ring.count].id) }
        }
        return stubs.shuffled(using: &random)
    }

    @Test("a random list is planned the same way twice, or refused by name", arguments: Seeded.seeds(300))
    func randomLists(seed: UInt64) async throws {
        var random = Seeded(seed)
        let text = RandomList.json(&random)
        let node = FakeNode()
        do {
            let first = try await RandomList.plan(text, on: node)
            let second = try await RandomList.plan(text, on: node)
            #expect(first.text == second.text, "\(random)\n\(text)")
            #expect(first.entries.map(\.id) == second.entries.map(\.id), "\(random)\n\(text)")
            #expect(first.digest == second.digest, "\(random)\n\(text)")
            #expect(await node.effects.isEmpty, "\(random)")
        } catch let failure as Failure {
            let again = await #expect(throws: Failure.self) { try await RandomList.plan(text, on: node) }
            #expect(again?.chain == failure.chain, "\(random)\n\(text)")
            let expected: [String: Int] = [
                "tasks-file-invalid": 1, "duplicate-task": 1, "unknown-task": 2, "claimed-twice": 2,
                "claim-contradiction": 2, "task-cycle": 1,
            ]
            let named = RandomList.ids(in: text).filter { failure.message.contains($0) }
            #expect(failure.kind == .permanent, "\(random) \(failure.code)")
            #expect(expected[failure.code].map { named.count >= $0 } == true, "\(random)\n\(failure)\n\(text)")
        }
    }

    @Test func randomListsAreOfEverySort() async throws {
        var seen: Set<String> = []
        for seed in 1...UInt64(300) {
            var random = Seeded(seed)
            let text = RandomList.json(&random)
            do {
                _ = try await RandomList.plan(text, on: FakeNode())
                seen.insert("planned")
            } catch let failure as Failure {
                seen.insert(failure.code)
            }
        }
        #expect(
            seen == [
                "planned", "tasks-file-invalid", "unknown-task", "claimed-twice", "claim-contradiction", "task-cycle",
            ]
        )
    }

    @Test func refusesWhatCannotRun() throws {
        let file = FileTask("/etc/a", contents: "")
        let cases: [(String, [any NodeTask], [String])] = [
            ("duplicate-task", [file, file], ["file:/etc/a"]),
            ("unknown-task", [FileTask("/etc/a", contents: "", after: ["no:such"])], ["file:/etc/a", "no:such"]),
            ("unknown-task", [ServiceTask("a.service", restartOn: ["no:such"])], ["service:a.service", "no:such"]),
            ("claimed-twice", [file, FileTask("/etc/a", contents: "", id: "b")], ["file:/etc/a", "b"]),
            ("claimed-twice", [file, SymlinkTask("/etc/a", target: "b")], ["file:/etc/a", "symlink:/etc/a"]),
            (
                "claimed-twice", [FileTask("/etc/hosts", contents: ""), HostsBlockTask("k", entries: [:])],
                ["file:/etc/hosts", "hostsBlock:k"]
            ),
            (
                "claimed-twice",
                [FileTask("/etc/systemd/system/a.service", contents: ""), ServiceTask("a.service", definition: "")],
                ["file:/etc/systemd/system/a.service", "service:a.service"]
            ),
            (
                "claim-contradiction", [file, DirectoryTask("/etc", ensure: .absent)],
                ["file:/etc/a", "directory:/etc"]
            ),
            (
                "task-cycle",
                [
                    FileTask("/etc/a", contents: "", after: ["directory:/etc"]),
                    DirectoryTask("/etc", after: ["file:/etc/a"]),
                ], ["file:/etc/a", "directory:/etc"]
            ),
        ]
        for (code, tasks, names) in cases {
            let failure = #expect(throws: Failure.self) { try NodeTaskGraph(tasks) }
            #expect(failure?.code == code && failure?.kind == .permanent)
            for name in names { #expect(failure?.message.contains(name) == true, "\(failure?.message ?? "")") }
        }
    }

    @Test func derivesOrderFromClaims() throws {
        let graph = try NodeTaskGraph([
            ServiceTask("a.service", restartOn: ["package:a"]),
            FileTask("/etc/systemd/system/a.service.d/10.conf", contents: ""),
            FileTask("/mnt/d/f", contents: "", mode: 0o644, owner: "etcd"),
            DirectoryTask("/mnt/d", mode: 0o700),
            BindMountTask("/mnt/d", path: "/srv"),
            MountTask(device: "/dev/sdb", path: "/mnt", filesystem: "ext4"),
            FilesystemTask(device: "/dev/sdb", type: "ext4"),
            ImageTask("/c/i", sha256: digest(""), runtime: "docker"), ServiceTask("docker.service"),
            UserTask("etcd", groups: ["disk"]), GroupTask("disk"), PackageTask("a"),
        ])
        let expected: [TaskID: [TaskID]] = [
            "service:a.service": ["package:a", "file:/etc/systemd/system/a.service.d/10.conf"],
            "file:/mnt/d/f": ["directory:/mnt/d", "mount:/mnt", "user:etcd"],
            "directory:/mnt/d": ["mount:/mnt"], "bindMount:/srv": ["directory:/mnt/d", "mount:/mnt", "file:/mnt/d/f"],
            "mount:/mnt": ["filesystem:/dev/sdb"], "filesystem:/dev/sdb": [], "image:/c/i": ["service:docker.service"],
            "user:etcd": ["group:disk"],
        ]
        for (id, before) in expected { #expect(Set(graph.dependencies(of: id)) == Set(before), "\(id)") }
    }
}
