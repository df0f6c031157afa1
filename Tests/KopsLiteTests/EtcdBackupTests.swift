// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import StateStore
import Testing

@testable import EtcdManager
@testable import KopsLite

/// Backups in an operator's hands, with the machines' part played by the test.
@Suite("etcd backup") struct EtcdBackupTests {
    static let cluster = "demo.example.com"
    static let now = Date(timeIntervalSince1970: 1_700_000_000)

    /// A cluster whose etcd has begun, and where it is.
    static func begun(ago age: Double = 600) async throws -> (bench: Bench, place: EtcdPlace) {
        let bench = try await Bench.withCluster()
        let place = EtcdPlace(Self.cluster, "main", in: bench.store)
        let begun = Self.now.addingTimeInterval(-age).formatted(.iso8601)
        let record = ClusterRecord(
            clusterName: Self.cluster,
            etcdCluster: "main",
            id: "0123",
            founder: "a",
            begun: begun
        )
        try await place.registers.write(record, to: .record, replacing: nil)
        let lease = LeaderLease(holder: "control-plane-local-a-1-77", token: 1, renewals: 0)
        try await place.registers.write(lease, to: .lease, replacing: nil)
        return (bench, place)
    }

    /// Writes what a machine would have uploaded.
    @discardableResult
    static func upload(
        _ place: EtcdPlace,
        _ reason: BackupReason,
        age: Double = 0,
        revision: Int64 = 123,
        release: String = "3.4.23",
        damage: BackupDamage? = nil,
        isTried: Bool = false
    ) async throws -> BackupName {
        let taken = now.addingTimeInterval(-age)
        let record = BackupRecord(
            name: BackupName(taken: taken, revision: revision),
            source: BackupSource(clusterName: cluster, etcdCluster: "main", identity: "0123", epoch: 1),
            member: "a",
            etcdRelease: release,
            reason: reason,
            taken: taken.formatted(.iso8601),
            snapshot: SnapshotFacts(
                size: 20_992,
                sha256: String(repeating: "0", count: 64),
                hash: 1,
                revision: revision,
                keys: 12,
                records: 12,
                hashKV: nil
            ),
            chunks: [],
            encryption: nil
        )
        let key = try place.backups.key(record.name, BackupStore.recordName)
        try await place.backups.store.write(try record.encoded(), to: key, when: .absent)
        guard isTried || damage != nil else { return record.name }
        let proof = BackupProof(
            tried: now,
            etcdRelease: "3.4.23",
            record: try record.digest(),
            comparedHash: true,
            damage: damage
        )
        try await place.backups.write(proof, of: record.name)
        return record.name
    }

    private static func answer(_ place: EtcdPlace) async {
        _ = try? await RequestedBackups(registers: place.registers).answer { reason in
            guard case .asked(let number) = reason else { throw CancellationError() }
            return try await upload(place, reason, revision: Int64(number))
        }
    }

    @Test("it waits for the machine that leads, and shows what was taken")
    func taken() async throws {
        var (bench, place) = try await Self.begun()
        bench.clock = TestClock { [place] number in if number == 3 { await Self.answer(place) } }
        let result = await bench.run("etcd backup demo.example.com")
        try expectGolden(result.text, "etcd-backup.txt")
    }

    @Test("two operators at once are both answered, and a restore that was commanded is not disturbed")
    func twoOperators() async throws {
        var (bench, place) = try await Self.begun()
        let command = OperatorCommand(id: "1", restore: "b", lost: [])
        try await place.registers.write(command, to: .command, replacing: nil)
        bench.clock = TestClock { [place] number in if number % 6 == 0 { await Self.answer(place) } }
        async let one = bench.run("etcd backup demo.example.com")
        async let other = bench.run("etcd backup demo.example.com")
        let results = await [one, other]
        #expect(results.map(\.code) == [0, 0], "\(results.map(\.text))")
        #expect(try await place.registers.read(.command)?.value == command)
        #expect(try await place.registers.read(.backupRequest)?.value.asked == 2)
    }

