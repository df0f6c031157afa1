// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTesting
import StateStore
import Synchronization
import SystemPackage
import Testing

@testable import EtcdManager

/// What is written is what comes back, and nothing less is ever taken for a backup.
@Suite struct BackupStoreTests {
    private static let keyring = Keyring(cluster: "a.example.com", notAfter: .distantFuture)

    @Test(arguments: [1, 999, 1000, 1001, 4500]) func whatWasUploadedIsFetched(_ size: Int) async throws {
        try await BackupScene.run { scene in
            let (file, draft) = try await scene.snapshot(size)
            let record = try await scene.backups().upload(file, as: draft)
            #expect(record.chunks.map(\.size).reduce(0, +) == size)
            #expect(try await scene.backups().record(of: draft.name) == record)
            let copy = scene.directory.appending("copy")
            try await scene.backups().fetch(record, into: copy, with: nil)
            #expect(try await LiveNode().read(copy) == LiveNode().read(file))
            #expect(try await LiveNode().status(of: copy)?.mode == 0o600)
        }
    }

    /// However large the snapshot and slow the store, a watchdog hears of each piece.
    @Test func eachPieceHasALimitOfItsOwn() async throws {
        try await BackupScene.run { scene in
            let (file, draft) = try await scene.snapshot(4500)
            let limits = Mutex<[Duration]>([])
            let listener: LongWork.Listener = { limit in
                limits.withLock { $0.append(limit) }
                return {}
            }
            let record = try await LongWork.heard(by: listener) { try await scene.backups().upload(file, as: draft) }
            #expect(limits.withLock { $0.count } == 5)
            try await LongWork.heard(by: listener) {
                try await scene.backups().fetch(record, into: scene.directory.appending("copy"), with: nil)
            }
            #expect(limits.withLock { $0 } == Array(repeating: BackupStore.pieceLimit, count: 10))
        }
    }

