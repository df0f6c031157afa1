// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Synchronization
import Testing

@testable import EtcdManager

/// Backups that outlast a look.
@Suite struct BackupErrandTests {
    private let lane = Lane()

    private func code(_ errand: BackupErrand, _ step: String, failing: (any Error)? = nil) async -> String? {
        do {
            try await errand.take(before: step, step) { if let failing { throw failing } }
            return nil
        } catch {
            return (error as? Failure)?.code ?? "\(error)"
        }
    }

    @Test func aStepComesAgainUntilItsBackupIsThere() async {
        let clock = SimulatedTime()
        let errand = BackupErrand(now: { clock.now }, aside: { [lane] in lane.add($0) })
        for _ in 0..<3 { #expect(await code(errand, "remove c") == "etcd-backup-under-way") }
        #expect(lane.count == 1, "one is enough")
        await lane.run()
        #expect(await code(errand, "remove c") == nil)
        #expect(await code(errand, "remove b") == "etcd-backup-under-way", "each step has its own")
        clock.now = BackupErrand.fresh
        #expect(await code(errand, "remove c") == "etcd-backup-under-way", "that one is too long ago")
    }

    @Test func whatMadeItFailIsToldOnceAndItIsTriedAgain() async {
        let errand = BackupErrand(now: { .zero }, aside: { [lane] in lane.add($0) })
        let full = Failure(.transient, code: "backup-disk-full", "the disk is full")
        _ = await code(errand, "restore b", failing: full)
        await lane.run()
        #expect(await code(errand, "restore b") == "backup-disk-full")
        #expect(await code(errand, "restore b") == "etcd-backup-under-way")
        await lane.run()
        #expect(await code(errand, "restore b") == nil)
    }
}

private final class SimulatedTime: Sendable {
    private let time = Mutex(Duration.zero)
    var now: Duration {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}
