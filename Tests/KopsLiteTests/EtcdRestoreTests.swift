// SPDX-License-Identifier: Apache-2.0
import Foundation
import StateStore
import Testing

@testable import EtcdManager
@testable import KopsLite

/// Restores in an operator's hands.
@Suite("etcd restore") struct EtcdRestoreTests {
    private typealias Machines = EtcdBackupTests

    /// Three members, a damaged backup, a proven one, and one that nobody has tried.
    private func begun() async throws -> (bench: Bench, place: EtcdPlace, names: [BackupName]) {
        let (bench, place) = try await Machines.begun()
        _ = try await place.registers.change(.record) { record in
            for (number, name) in ["a", "b", "c"].enumerated() {
                record?.members[name] = MemberRecord(incarnation: number + 1, state: .voter, etcdID: UInt64(number + 1))
            }
            record?.release = "3.4.23"
        }
        let names = [
            try await Machines.upload(place, .scheduled, age: 9000, isTried: true),
            try await Machines.upload(
                place,
                .scheduled,
                age: 600,
                damage: BackupDamage("backup-differs", "it differs")
            ),
            try await Machines.upload(place, .scheduled, age: 0),
        ]
        return (bench, place, names)
    }

    @Test("the newest proven backup is planned, and nothing is done without --yes")
    func planned() async throws {
        let (bench, place, _) = try await begun()
        let result = await bench.run("etcd restore demo.example.com --lost c")
        try expectGolden(result.text, "etcd-restore.txt")
        #expect(try await place.registers.read(.command) == nil)
    }

    @Test("with --yes the machines are told, once more with other words while nobody serves")
    func commanded() async throws {
        let (bench, place, names) = try await begun()
        #expect(await bench.run("etcd restore demo.example.com --yes").code == 0)
        let command = try #require(try await place.registers.read(.command)?.value)
        #expect(command.restore == names[0].description && command.lost.isEmpty)
        _ = try await place.registers.change(.record) { record in
            record?.operation = .restore(Operation.Restore(command: "1", backup: "b", lost: []))
        }
        let amended = await bench.run("etcd restore demo.example.com --lost b,c --yes --backup \(names[2])")
        #expect(amended.notes.contains("a restore of b is under way; this one would take its place"), "\(amended.text)")
        #expect(amended.notes.contains("was never tried by a restore"), "\(amended.text)")
        #expect(try await place.registers.read(.command)?.value.lost == ["b", "c"])
    }

    @Test("what cannot be restored is refused with the reason")
    func refused() async throws {
        let (bench, place, names) = try await begun()
        func note(_ line: String) async -> String {
            let result = await bench.run("etcd restore demo.example.com --yes \(line)")
            return result.code == 1 ? result.notes : "done: \(result.text)"
        }
        #expect(await note("--lost d").contains("--lost: d is none of the members a, b, c\n"))
        #expect(await note("--backup x").contains("there is no backup x; kopslite etcd backups"))
        #expect(await note("--backup \(names[1])").contains("cannot be restored: [backup-differs] it differs"))
        let newer = try await Machines.upload(place, .scheduled, age: 60, release: "3.5.30")
        #expect(await note("--backup \(newer)").contains("set the etcd cluster's version to 3.5.30 or later first"))
        _ = try await place.registers.change(.record) { $0?.release = "3.6.4" }
        #expect(await note("").contains("skips 3.5"))
        #expect(await note("--backup \(names[0])").contains("choose a backup that etcd 3.5 or 3.6 has taken"))
        #expect(await note("--etcd-cluster mian").contains("--etcd-cluster is one of main, events"))
        #expect(try await place.registers.read(.command) == nil)
    }

    @Test("a restore is given up only while members are still being stopped")
    func abandoned() async throws {
        let (bench, place, _) = try await begun()
        let line = "etcd restore demo.example.com --abandon --yes"
        #expect(await bench.run(line).notes.contains("no restore of etcd demo.example.com/main is under way"))
        var restore = Operation.Restore(command: "1", backup: "b", lost: [])
        for founder in ["a", nil] {
            restore.founder = founder
            _ = try await place.registers.change(.record) { [restore] in $0?.operation = .restore(restore) }
            let result = await bench.run(line)
            #expect((result.code == 1) == (founder != nil), "\(result.text)")
        }
        let command = try #require(try await place.registers.read(.command)?.value)
        #expect(command.restore == nil)
    }

    @Test("where the record is lost it is made anew, and every member that has reported stops first")
    func withoutRecord() async throws {
        let (bench, place, names) = try await begun()
        let layout = ClusterLayout(clusterName: Machines.cluster)
        try await bench.store.remove(layout.etcdRegister("main", Slot.record.path), when: .always)
        for line in ["status", "backup"] {
            let result = await bench.run("etcd \(line) demo.example.com")
            #expect(result.notes.contains("begin it anew from one of them: kopslite etcd restore"), "\(result.text)")
        }
        #expect(await bench.run("etcd restore demo.example.com --yes").notes.contains("start its machines first"))
        for name in ["a", "b", "c"] {
            let report = MemberReport(machine: "m", address: "1", clientURL: "u", data: .good)
            try await place.registers.write(report, to: .report(of: name), replacing: nil)
        }
        let old = OperatorCommand(id: "old", restore: "x")
        try await place.registers.write(old, to: .command, replacing: nil)
        let result = await bench.run("etcd restore demo.example.com --lost c --yes")
        #expect(result.code == 0 && result.notes.contains("made anew from their reports"), "\(result.text)")
        let record = try await place.record()
        #expect(record.id == "0123" && record.epoch > 50 && record.lastCommand == "old")
        #expect(record.voters == ["a", "b", "c"])
        guard case .restore(let restore)? = record.operation else { return #expect(Bool(false)) }
        #expect(restore.backup == names[0].description && restore.lost == ["c"] && restore.served == record.epoch)
        // Who is to stop is waited for.
        let view = MembershipView(record: record)
        #expect(!SafetyRules.all.allow(.beginAnew(restore, view: view)))
    }

    @Test("an etcd that no cluster is declared for is seen and restored all the same")
    func standalone() async throws {
        let bench = Bench()
        let place = EtcdPlace("db.example.com", "main", in: bench.store)
        let record = ClusterRecord(clusterName: "db.example.com", etcdCluster: "main", id: "0123", founder: "a")
        try await place.registers.write(record, to: .record, replacing: nil)
        #expect(await bench.run("etcd status db.example.com").code == 0)
        let other = await bench.run("etcd status d.example.com")
        #expect(other.code == 1, "\(other.text)")
    }
}
