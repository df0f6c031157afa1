// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Testing

@testable import EtcdManager

/// What one machine does for its member, look by look.
@Suite struct EtcdAgentTests {
    private func refusal(_ body: () async throws -> Void) async -> Failure? {
        do {
            try await body()
            return nil
        } catch {
            return error as? Failure
        }
    }

    @Test(arguments: [
        ("3.5.21", "3.5.21", "3.4.23", "older"), ("3.4.23", "3.4.23", "3.6.4", "skips 3.5"),
        // Whoever is alone may be further than the record tells.
        ("3.5.21", "3.4.23", "3.4.23", "older"), ("3.5.21", "3.4.23", "3.7.0", "skips 3.6"),
        // What the volume says counts where the record does not tell.
        ("3.5.21", nil, "3.4.23", "older"), ("3.4.23", nil, "3.6.4", "skips 3.5"),
        ("3.5.21", "3.5.21", "4.0.0", "skips"),
        // What early patches of 3.5 left behind is no good for 3.6.
        ("3.5.25", "3.5.25", "3.6.4", "before etcd 3.6.4 every member must run 3.5.26 or later"),
        ("3.5.16", "3.5.30", "3.6.4", "there is data of 3.5.16"), ("3.5.16", nil, "3.6.4", "data of 3.5.16"),
    ]) func aReleaseThatTheDataCannotBeGivenToIsRefused(
        data: String,
        cluster: String?,
        declared: String,
        reason: String
    ) async throws {
        for process in [LocalSight.Process.running(isCurrent: false), .stopped] {
            let scene = try await AgentScene(data: data, cluster: cluster, process: process)
            for _ in 0..<3 {
                let failure = await refusal { try await scene.tick(declared) }
                #expect(failure?.code == "etcd-version-refused" && failure?.kind == .permanent)
                #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
                #expect(failure?.hint?.contains("restore") == true)
            }
            #expect(scene.acts.isEmpty && scene.isRunning == (process != .stopped))
            // Put right, it goes on.
            try await scene.tick(data)
            #expect(scene.isRunning && scene.acts.contains("start \(data)"))
        }
    }

    /// Neither back, nor further.
    @Test(arguments: [("3.4.23", "older"), ("3.6.4", "skips 3.5")])
    func whereHalfOfTheClusterIsUpgradedItIsToBeWhole(declared: String, reason: String) async throws {
        let scene = try await AgentScene(["a", "b", "c"], data: "3.5.21", cluster: "3.4.23", process: .stopped)
        let failure = await refusal { try await scene.tick(declared, ["a", "b", "c"]) }
        #expect(failure?.code == "etcd-version-refused" && failure?.message.contains(reason) == true)
        #expect(!scene.isRunning)
    }

    /// It was upgraded while the store could not be asked, and so the record is behind.
    @Test func whoeverIsAloneGoesOnFromItsOwnData() async throws {
        let scene = try await AgentScene(data: "3.5.26", cluster: "3.4.23", process: .stopped)
        try await scene.tick("3.6.4")
        #expect(scene.isRunning)
    }

