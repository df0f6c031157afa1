// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Glibc
import KopsModel
import NodeOS
import SystemPackage
import Testing

@testable import Protokube

/// `protokube etcd run` as people run it.
@Suite(.enabled(if: MachineCluster.isEnabled, "\(MachineCluster.remedy)"), .timeLimit(.minutes(10)))
struct MachineClusterTests {
    static let three = ["a", "b", "c"]

    @Test func threeMachinesFormAClusterAndAnEmptiedOneComesBack() async throws {
        try await MachineCluster.run { cluster in
            try await cluster.declare(Self.three, on: Self.three)
            for name in Self.three { try await cluster.start(name) }
            try await cluster.untilMembers(Self.three)
            _ = try await cluster.gateway.put(Array("k".utf8), Array("v".utf8), at: cluster.clientURL("a"))
            let before = try #require(try await cluster.registers.read(.record)?.value.members["c"]?.incarnation)

            try await cluster.kill("c")
            try await LiveNode().remove(cluster.volume("c"))
            try await cluster.start("c")
            try await cluster.until("another c") {
                try await $0.registers.read(.record)?.value.members["c"]?.incarnation != before
            }
            try await cluster.untilMembers(Self.three)
            #expect(try await cluster.value(of: "k", on: "c") == "v")
        }
    }

    /// Its own program learns of the death at once, and starts it on the same data.
    @Test func anEtcdThatIsKilledRunsAgain() async throws {
        try await MachineCluster.run { cluster in
            try await cluster.declare(["a"], on: ["a"])
            try await cluster.start("a")
            try await cluster.untilMembers(["a"])
            _ = try await cluster.gateway.put(Array("k".utf8), Array("v".utf8), at: cluster.clientURL("a"))
            let pid = try #require(await cluster.etcd("a"))
            Glibc.kill(pid, SIGKILL)
            try await cluster.until("another etcd") { await $0.etcd("a").map { $0 != pid } == true }
            try await cluster.untilMembers(["a"])
            #expect(try await cluster.value(of: "k", on: "a") == "v")
            await cluster.stop("a")
            #expect(await cluster.etcd("a") == nil, "a child ends with its program")
        }
    }

    @Test func theClusterFollowsItsFiles() async throws {
        try await MachineCluster.run { cluster in
            let five = ["a", "b", "c", "d", "e"]
            try await cluster.declare(["a"], on: five)
            for name in five { try await cluster.start(name) }
            for members in [["a"], Self.three, five, ["a", "d", "e"]] {
                try await cluster.declare(members, on: five)
                try await cluster.untilMembers(members)
            }
            for name in ["b", "c"] {
                try await cluster.until("etcd of \(name), which is out, to end") { await $0.etcd(name) == nil }
            }
        }
    }

    @Test func anUpgradeGoesByTheFilesAndBackDoesNot() async throws {
        try await MachineCluster.run { cluster in
            try await cluster.declare(["a"], on: ["a"], minor: 4)
            try await cluster.start("a")
            try await cluster.untilMembers(["a"], minor: 4)
            try await cluster.declare(["a"], on: ["a"], minor: 5)
            try await cluster.untilMembers(["a"], minor: 5)
            try await cluster.until("the new release to be noted") { cluster in
                try await cluster.release(notedOn: "a")?.oldest.hasPrefix("3.5.") == true
            }
            await cluster.stop("a")
            try await cluster.declare(["a"], on: ["a"], minor: 4)
            #expect(try await !cluster.once("a"))
            #expect(cluster.log("a").contains("[etcd-version-refused]"), "\(cluster.log("a").suffix(500))")
            #expect(cluster.log("a").contains("etcd 3.4 is older than 3.5, which the data is of"))
        }
    }

    /// As is documented: by declaring the older release, and restoring a backup that it has taken.
    @Test func theWayBackIsABackupOfTheOlderRelease() async throws {
        try await MachineCluster.run { cluster in
            try await cluster.declareInstalled(minor: 4)
            try await cluster.start("a")
            try await cluster.untilMembers(["a"], minor: 4)
            _ = try await cluster.gateway.put(Array("k".utf8), Array("old".utf8), at: cluster.clientURL("a"))
            let backup = try await cluster.backUp()
            try await cluster.declareInstalled(minor: 5)
            try await cluster.untilMembers(["a"], minor: 5)
            _ = try await cluster.gateway.put(Array("k".utf8), Array("new".utf8), at: cluster.clientURL("a"))

            try await cluster.declareInstalled(minor: 4)
            try await cluster.until("the refusal") { $0.log("a").contains("[etcd-version-refused]") }
            #expect(try await cluster.value(of: "k", on: "a") == "new", "it runs on")
            let command = OperatorCommand(id: "back", restore: backup.description, lost: [])
            try await cluster.registers.write(command, to: .command, replacing: nil)
            try await cluster.untilMembers(["a"], minor: 4)
            #expect(try await cluster.value(of: "k", on: "a") == "old")
        }
    }

    @Test func whatAPackageManagerInstallsDoesNotReachTheData() async throws {
        try await MachineCluster.run { cluster in
            try await cluster.declareInstalled(minor: 4)
            try await cluster.start("a")
            try await cluster.untilMembers(["a"], minor: 4)
            let pid = try #require(await cluster.etcd("a"))

            try await cluster.install(minor: 5)
            try await cluster.until("the other release to be told of") { cluster in
                cluster.log("a").contains("[etcd-version-differs]")
            }
            #expect(await cluster.etcd("a") == pid, "it runs on")
            Glibc.kill(pid, SIGKILL)
            try await cluster.until("its end") { await $0.etcd("a") == nil }
            await cluster.stop("a")
            #expect(try await cluster.release(notedOn: "a")?.newest.hasPrefix("3.4.") == true)
            try await cluster.declareInstalled(minor: 5)
            try await cluster.start("a")
            try await cluster.untilMembers(["a"], minor: 5)
        }
    }

    @Test func dataOfAnotherClusterOrMemberIsRefused() async throws {
        try await MachineCluster.run { cluster in
            try await cluster.declare(["a"], on: ["a"])
            #expect(try await cluster.once("a"), "\(cluster.log("a").suffix(2000))")
            var other = try cluster.machine("a", of: ["a"])
            other.cluster = "other.example.com"
            try await cluster.write(other)
            #expect(try await !cluster.once("a"))
            #expect(cluster.log("a").contains("the data on the volume is of db.example.com (main); write that"))
            #expect(cluster.log("a").contains("[etcd-config-invalid]"))
            var moved = try cluster.machine("b", of: ["b"])
            moved.volume.directory = cluster.volume("a").string
            try await cluster.write(moved)
            #expect(try await !cluster.once("b"))
            #expect(cluster.log("b").contains("the data on the volume is of member a"))
            try await cluster.declare(["a"], on: ["a"])
            #expect(try await cluster.once("a"), "nothing was changed by it")
        }
    }
}
