// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import StateStore
import Synchronization
import Testing

@testable import EtcdManager

/// Backups before steps, which are tried again every few seconds until they are done.
@Suite struct StoreBackupsTests {
    private final class Place: Sendable {
        let time = Mutex(BackupScene.now)
        let epoch = Mutex(1)
        let lane = Lane()
        let runner: ScriptedEtcd
        let scene: BackupScene

        init(_ scene: BackupScene, _ runner: ScriptedEtcd) { (self.scene, self.runner) = (scene, runner) }

        var vault: StoreBackups {
            let now: @Sendable () -> Date = { [self] in time.withLock(\.self) }
            let status = EtcdStatus.of(1, leader: 1, release: "3.4.23", revision: 7)
            return StoreBackups(
                layout: BackupScene.layout,
                etcdCluster: "main",
                open: { [scene] in scene.memory },
                errand: BackupErrand(
                    now: { .seconds(now().timeIntervalSince(BackupScene.now)) },
                    aside: { [lane] in lane.add($0) }
                ),
                taker: { [self] store in
                    BackupTaker(
                        backups: store,
                        node: LiveNode(),
                        etcd: ToldMembers(statuses: ["https://a:2379": status]),
                        runner: runner,
                        tools: ScriptedEtcd.tools,
                        client: nil,
                        directory: scene.directory,
                        space: FreeSpace { _ in .max },
                        now: now
                    )
                },
                source: { [self] in
                    var source = BackupScene.source
                    source.epoch = epoch.withLock(\.self)
                    return source
                },
                now: now
            )
        }

        /// How many snapshots there have been once the step was tried again after so many seconds.
        func snapshots(_ vault: StoreBackups, _ step: String, after seconds: Double) async -> Int {
            time.withLock { $0 += seconds }
            _ = try? await vault.take(before: step, from: "https://a:2379")
            await lane.run()
            return runner.commands.count { $0.arguments.contains("save") }
        }
    }

    /// A backup takes longer than the lease, after which the step waits for the next look.
    @Test func aStepThatIsTriedAgainSoonHasItsBackup() async throws {
        try await BackupScene.run { scene in
            let place = Place(scene, ScriptedEtcd())
            let vault = place.vault
            #expect(await place.snapshots(vault, "remove c", after: 0) == 1)
            #expect(await place.snapshots(vault, "remove c", after: 299) == 1)
            #expect(await place.snapshots(vault, "remove b", after: 0) == 2)
            #expect(await place.snapshots(vault, "remove c", after: 1) == 3)
            place.epoch.withLock { $0 = 2 }
            #expect(await place.snapshots(vault, "remove c", after: 1) == 4, "a restored cluster has other data")
            let reasons = try await scene.backups().list().compactMap { $0.record?.reason.description }
            #expect(Set(reasons) == ["before: remove b", "before: remove c"] && reasons.count == 4)
        }
    }

    @Test func whatFailsIsTakenAgainAfterAPause() async throws {
        try await BackupScene.run { scene in
            let place = Place(scene, ScriptedEtcd { $0.arguments.contains("save") ? CommandResult(code: 1) : nil })
            let vault = place.vault
            #expect(await place.snapshots(vault, "remove c", after: 0) == 1)
            let failure = await #expect(throws: Failure.self) {
                try await vault.take(before: "remove c", from: "https://a:2379")
            }
            #expect(failure?.code == "backup-snapshot-failed")
            #expect(await place.snapshots(vault, "remove c", after: 58) == 1)
            _ = try? await vault.take(before: "remove c", from: "https://a:2379")
            #expect(await place.snapshots(vault, "remove c", after: 2) == 2)
        }
    }
}
