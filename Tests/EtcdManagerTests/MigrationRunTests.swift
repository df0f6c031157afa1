// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Synchronization
import SystemPackage
import Testing

@testable import EtcdManager

/// A migration in a person's hands: what is read of it, and its record in a file.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"), .timeLimit(.minutes(5)))
struct MigrationRunTests {
    /// Lines that were said since they were asked for last.
    private final class Said: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        func take() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    private func run(_ body: @escaping @Sendable (MigrationScene, FilePath) async throws -> Void) async throws {
        try await BackupScene.run { files in
            try await MigrationScene.run { try await body($0, files.directory.appending("below/migration.json")) }
        }
    }

    private func make(_ scene: MigrationScene, _ file: FilePath, _ said: Said) -> MigrationRun {
        MigrationRun(
            migration: EtcdMigration(
                gateway: EtcdGateway(http: scene.http, identity: scene.cluster.identity),
                endpoints: ["a", "b", "c"].map(scene.cluster.endpoint),
                record: FileMigrationRecord(node: LiveNode(), path: file),
                progress: { said.add("\($0)") }
            ),
            say: said.add
        )
    }

    @Test func itSaysWhatWasDoneWhatIsNextAndHowToGoBack() async throws {
        try await run { scene, file in
            let said = Said()
            try await scene.fill(60)
            try await make(scene, file, said).carryOut(.copy)
            var lines = said.take()
            #expect(lines.prefix(2) == ["compared 60 keys: 60 to be copied", "compared 60 keys: every one is copied"])
            #expect(lines[2].hasPrefix("60 keys are copied and equal, up to change "))
            #expect(lines.last == "to go back: run this with --rollback; version 2 has only been read")

            // Whoever runs it next goes on from the file.
            try await scene.put("/registry/pods/late", "1")
            try await make(scene, file, said).carryOut(.copy)
            lines = said.take()
            #expect(lines[0].hasSuffix("goes on, it was verified") && lines[1] == "compared 61 keys: 1 to be copied")

            try await make(scene, file, said).carryOut(.rollBack)
            lines = said.take()
            #expect(
                lines.suffix(3) == [
                    "61 copies to be taken away", "no copy is left",
                    "undone: version 3 is as empty as before, and version 2 as it was",
                ]
            )
            try await scene.expectUntouched()
            #expect(try await LiveNode().status(of: file) == nil)
            try await make(scene, file, said).carryOut(.rollBack)
            #expect(said.take() == ["there is no migration to undo"])

            let early = await #expect(throws: Failure.self) { try await make(scene, file, said).carryOut(.switchOver) }
            #expect(early?.code == "migration-not-begun")
            try await make(scene, file, said).carryOut(.copy)
            try await make(scene, file, said).carryOut(.switchOver)
            #expect(said.take().last?.hasPrefix("there is no way back but a backup") == true)
            try await scene.expectEqual(isSwitched: true)
            let late = await #expect(throws: Failure.self) { try await make(scene, file, said).carryOut(.rollBack) }
            #expect(late?.code == "migration-switched")
        }
    }

    @Test func aDamagedRecordIsNotTakenForNone() async throws {
        try await BackupScene.run { files in
            let path = files.directory.appending("record.json")
            let record = FileMigrationRecord(node: LiveNode(), path: path)
            #expect(try await record.read() == nil)
            let state = MigrationState(phase: .verified, clusterID: .max, index: 7, keys: 3)
            try await record.write(state)
            #expect(try await record.read() == state)
            try await LiveNode().write([0x7B], to: path, attributes: FileAttributes())
            let failure = await #expect(throws: Failure.self) { try await record.read() }
            #expect(failure?.code == "migration-record-damaged")
            try await record.write(nil)
            #expect(try await record.read() == nil)
        }
    }
}