    @Test func aSealedBackupIsReadByItsRecipientsOnly() async throws {
        try await BackupScene.run { scene in
            let (file, draft) = try await scene.snapshot()
            let (mine, admin) = try (Self.keyring.key(of: .controlPlane), Self.keyring.key(of: .admin))
            let record = try await scene.backups()
                .upload(file, as: draft, sealedTo: [mine.recipient, admin.recipient])
            #expect(record.encryption?.recipients == [mine.id, admin.id])
            for (index, key) in [mine, admin].enumerated() {
                let copy = scene.directory.appending("copy-\(index)")
                try await scene.backups().fetch(record, into: copy, with: key)
                #expect(try await LiveNode().read(copy) == LiveNode().read(file))
            }
            for key in [try Self.keyring.key(of: .node), nil] {
                await #expect(throws: KeyringError.self) {
                    try await scene.backups().fetch(record, into: scene.directory.appending("none"), with: key)
                }
            }
            let plain = try await LiveNode().read(file).prefix(16)
            for key in await scene.memory.list(try StoreKey(parts: [])) {
                let bytes = try #require(await scene.memory.read(key)).bytes
                #expect(!bytes.indices.contains { bytes[$0...].starts(with: plain) }, "\(key) shows the snapshot")
            }
        }
    }

    /// Someone who can write the store makes a record that fits what they did to the pieces; the seal does not.
    @Test func sealedPiecesCannotBeSwappedCutOrReplaced() async throws {
        try await BackupScene.run { scene in
            let key = try Self.keyring.key(of: .controlPlane)
            let (file, draft) = try await scene.snapshot()
            let record = try await scene.backups().upload(file, as: draft, sealedTo: [key.recipient])
            let (_, later) = try await scene.snapshot(taken: BackupScene.now.addingTimeInterval(60))
            let other = try await scene.backups().upload(file, as: later, sealedTo: [key.recipient])
            var forged = record
            forged.chunks.swapAt(0, 1)
            await expectDamage("backup-chunk-damaged", scene, forged, key)
            forged = record
            forged.chunks.removeLast()
            await expectDamage("backup-chunk-damaged", scene, forged, key)
            // Another backup's key and pieces below this one's name.
            forged = record
            forged.encryption = other.encryption
            await #expect(throws: KeyringError.self) {
                try await scene.backups().fetch(forged, into: scene.directory.appending("forged"), with: key)
            }
        }
    }

    private func expectDamage(
        _ code: String,
        _ scene: BackupScene,
        _ record: BackupRecord,
        _ key: ReaderKey? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) async {
        let file = scene.directory.appending("damaged-\(UInt64.random(in: .min ... .max))")
        let damage = await #expect(throws: BackupDamage.self, sourceLocation: location) {
            try await scene.backups().fetch(record, into: file, with: key)
        }
        #expect(damage?.code == code, sourceLocation: location)
    }

    @Test func everyFlippedBitOfARecordIsFound() async throws {
        let bytes = try BackupScene.record([1, 2, 3]).encoded()
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                #expect(throws: BackupDamage.self, "bit \(bit) of byte \(index)") {
                    try BackupRecord(decoding: damaged)
                }
            }
        }
    }

    @Test func damagedPiecesAreFound() async throws {
        try await BackupScene.run { scene in
            let (file, draft) = try await scene.snapshot()
            let backups = scene.backups()
            let record = try await backups.upload(file, as: draft)
            let pieces = try record.chunks.map { try backups.key(record.name, $0.name) }
            for (index, key) in pieces.enumerated() {
                let good = try #require(await scene.memory.read(key)).bytes
                var flipped = good
                flipped[good.count / 2] ^= 1
                let next = try #require(await scene.memory.read(pieces[(index + 1) % pieces.count])).bytes
                for bad in [flipped, good.dropLast(), next, []] {
                    try await scene.memory.write(bad, to: key, when: .always)
                    await expectDamage("backup-chunk-damaged", scene, record)
                }
                try await scene.memory.remove(key, when: .always)
                await expectDamage("backup-chunk-missing", scene, record)
                try await scene.memory.write(good, to: key, when: .always)
            }
            // A record can list fewer pieces, or others, and still have a checksum of its own.
            var forged = record
            forged.chunks.removeLast()
            await expectDamage("backup-snapshot-damaged", scene, forged)
            forged = record
            forged.chunks.swapAt(0, 1)
            await expectDamage("backup-snapshot-damaged", scene, forged)
        }
    }

    @Test func anotherClustersRecordIsDamage() async throws {
        try await BackupScene.run { scene in
            let record = BackupScene.record([1])
            let events = BackupStore(store: scene.memory, layout: BackupScene.layout, etcdCluster: "events")
            let place = try events.key(record.name, BackupStore.recordName)
            try await scene.memory.write(try record.encoded(), to: place, when: .absent)
            let listed = try await events.list()
            #expect(listed.map(\.damage?.code) == ["backup-foreign"] && listed.first?.standing == .failed)
            let failure = await #expect(throws: Failure.self) { try await events.record(of: record.name) }
            #expect(failure?.code == "backup-foreign")
        }
    }

    @Test func aProofIsOfOneRecord() async throws {
        try await BackupScene.run { scene in
            let (file, draft) = try await scene.snapshot()
            let backups = scene.backups()
            let record = try await backups.upload(file, as: draft)
            #expect(try await backups.list().first?.standing == .unproven)
            for damage in [nil, BackupDamage("backup-chunk-missing", "piece 0 is not there"), nil] {
                let proof = BackupProof(
                    tried: BackupScene.now,
                    etcdRelease: "3.4.23",
                    record: try record.digest(),
                    comparedHash: true,
                    damage: damage
                )
                try await backups.write(proof, of: record.name)
                let found = try #require(await backups.list().first)
                #expect(found.standing == (damage == nil ? .proven : .failed) && found.proof == proof)
                #expect(found.tried == BackupScene.now)
            }
            var changed = record
            changed.member = "b"
            let place = try backups.key(record.name, BackupStore.recordName)
            try await scene.memory.write(try changed.encoded(), to: place, when: .always)
            #expect(try await backups.list().first?.standing == .unproven)
        }
    }

    @Test func deletingLeavesNothingAndSweepingOnlyTakesGarbage() async throws {
        try await BackupScene.run { scene in
            let backups = scene.backups()
            let (file, draft) = try await scene.snapshot()
            let record = try await backups.upload(file, as: draft)
            let (_, later) = try await scene.snapshot(taken: BackupScene.now.addingTimeInterval(60))
            _ = try await backups.upload(file, as: later)
            try await backups.delete(record.name)
            let prefix = try BackupScene.layout.backups(of: "main")
            #expect(await scene.memory.list(prefix).allSatisfy { $0.parts.contains(later.name.description) })
            try await scene.memory.remove(try backups.key(later.name, BackupStore.recordName), when: .always)
            #expect(try await backups.sweep(takenBefore: BackupScene.now).isEmpty)
            #expect(try await backups.sweep(takenBefore: .distantFuture) == [later.name])
            #expect(await scene.memory.list(prefix).isEmpty)
        }
    }

    /// It would be tried again soon, and each try would leave its pieces for a day.
    @Test func aFailedUploadTakesItsPiecesBack() async throws {
        try await BackupScene.run { scene in
            let (file, draft) = try await scene.snapshot()
            let prefix = try BackupScene.layout.backups(of: "main")
            let late = scene.backups(PickyStore(memory: scene.memory, refused: "3"))
            await #expect(throws: StoreError.self) { try await late.upload(file, as: draft) }
            #expect(await scene.memory.list(prefix).isEmpty)
            var changed = draft
            changed.snapshot.sha256 = hexSHA256([])
            let failure = await #expect(throws: Failure.self) { try await scene.backups().upload(file, as: changed) }
            #expect(failure?.code == "backup-snapshot-changed")
            #expect(await scene.memory.list(prefix).isEmpty)
            // The record may have been written although nobody heard of it: nothing that it names is touched.
            let last = scene.backups(PickyStore(memory: scene.memory, refused: BackupStore.recordName))
            await #expect(throws: StoreError.self) { try await last.upload(file, as: draft) }
            #expect(await scene.memory.list(prefix).count == 5)
            // What another run has written under the same name is not this one's.
            await #expect(throws: StoreError.self) { try await scene.backups().upload(file, as: draft) }
            #expect(await scene.memory.list(prefix).count == 5)
        }
    }

    /// The writer dies, answers are lost and requests come twice: what is listed is whole, always.
    @Test(arguments: Seeded.seeds(200)) func noHalfBackupIsEverListed(_ seed: UInt64) async throws {
        try await BackupScene.run { scene in
            var random = Seeded(seed)
            let simulated = SimulatedStore(faults: 40)
            let (file, draft) = try await scene.snapshot()
            try await simulated.run(
                &random,
                clients: [{ store in try await scene.backups(store).upload(file, as: draft) }],
                changed: { _ in
                    let backups = scene.backups(try await simulated.snapshot())
                    for backup in try await backups.list() {
                        let record = try #require(backup.record, "\(Seeded(seed))")
                        let copy = scene.directory.appending("copy-\(UInt64.random(in: .min ... .max))")
                        await #expect(throws: Never.self, "\(Seeded(seed)): \(simulated.trace)") {
                            try await backups.fetch(record, into: copy, with: nil)
                        }
                    }
                }
            )
        }
    }
}
