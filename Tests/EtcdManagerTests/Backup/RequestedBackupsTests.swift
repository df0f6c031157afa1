// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTesting
import StateStore
import Synchronization
import Testing

@testable import EtcdManager

/// Backups that are asked for: each request is answered, by a backup that was begun after it.
@Suite struct RequestedBackupsTests {
    private let registers: StoreRegisters

    init() {
        let store = MemoryStore()
        registers = StoreRegisters(layout: BackupScene.layout, etcdCluster: "main", open: { store })
    }

    private var requests: RequestedBackups { RequestedBackups(registers: registers) }

    private static func name(_ revision: Int64) -> BackupName {
        BackupName(taken: BackupScene.now, revision: revision)
    }

    @Test func nobodyAskedTakesNothing() async throws {
        #expect(try await requests.answer { _ in throw Failure(.permanent, code: "taken", "taken") } == nil)
        #expect(try await registers.read(.backupRequest) == nil)
    }

    @Test func operatorsAtOnceEachHaveANumberOfTheirOwn() async throws {
        let requests = requests
        let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try await requests.ask() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(numbers.sorted() == Array(1...8))
        #expect(try await requests.answer { $0 == .asked(8) ? Self.name(7) : Self.name(0) } == Self.name(7))
        #expect(try await requests.answer { _ in Self.name(9) } == nil)
        #expect(try await registers.read(.backupRequest)?.value.isOpen == false)
    }

    /// Whatever order they come in, nobody is answered by a backup from before his request.
    @Test(arguments: Seeded.seeds(50)) func aBackupAnswersOnlyWhatWasAskedBefore(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        var waiting: [Int: Int64] = [:]
        for revision in Int64(1)...40 {
            if Int.random(in: 0..<3, using: &random) == 0 { waiting[try await requests.ask()] = revision }
            let meanwhile = Int.random(in: 0..<2, using: &random) == 0
            let late = Mutex<Int?>(nil)
            _ = try await requests.answer { _ in
                if meanwhile {
                    let number = try await requests.ask()
                    late.withLock { $0 = number }
                }
                return Self.name(revision)
            }
            if let number = late.withLock(\.self) { waiting[number] = revision + 1 }
            let request = try await registers.read(.backupRequest)?.value
            for (number, asked) in waiting where number <= request?.answered ?? 0 {
                #expect((request?.backup?.revision ?? 0) >= asked, "\(random)")
                waiting[number] = nil
            }
        }
        while try await requests.answer({ _ in Self.name(99) }) != nil {}
        #expect(try await registers.read(.backupRequest)?.value.isOpen != true)
    }

    @Test func aFailureStaysToBeReadUntilABackupIsTaken() async throws {
        let number = try await requests.ask()
        await #expect(throws: Failure.self) {
            try await requests.answer { _ in throw Failure(.waiting, code: "backup-no-member", "no member answers") }
        }
        let asked = try await registers.read(.backupRequest)?.value
        #expect(asked == BackupRequest(asked: number, trouble: "no member answers"))
        #expect(try await requests.answer { _ in Self.name(3) } == Self.name(3))
        let answered = try await registers.read(.backupRequest)?.value
        #expect(answered == BackupRequest(asked: number, answered: number, backup: Self.name(3)))
    }

    @Test func whatFailsIsTakenAgainAfterAPauseOrForWhoAsksAnew() async throws {
        let time = Mutex(BackupScene.now)
        let requests = RequestedBackups(registers: registers, now: { time.withLock(\.self) })
        let taken = Mutex(0)
        func tries(after seconds: Double) async -> Int {
            time.withLock { $0 += seconds }
            _ = try? await requests.answer { _ in
                taken.withLock { $0 += 1 }
                throw Failure(.transient, code: "etcd-tool-ended", "no memory")
            }
            return taken.withLock(\.self)
        }
        _ = try await requests.ask()
        for (seconds, expected) in [(0, 1), (5, 1), (54, 1), (1, 2), (60, 2), (60, 3)] as [(Double, Int)] {
            #expect(await tries(after: seconds) == expected)
        }
        #expect(try await registers.read(.backupRequest)?.value.trouble == "no memory")
        _ = try await requests.ask()
        #expect(await tries(after: 0) == 4)
    }

    @Test func aRestoreThatWasCommandedIsLeftAlone() async throws {
        let command = OperatorCommand(id: "1", restore: "b", lost: [])
        try await registers.write(command, to: .command, replacing: nil)
        let held = try await registers.read(.command)
        _ = try await requests.ask()
        _ = try await requests.answer { _ in Self.name(1) }
        #expect(try await registers.read(.command) == held)
    }

    @Test(
        .enabled(if: SourceEtcd.isThere, "no etcd with etcdutl is installed for tests: packaging/test-etcd"),
        arguments: SourceEtcd.releases.map(\.release)
    ) func aRealEtcdAnswersAndSaysByWhichRequest(_ release: String) async throws {
        let requests = requests
        try await RealBackup.run(release) { it in
            let number = try await requests.ask()
            let name = try await requests.answer { try await it.take(reason: $0).name }
            let listed = try #require(await it.backups.list().first)
            #expect(listed.name == name && listed.record?.reason == .asked(number))
            #expect(listed.record?.snapshot.keys == 12 && listed.record?.snapshot.revision == it.revision)
        }
    }
}