    @Test("when the time is up it says what it waited for, and the request stays")
    func timedOut() async throws {
        let (bench, place) = try await Self.begun()
        let result = await bench.run("etcd backup demo.example.com --wait 1m")
        try expectGolden(result.text, "etcd-backup-timeout.txt")
        #expect(try await place.registers.read(.backupRequest)?.value.isOpen == true)
        let status = await bench.run("etcd status demo.example.com")
        #expect(status.output.contains("a backup is asked for by request 1\n"), "\(status.text)")
    }

    @Test("why the machines cannot take one is said at once")
    func troubled() async throws {
        var (bench, place) = try await Self.begun()
        bench.clock = TestClock { [place] number in
            guard number == 1 else { return }
            _ = try? await place.registers.change(.backupRequest) { $0?.trouble = "the disk is full" }
        }
        let result = await bench.run("etcd backup demo.example.com --wait 5s")
        #expect(result.code == 1 && result.notes.contains("its last attempt: the disk is full"), "\(result.text)")
    }

    @Test("the newest backup is listed first")
    func newestFirst() async throws {
        let (bench, place) = try await Self.begun()
        for age in [1200.0, 0, 600] { try await Self.upload(place, .scheduled, age: age) }
        let result = await bench.run("etcd backups demo.example.com")
        let names = result.output.split(separator: "\n").filter { $0.hasPrefix("2023") }
        #expect(names.count == 3 && names == names.sorted(by: >), "\(result.text)")
    }

    @Test("status says when each machine was last seen, and whether the one that leads still does")
    func seen() async throws {
        let (bench, place) = try await Self.begun()
        let names = ["a", "b", "c"]
        for name in names {
            let machine = "control-plane-local-\(name)-1"
            let report = MemberReport(
                machine: machine,
                address: "10.64.0.2",
                clientURL: "https://10.64.0.2:2379",
                data: .good,
                isRunning: true
            )
            try await place.registers.write(report, to: .report(of: name), replacing: nil)
        }
        _ = try await place.registers.change(.record) { record in
            for name in names { record?.members[name] = MemberRecord(incarnation: 1, state: .voter) }
        }
        let unseen = await bench.run("etcd status demo.example.com").output
        #expect(unseen.contains("\nled by control-plane-local-a-1, which has never been seen, token 1\n"), "\(unseen)")
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube", age: 300))
        try await bench.report(.sample("control-plane-local-b-1", .converged, agent: "protokube", age: 12))
        try expectGolden(await bench.run("etcd status demo.example.com").text, "etcd-status.txt")
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube", age: 40))
        let seen = await bench.run("etcd status demo.example.com").output
        #expect(seen.contains("\nled by control-plane-local-a-1, token 1\n"), "\(seen)")
    }

    @Test("an etcd that was never begun has nothing to back up")
    func notBegun() async throws {
        let result = await (try Bench.withCluster()).run("etcd backup demo.example.com")
        #expect(result.code == 1 && result.notes.contains("has not been begun yet"), "\(result.text)")
    }

    @Test("validate shows how old the last proven backup is, and fails where that is too old or a trial failed")
    func validated() async throws {
        func backups(_ bench: Bench) async -> [String] {
            let text = await bench.run("validate cluster demo.example.com").output
            return text.split(separator: "\n").map(String.init).filter {
                $0.contains("backup") && !$0.contains("BACKUP")
            }
        }
        let young = try await Self.begun()
        #expect(await backups(young.bench) == ["main\t0 backups, none is proven"])
        let proven = try await Self.begun(ago: 1e7)
        try await Self.upload(proven.place, .scheduled, age: 7300, isTried: true)
        #expect(await backups(proven.bench) == ["main\t1 backup, the last proven is 2h old"])
        let old = try await Self.begun(ago: 1e7)
        try await Self.upload(old.place, .scheduled)
        let lines = await backups(old.bench)
        #expect(lines.contains { $0.contains("etcd main: no backup is proven, and etcd has run for 115d") })
        let bad = try await Self.begun()
        try await Self.upload(bad.place, .scheduled, damage: BackupDamage("backup-differs", "it differs"))
        #expect(await backups(bad.bench).contains { $0.contains("[backup-differs] it differs") })
        let status = await bad.bench.run("etcd status demo.example.com").output
        #expect(status.contains("cannot be restored, and none that is newer is proven"), "\(status)")
    }
}
