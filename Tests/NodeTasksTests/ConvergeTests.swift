// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTasks
import NodeTesting
import Testing

/// What a run does with failures, lanes and time.
struct ConvergeTests {
    private func run(
        _ stubs: [StubTask],
        width: Int = 4,
        ledger: Ledger = Ledger(),
        clock: SimulatedClock = SimulatedClock(),
        observer: (any ConvergeObserver)? = nil
    ) async throws -> ConvergeReport {
        let options = ConvergeOptions(width: width, clock: clock, random: Seeded(7), now: { fixedNow })
        return try await StubGraph(stubs: stubs).converge(
            on: ledger,
            reader: ledger,
            options: options,
            observer: observer
        )
    }

    @Test func permanentFailureStopsItsBranchOnly() async throws {
        let ledger = Ledger()
        ledger.fail("b", with: [Failure(.permanent, code: "broken", "do b", hint: "mend it")])
        let report = try await run(
            [
                StubTask(id: "a"), StubTask(id: "b", after: ["a"]), StubTask(id: "c", after: ["b"]),
                StubTask(id: "d", after: ["c", "e"]), StubTask(id: "e"),
            ],
            ledger: ledger
        )
        #expect(report.failed && report.rootFailures.map(\.id) == ["b"])
        #expect(report.summary == "5 tasks: 0 converged, 2 changed, 1 failed, 2 not reached")
        #expect(Set(ledger.order) == ["a", "e"])
        try Golden.check(report.text, "report-failed.txt")
        try Golden.check(report.json(), "report-failed.json")
    }

    @Test("an unreached task is blamed on the first failure in order, whichever came first", arguments: [1, 4])
    func blamesTheFirst(width: Int) async throws {
        let ledger = Ledger()
        for id in ["a", "b"] as [TaskID] { ledger.fail(id, with: [Failure(.permanent, code: "broken", "")]) }
        let report = try await run(
            [StubTask(id: "a"), StubTask(id: "b"), StubTask(id: "c", after: ["b", "a"])],
            width: width,
            ledger: ledger
        )
        guard case .notReached(because: let cause)? = report.tasks.last?.outcome else {
            Issue.record("\(report.text)")
            return
        }
        #expect(cause == "a")
    }

    @Test func transientFailureIsRetriedWithGrowingWaits() async throws {
        let (ledger, clock) = (Ledger(), SimulatedClock())
        ledger.fail("a", with: (0..<8).map { _ in Failure(.transient, code: "busy", "do a") })
        let report = try await run([StubTask(id: "a")], ledger: ledger, clock: clock)
        #expect(!report.failed && report.tasks.first?.attempts == 9)
        let full = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].map { Duration.milliseconds($0) }
        #expect(clock.sleeps.count == full.count)
        for (slept, full) in zip(clock.sleeps, full) { #expect(slept <= full && slept >= full / 2) }
    }

    @Test("nothing is tried for ever", arguments: [Failure.Class.transient, .waiting])
    func endsInTheEnd(kind: Failure.Class) async throws {
        let (ledger, clock) = (Ledger(), SimulatedClock())
        ledger.fail("a", with: (0..<1000).map { _ in Failure(kind, code: "busy", "do a") })
        let report = try await run([StubTask(id: "a"), StubTask(id: "b", after: ["a"])], ledger: ledger, clock: clock)
        #expect(report.tasks.first?.failure?.code == "busy")
        #expect(report.tasks.first?.failure?.message.contains("given up after") == true)
        #expect(clock.now.offset <= .seconds(600))
        #expect(kind == .waiting ? clock.now.offset == .seconds(600) : report.tasks.first?.attempts == 10)
    }

    @Test func whatDoesNotConvergeFails() async throws {
        let report = try await run([StubTask(id: "a", isStubborn: true)])
        let failure = try #require(report.rootFailures.first?.failure)
        #expect(failure.code == "did-not-converge" && failure.message.contains("+ done  a"))
    }

    @Test func widthAndLanesBoundWhatRuns() async throws {
        let ledger = Ledger()
        let kinds = (0..<12).map { StubTask(id: TaskID("t\($0)")) }
        let report = try await run(kinds, width: 3, ledger: ledger)
        #expect(!report.failed && (1...3).contains(ledger.peak("all")))
    }

    @Test func readyTasksOfALaneAreOneEffect() async throws {
        let ledger = Ledger()
        let report = try await run(
            [
                StubTask(id: "a", lane: "p"), StubTask(id: "b", lane: "p"), StubTask(id: "c", after: ["a"], lane: "p"),
                StubTask(id: "x"),
            ],
            ledger: ledger
        )
        #expect(!report.failed && ledger.peak("p") == 1)
        #expect(Set(ledger.applied) == ["a,b", "c", "x"])
    }

    @Test func oneBadTaskDoesNotSpoilTheBatch() async throws {
        let ledger = Ledger()
        let broken = Failure(.permanent, code: "broken", "do b")
        ledger.fail("b", with: [broken, broken])
        let report = try await run(["a", "b", "c"].map { StubTask(id: $0, lane: "p") }, ledger: ledger)
        #expect(report.rootFailures.map(\.id) == ["b"] && Set(ledger.order) == ["a", "c"])
        #expect(ledger.applied == ["a,b,c", "a", "b", "c"])
    }

    @Test func packagesAreOneTransaction() async throws {
        var machine = FakeMachine()
        machine.repository = ["a": "1", "b": "2", "c": "3"]
        machine.packages["b"] = PackageStatus(version: "2")
        let node = FakeNode(machine)
        let report = try await NodeTaskGraph(["a", "b", "c"].map { PackageTask($0) })
            .converge(on: node, reader: node)
        #expect(await node.effects == ["installPackages a,c"])
        #expect(report.tasks.map(\.changed) == [true, false, true])
    }

    @Test func aPinOnAHeldPackageHoldsItAgain() async throws {
        var machine = FakeMachine()
        machine.packages["a"] = PackageStatus(version: "1", held: true)
        let node = FakeNode(machine)
        _ = try await NodeTaskGraph([PackageTask("a", version: "0:2")]).converge(on: node, reader: node)
        #expect(await node.machine.packages["a"] == PackageStatus(version: "2", held: true))
        let again = try await NodeTaskGraph([PackageTask("a", hold: false)]).converge(on: node, reader: node)
        #expect(again.changedCount == 1)
        #expect(await node.effects == ["installPackages a", "releasePackage a"])
    }

    @Test func theObserverSeesEveryTaskOnce() async throws {
        let (ledger, observer) = (Ledger(), Witness())
        ledger.fail("a", with: [Failure(.transient, code: "busy", ""), Failure(.permanent, code: "broken", "")])
        let report = try await run(
            [StubTask(id: "a"), StubTask(id: "b", after: ["a"]), StubTask(id: "c")],
            width: 1,
            ledger: ledger,
            observer: observer
        )
        #expect(report.failed)
        #expect(
            await observer.seen == [
                "total 3", "started a", "waiting a busy", "finished a", "finished b", "started c", "finished c",
            ]
        )
    }

    private actor Witness: ConvergeObserver {
        var seen: [String] = []
        func runStarted(total: Int) { seen.append("total \(total)") }
        func taskStarted(_ id: TaskID) { seen.append("started \(id)") }
        func taskWaiting(_ id: TaskID, because failure: Failure) { seen.append("waiting \(id) \(failure.code)") }
        func taskFinished(_ record: TaskRecord) { seen.append("finished \(record.id)") }
    }
}
