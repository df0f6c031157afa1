// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// Writes the newest report to the state store, beside the run.
///
/// A store that hangs delays reports and nothing else: while one write is under way only the newest report is kept for
/// the next, and the run's end waits for the last one no longer than ``patience``.
struct StatusPublisher: Sendable {
    /// How long the run's end waits for its last report.
    ///
    /// It is time enough to lose a connection, which takes 5 s, and to try again. The machine's own journal file has the
    /// report anyway.
    static let patience = Duration.seconds(10)

    private let store: any StateStore
    private let key: StoreKey
    private let inbox: AsyncStream<[UInt8]>
    private let mailbox: AsyncStream<[UInt8]>.Continuation

    /// Makes one for the reports of a machine's nodeup.
    init(of boot: BootConfig, to store: any StateStore) throws {
        self.store = store
        key = try ClusterLayout(clusterName: boot.clusterName).status(of: "nodeup", on: boot.instance)
        (inbox, mailbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a report to write; never waits.
    func publish(_ report: [UInt8]) { mailbox.yield(report) }

    /// Writes what a run publishes until it is over, then lets the last report arrive; for one run.
    func accompany<Value: Sendable>(
        on clock: any Clock<Duration>,
        _ run: () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await write() }
            // Whatever ends the run, its last report is worth the wait.
            defer { group.cancelAll() }
            let outcome = await Self.outcome(run)
            mailbox.finish()
            group.addTask { try? await clock.sleep(for: Self.patience) }
            _ = try await group.next()
            return try outcome.get()
        }
    }

    /// A report that cannot be written must not stop the machine from becoming a node.
    private func write() async {
        // What the mailbox holds comes out of it even after the end.
        for await report in inbox where !Task.isCancelled {
            _ = try? await store.write(report, to: key, when: .always)
        }
    }

    private static func outcome<Value>(_ run: () async throws -> Value) async -> Result<Value, any Error> {
        do {
            return .success(try await run())
        } catch {
            return .failure(error)
        }
    }
}
