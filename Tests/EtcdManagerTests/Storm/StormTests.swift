// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials
import NodeOS
import NodeTesting
import StateStore
import SystemPackage
import Testing

/// The manager with real etcd: it grows, is struck, loses a disk and is upgraded, under a client that writes all the while.
///
/// `ETCD_STORM_SECONDS` is how long members are struck.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"))
struct StormTests {
    static let seconds = ProcessInfo.processInfo.environment["ETCD_STORM_SECONDS"].flatMap { Int($0) } ?? 6

    @Test func nothingAcknowledgedIsLost() async throws {
        try await StormScene.run(EtcdBinaries(minor: 4)) { scene in
            try await scene.untilAsDeclared()
            try await scene.growToThree()
            try await strike(scene)
            try await loseDisk(scene, of: "c")
            scene.declared.binaries = try EtcdBinaries(minor: 5)
            try await scene.untilAsDeclared()
            try await scene.expectAllKept()
        }
    }

    @Test func itBecomesFiveAndThreeAgain() async throws {
        try await StormScene.run(EtcdBinaries(minor: 5), machines: 5) { scene in
            for count in [3, 5, 3] {
                scene.declared.members = RealEtcdCluster.names(count)
                try await scene.untilAsDeclared()
            }
            // Who is taken out ends, and keeps nobody from a quorum.
            for name in ["d", "e"] {
                while await scene.cluster.isRunning(name) { try await ContinuousClock().sleep(for: .milliseconds(200)) }
            }
            try await scene.expectAllKept()
        }
    }

    /// Declared by whomever, an older release is not run on the data, and what serves goes on.
    @Test func anOlderReleaseIsRefusedWhileItServes() async throws {
        try await StormScene.run(EtcdBinaries(minor: 5)) { scene in
            try await scene.untilAsDeclared()
            let release = scene.declared.binaries
            while try await scene.registers.read(.record)?.value.release != release.version {
                try await ContinuousClock().sleep(for: .milliseconds(200))
            }
            scene.declared.binaries = try EtcdBinaries(minor: 4)
            while !scene.events.failures.contains("etcd-version-refused") {
                try await ContinuousClock().sleep(for: .milliseconds(200))
            }
            let written = scene.writer.acknowledged.count
            while scene.writer.acknowledged.count < written + 20 {
                try await ContinuousClock().sleep(for: .milliseconds(200))
            }
            let status = try await scene.cluster.gateway.status(of: scene.cluster.endpoint("a"))
            #expect(status.version == release.version)
            // Ended by whatever it is, it does not come back as what it must not be; put right, it does.
            await scene.cluster.kill("a")
            scene.declared.binaries = release
            try await scene.untilAsDeclared()
        }
    }

    @Test func aLostMajorityComesBackFromABackupOnCommand() async throws {
        try await StormScene.run(EtcdBinaries(minor: 4)) { scene in
            try await scene.growToThree()
            let before = scene.writer.acknowledged
            let backup = try #require(try await scene.backUp())
            for member in ["b", "c"] {
                let volume = scene.cluster.directory.appending(member)
                try await LiveNode().remove(volume)
                try await LiveNode().makeDirectory(volume, attributes: FileAttributes(mode: 0o755))
                await scene.cluster.kill(member)
            }
            // Nobody decides this but a person.
            let record = try #require(try await scene.registers.read(.record)?.value)
            #expect(record.epoch == 1 && record.members.count == 3)
            let command = OperatorCommand(id: "1", restore: backup.description, lost: ["b", "c"])
            try await scene.registers.write(command, to: .command, replacing: nil)
            while try await scene.registers.read(.record)?.value.lastCommand != command.id {
                try await ContinuousClock().sleep(for: .milliseconds(200))
            }
            try await scene.untilAsDeclared()
            #expect(try await scene.registers.read(.record)?.value.epoch == 2)
            // What only one had left, and what came after the backup, is kept too.
            let last = try #require(try await scene.backups.list().max { $0.name < $1.name }?.record)
            #expect(last.reason == .before("restore \(backup)"))
            for name in ["a", "b", "c"] {
                let here = try await scene.keys(on: name)
                let missing = before.filter { !here.contains("key-\($0)") }
                #expect(missing.isEmpty, "\(missing.count) of \(before.count) are lost on \(name)")
                let status = try await scene.cluster.gateway.status(of: scene.cluster.endpoint(name))
                #expect(status.revision > SnapshotRestore.revisionBump)
            }
        }
    }

    /// Kills a member every two seconds, each second time the one that leads etcd.
    private func strike(_ scene: StormScene) async throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(Self.seconds)
        var random = Seeded(7)
        var strikes = 0
        while clock.now < end {
            strikes += 1
            var member = ["a", "b", "c"].randomElement(using: &random) ?? "a"
            if strikes.isMultiple(of: 2) { member = await leader(scene) ?? member }
            await scene.cluster.kill(member)
            try await scene.untilAsDeclared()
            try await clock.sleep(for: .seconds(2))
        }
        print("struck \(strikes) times in \(Self.seconds) s: no write for \(scene.writer.longestGap) at the longest")
    }

    private func leader(_ scene: StormScene) async -> String? {
        let endpoints = ["a", "b", "c"].map { ($0, scene.cluster.endpoint($0)) }
        let statuses = await scene.cluster.gateway.statuses(of: endpoints.map(\.1))
        return endpoints.first { statuses[$0.1].map { $0.leader == $0.memberID } == true }?.0
    }

    /// A disk is gone, and an empty one takes its place.
    private func loseDisk(_ scene: StormScene, of member: String) async throws {
        let before = try await scene.registers.read(.record)?.value.members[member]?.incarnation
        let volume = scene.cluster.directory.appending(member)
        // Under the running process: killed first, it would be back before.
        try await LiveNode().remove(volume)
        try await LiveNode().makeDirectory(volume, attributes: FileAttributes(mode: 0o755))
        await scene.cluster.kill(member)
        while try await scene.registers.read(.record)?.value.members[member]?.incarnation == before {
            try await ContinuousClock().sleep(for: .milliseconds(200))
        }
        try await scene.untilAsDeclared()
        let backups = try await scene.store.list(StormScene.layout.backups(of: "main"))
        #expect(!backups.isEmpty, "a backup is taken before a member is taken out")
    }
}
