// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTesting
import SystemPackage
import Testing

/// That the faults of the tables are where they are meant to be, and nowhere else.
@Suite(.enabled(if: isRoot, "filters and other users need root"))
struct FaultyThreadTests {
    @Test func theFaultEndsWithItsThread() async throws {
        try await FaultBench.using { bench in
            let node = bench.node
            let attempt: @Sendable () async throws -> String = {
                do {
                    try await node.write([1], to: "/f", attributes: FileAttributes())
                    return "written"
                } catch let failure as Failure {
                    return failure.code
                }
            }
            for _ in 0..<20 {
                let code = try await FaultyThread.run(.refusing([.fsync], with: EIO), attempt)
                #expect(code == "input-output-error")
            }
            // Many at once, so that threads are started that one with a fault might have started.
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<200 { group.addTask { try await attempt() } }
                for try await code in group { #expect(code == "written") }
            }
        }
    }

    @Test func allThatIsAwaitedRunsThere() async throws {
        let codes = try await FaultyThread.run(.refusing([.openat], with: EMFILE)) {
            await withTaskGroup(of: Int32.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        await Task.yield()
                        return open("/dev/null", O_RDONLY) < 0 ? errno : 0
                    }
                }
                return await group.reduce(into: Set<Int32>()) { $0.insert($1) }
            }
        }
        #expect(codes == [EMFILE])
    }

    @Test func anotherUserHasThatUsersRights() async throws {
        try await FaultBench.using { bench in
            try await bench.node.write([1], to: "/f", attributes: FileAttributes(mode: 0o600))
            let path = bench.host("/f").string
            let number = try await FaultyThread.run(.actingAs(65_534)) { open(path, O_RDONLY) < 0 ? errno : 0 }
            #expect(number == EACCES)
        }
    }
}
