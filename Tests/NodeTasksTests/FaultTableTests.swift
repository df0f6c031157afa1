// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage
import Testing

/// What is broken on a real tree, and the class, code and remedy that a run then gives.
///
/// The tables of the service manager, packages, images and mounts are NodeOSTests', that of downloads is FetchTests'.
@Suite(.enabled(if: isRoot, "mounts and owners need root"))
struct FaultTableTests {
    static let rows = disks + obstacles + links + sources + contents + kernel + accounts

    @Test("each fault has its class, code and remedy, and leaves the tree as it was", arguments: rows)
    func fault(_ row: Fault<FaultBench>) async throws {
        try await FaultBench.using { try await row.check(on: $0) }
    }

    @Test func thereAreEnough() {
        #expect(Self.rows.count >= 55 && Set(Self.rows.map(\.description)).count == Self.rows.count)
    }

    /// ETXTBSY is for those that write into a program's file; this one gets a new file under its name.
    @Test func replacingARunningProgramIsNoFault() async throws {
        try await FaultBench.using { bench in
            try await SubprocessRunner().run(Command("cp", ["/bin/sleep", bench.host("/sleep").string]))
            let program = Command(bench.host("/sleep").string, ["600"])
            let running = Task { try await SubprocessRunner().result(of: program) }
            while !isRunning(bench.host("/sleep")) { await Task.yield() }
            let graph = try NodeTaskGraph([FileTask("/sleep", contents: "new", mode: 0o755)])
            let report = await graph.converge(on: bench.node, reader: bench.node)
            #expect(report.changedCount == 1, "\(report.text)")
            running.cancel()
            _ = try? await running.value
        }
    }

    /// Whether the file is some process's program: then it cannot be opened for writing.
    private func isRunning(_ path: FilePath) -> Bool {
        let descriptor = open(path.string, O_WRONLY)
        if descriptor >= 0 { close(descriptor) }
        return descriptor < 0 && errno == ETXTBSY
    }
}
