// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeTasks
import NodeTesting
import StateStore
import Synchronization
import Testing

@testable import Nodeup

/// Reports on their way to a store that takes its time.
@Suite(.timeLimit(.minutes(1))) struct StatusPublisherTests {
    /// Notes each write, and answers it once it is told to.
    final class SlowStore: StateStore {
        let url = "slow://"
        private let noted = Mutex<[(key: String, text: String)]>([])
        private let gate: AsyncStream<Void>
        private let opened: AsyncStream<Void>.Continuation
        private let begun: AsyncStream<Void>
        private let begins: AsyncStream<Void>.Continuation

        init() {
            (gate, opened) = AsyncStream.makeStream()
            (begun, begins) = AsyncStream.makeStream()
        }

        var writes: [String] { noted.withLock { $0.map(\.text) } }
        var keys: Set<String> { noted.withLock { Set($0.map(\.key)) } }
        func answer() { opened.finish() }
        /// Returns once a first write is under way.
        func isBusy() async { for await _ in begun { return } }

        func read(_ key: StoreKey) -> StoredObject? { nil }
        func list(_ prefix: StoreKey) -> [StoreKey] { [] }
        func remove(_ key: StoreKey, when condition: WriteCondition) {}
        func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion {
            noted.withLock { $0.append((key.description, String(decoding: bytes, as: UTF8.self))) }
            begins.finish()
            for await _ in gate {}
            try Task.checkCancellation()
            return .digest(of: bytes)
        }
    }

    /// A clock on which time stands still; what is to happen while somebody waits happens then.
    struct Standstill: Clock {
        let meanwhile: @Sendable () -> Void
        var now: ContinuousClock.Instant { .now }
        var minimumResolution: Duration { .zero }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
            meanwhile()
            let (never, pause) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            withExtendedLifetime(pause) {}
            throw CancellationError()
        }
    }

    let store = SlowStore()

    private func publisher() throws -> StatusPublisher {
        try StatusPublisher(of: Fixture.inputs("nodes-1", "10.0.0.20").boot, to: store)
    }

    @Test func aStoreThatAnswersAfterTheRunGetsTheLastReport() async throws {
        let publisher = try publisher()
        let result = try await publisher.accompany(on: Standstill(meanwhile: store.answer)) {
            publisher.publish(Array("first".utf8))
            await store.isBusy()
            for report in ["second", "third", "last"] { publisher.publish(Array(report.utf8)) }
            return 7
        }
        #expect(result == 7)
        #expect(store.keys == ["demo.example.com/status/nodes-1/nodeup.json"])
        #expect(store.writes == ["first", "last"], "while one is under way only the newest is kept")
    }

    @Test func theLastReportOfARunThatThrowsArrives() async throws {
        struct Stop: Error {}
        let publisher = try publisher()
        await #expect(throws: Stop.self) {
            try await publisher.accompany(on: Standstill(meanwhile: store.answer)) {
                publisher.publish(Array("failed".utf8))
                throw Stop()
            }
        }
        #expect(store.writes == ["failed"])
    }

    @Test func aStoreThatNeverAnswersPutsOffNoTaskAndTheEndByItsBound() async throws {
        let fixture = try await Fixture()
        let publisher = try publisher()
        let clock = SimulatedClock()
        let reporter = StatusReporter(
            boot: fixture.inputs.boot,
            node: fixture.node,
            now: { Fixture.now },
            publish: { publisher.publish($0) }
        )
        let tasks = try NodeGraph.tasks(for: fixture.inputs)
        let report = try await publisher.accompany(on: clock) {
            await reporter.enter(.converging, "plans", inputs: fixture.inputs)
            await store.isBusy()
            let report = try await NodeTaskGraph(tasks).converge(
                on: fixture.node,
                reader: fixture.node,
                options: ConvergeOptions(clock: clock),
                observer: reporter
            )
            await reporter.end(.converged, "nothing to do", failure: nil)
            #expect(clock.now.offset == .zero, "no task waits for the store")
            return report
        }
        #expect(!report.failed && report.changedCount == 0)
        #expect(clock.now.offset == StatusPublisher.patience)
        #expect(store.writes.count == 1)
        let last = try AgentStatus(parsing: try await fixture.node.read(StatusReporter.journal))
        #expect(last.phase == .converged && last.tasksDone == tasks.count, "the machine itself knows")
    }
}