    @Test(arguments: [("3.4.23", "3.4.23"), ("3.4.23", "3.4.1"), ("3.4.23", "3.5.21"), ("3.5.26", "3.6.4")])
    func theSameMinorAndTheNextAreRunAndNotedFirst(data: String, declared: String) async throws {
        let scene = try await AgentScene(data: data, cluster: data, process: .stopped)
        try await scene.tick(declared)
        #expect(scene.acts.last == "start \(declared)" || scene.acts.contains("start \(declared)"))
        if data != declared { #expect(scene.acts.prefix(2) == ["note", "start \(declared)"]) }
        #expect(scene.note?.releases?.newest == declared && scene.note?.releases?.oldest == data)
    }

    /// Or nobody could go back to what is installed, which never came to run.
    @Test(arguments: [true, false])
    func withoutAProgramTheVolumeIsNotGivenToARelease(hasStore: Bool) async throws {
        let scene = try await AgentScene(data: "3.4.23", cluster: "3.4.23", process: .stopped)
        scene.lackProgram()
        if !hasStore { scene.loseStore() }
        let failure = await refusal { try await scene.tick("3.5.21") }
        #expect(failure?.code == "etcd-version-differs")
        #expect(scene.acts.isEmpty && scene.note?.releases == ReleaseRange("3.4.23"))
    }

    @Test func aReleaseIsRefusedFromTheVolumeAloneToo() async throws {
        for (data, declared, isRun) in [
            ("3.5.26", "3.4.23", false), ("3.5.26", "3.5.22", true), ("3.5.26", "3.6.4", true),
            ("3.5.26", "3.7.0", false), ("3.5.21", "3.6.4", false),
        ] {
            let scene = try await AgentScene(data: data, cluster: data, process: .stopped)
            scene.loseStore()
            let failure = await refusal { try await scene.tick(declared) }
            #expect(scene.isRunning == isRun && (failure == nil) == isRun, "\(declared)")
        }
    }

    /// A backup may be older than what it takes the place of: that is the way back.
    @Test func aRestoreForgetsTheReleaseOfBefore() throws {
        var record = ClusterRecord(clusterName: "c", etcdCluster: "main", id: "1", founder: "a")
        record.release = "3.5.21"
        let restore = Operation.Restore(command: "1", backup: "b", lost: [])
        let begun = LeaderStep.beginAnew(restore, founder: "a").record(after: record, token: 1)
        #expect(begun?.release == nil && begun?.epoch == 2)
    }

    /// From the moment it stops for a restore, a machine that was alone asks the store before it starts again: another
    /// member may have begun anew by then.
    @Test func whoStopsForARestoreIsNotAloneAnyMore() async throws {
        let scene = try await AgentScene(data: "3.4.23", cluster: "3.4.23", process: .running(isCurrent: true))
        #expect(scene.note?.alone == true)
        let restore = Operation.Restore(command: "1", backup: "b", lost: [])
        try await scene.change { $0.operation = .restore(restore) }
        _ = await refusal { try await scene.tick("3.4.23") }
        #expect(scene.note?.alone == false && !scene.isRunning)
        #expect(scene.acts == ["note", "stop"], "the note first: it may end in between")
        #expect(try await scene.registers.read(.report(of: "a"))?.value.stoppedFor == "1")
        scene.loseStore()
        let failure = await refusal { try await scene.tick("3.4.23") }
        #expect(failure?.code == "start-unrecorded-only-alone" && !scene.isRunning)
    }

    /// The only one in the record is upgraded, and who joins has its vote already, unheard.
    @Test func whoeverIsJoinedIsNotAloneAnyMore() async throws {
        let scene = try await AgentScene(data: "3.5.21", cluster: "3.4.23", process: .stopped)
        try await scene.change { record in
            record.members["b"] = MemberRecord(incarnation: 2, state: .joining, etcdID: 2)
            record.operation = .join(member: "b")
        }
        let failure = await refusal { try await scene.tick("3.6.4", ["a", "b"]) }
        #expect(failure?.code == "etcd-version-refused" && failure?.message.contains("skips 3.5") == true)
        #expect(!scene.isRunning)
    }

    @Test func aLostMajorityIsNamedWithTheRemedy() async throws {
        let scene = try await AgentScene(["a", "b", "c"], data: nil, cluster: "3.5.21", process: .stopped)
        scene.loseData()
        let spec = ["a", "b", "c"]
        #expect(await refusal { try await scene.tick("3.5.21", spec) } == nil, "one of three is replaced")
        try await scene.report(.lost, of: "b")
        let failure = await refusal { try await scene.tick("3.5.21", spec) }
        #expect(failure?.code == "etcd-data-missing" && failure?.message.contains("2 of 3 members") == true)
        #expect(failure?.hint?.contains("--lost a,b") == true)
    }

    /// An older volume of the same member says nothing of it, and its etcd does not run.
    @Test func aVolumeThatWasReplacedStaysOut() async throws {
        let scene = try await AgentScene(
            ["a", "b", "c"],
            data: "3.5.21",
            cluster: "3.5.21",
            process: .running(isCurrent: true)
        )
        try await scene.report(.good, of: "a")
        let before = try await scene.registers.read(.report(of: "a"))
        try await scene.change { $0.members["a"]?.incarnation = 4 }
        let failure = await refusal { try await scene.tick("3.5.21", ["a", "b", "c"]) }
        #expect(failure?.code == "etcd-volume-replaced" && failure?.hint != nil)
        #expect(try await scene.registers.read(.report(of: "a")) == before)
        #expect(!scene.isRunning)
    }

    @Test func onlyTheChosenMachineMakesItselfReadyToJoin() async throws {
        let scene = try await AgentScene(["a", "b", "c"], data: "3.5.21", cluster: "3.5.21", process: .stopped)
        try await scene.change { record in
            record.members["a"] = MemberRecord(incarnation: 4, state: .joining, etcdID: 4, machine: "another")
            record.operation = .join(member: "a")
        }
        try await scene.tick("3.5.21", ["a", "b", "c"])
        #expect(scene.acts.isEmpty)
        try await scene.change { $0.members["a"]?.machine = "m" }
        try await scene.tick("3.5.21", ["a", "b", "c"])
        #expect(scene.acts.first == "set aside replaced" && scene.isRunning)
    }

    /// It was written by another release of this program, or by hand.
    @Test func aReportThatCannotBeUnderstoodIsWrittenAnew() async throws {
        let scene = try await AgentScene(data: "3.5.21", cluster: "3.5.21", process: .stopped)
        for member in ["a", "b"] { try await scene.damageReport(of: member) }
        try await scene.tick("3.5.21", ["a", "b"])
        #expect(scene.isRunning)
        #expect(try await scene.registers.read(.report(of: "a"))?.value.data == .good)
    }
}
