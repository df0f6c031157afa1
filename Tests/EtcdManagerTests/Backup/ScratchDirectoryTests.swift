// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import SystemPackage
import Testing

@testable import EtcdManager

/// Runs that meet on one volume, and what runs that were killed have left on it.
@Suite struct ScratchDirectoryTests {
    private func directory(_ scene: BackupScene, room: Int64 = 1000, free: Int64 = 1500) -> ScratchDirectory {
        ScratchDirectory(
            node: LiveNode(),
            volume: scene.directory,
            purpose: .backup,
            room: room,
            space: FreeSpace(reserve: 0) { _ in free }
        )
    }

    /// A backup before a step may be taken while a scheduled one is: neither sees the other's snapshot.
    @Test func twoTakersAtOnceEachRecordTheirOwn() async throws {
        try await BackupScene.run { scene in
            let both = Meeting(of: 2)
            let runner = ScriptedEtcd { command in
                guard let index = command.arguments.firstIndex(of: "save") else { return nil }
                let file = FilePath(command.arguments[index + 1])
                try await LiveNode().write(Self.data(of: command), to: file, attributes: FileAttributes())
                await both.attend()
                return CommandResult()
            }
            let records = try await withThrowingTaskGroup(of: BackupRecord.self) { group in
                for name in ["a", "b"] { group.addTask { try await Self.take(of: name, scene, runner) } }
                return try await group.reduce(into: [String: BackupRecord]()) { $0[$1.member] = $1 }
            }
            for (name, byte) in [("a", 1), ("b", 2)] as [(String, UInt8)] {
                let copy = scene.directory.appending(name)
                try await scene.backups().fetch(try #require(records[name]), into: copy, with: nil)
                #expect(try await LiveNode().read(copy) == [UInt8](repeating: byte, count: 2500))
            }
            #expect(try await LiveNode().list(scene.directory).sorted() == ["a", "b"])
        }
    }

    private static func data(of command: Command) -> [UInt8] {
        [UInt8](repeating: command.arguments.contains { $0.contains("//a:") } ? 1 : 2, count: 2500)
    }

    private static func take(of name: String, _ scene: BackupScene, _ runner: ScriptedEtcd) async throws -> BackupRecord
    {
        let status = EtcdStatus.of(1, leader: 1, release: "3.4.23", revision: 7)
        return try await BackupTaker(
            backups: scene.backups(),
            node: LiveNode(),
            etcd: ToldMembers(statuses: ["https://\(name):2379": status]),
            runner: runner,
            tools: ScriptedEtcd.tools,
            client: nil,
            directory: scene.directory,
            space: FreeSpace { _ in .max },
            now: { BackupScene.now.addingTimeInterval(name == "a" ? 0 : 1) }
        ).take(
            of: [BackupMember(name: name, endpoint: "https://\(name):2379")],
            source: BackupScene.source,
            reason: .scheduled
        )
    }

    @Test func whatOtherRunsWriteIsNoRoom() async throws {
        try await BackupScene.run { scene in
            try await directory(scene).with { _ in
                let failure = await #expect(throws: Failure.self) { try await directory(scene).with { _ in } }
                #expect(failure?.code == "backup-disk-full")
                try await directory(scene, room: 500).with { _ in }
            }
            try await directory(scene).with { _ in }
        }
    }

    @Test func whatWasLeftGoesAndWhatIsUsedStays() async throws {
        try await BackupScene.run { scene in
            let node = LiveNode()
            func leave(_ name: String) async throws {
                let path = scene.directory.appending(name)
                try await node.makeDirectory(path, attributes: FileAttributes(mode: 0o700))
                let file = path.appending("snapshot.db")
                try await node.write([1], to: file, attributes: FileAttributes(mode: 0o600))
            }
            for name in ["backup.scratch", "proof-17.scratch", "restore.scratch", "data", "other.scratch"] {
                try await leave(name)
            }
            try await directory(scene).with { path in
                let own = try #require(path.lastComponent?.string)
                #expect(try await node.list(scene.directory).sorted() == [own, "data", "other.scratch"])
                try await leave("restore-9.scratch")
                try await ScratchDirectory.clearStale(on: scene.directory, of: node)
                #expect(try await node.list(scene.directory).sorted() == [own, "data", "other.scratch"])
            }
            #expect(try await node.list(scene.directory).sorted() == ["data", "other.scratch"])
        }
    }
}

/// Holds everybody until all have come.
private actor Meeting {
    private var missing: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(of count: Int) { missing = count }

    func attend() async {
        missing -= 1
        if missing > 0 { return await withCheckedContinuation { waiting.append($0) } }
        for continuation in waiting { continuation.resume() }
    }
}
