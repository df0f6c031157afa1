// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Logging
import NodeOS
import SystemPackage

/// Runs a pipeline, and lets the service manager, the machine and the store hear of it.
struct ReportedRun: Sendable {
    let node: any NodeWriter
    let clusterState: ClusterState
    let clock: any Clock<Duration>
    let log: Logger
    /// What the steps are for, in reports.
    var subject = "control plane"
    /// The report on the machine itself.
    var journal = StatusPublisher.journal
    /// Wakes the pipeline.
    var alarm: Alarm?
    /// What steps have done beside it.
    var sideline = Sideline()

    /// Runs until the surrounding task is cancelled, or with `once` until everything is true or something failed.
    func run(
        once: Bool,
        _ steps: (Reporter) async throws -> [any Step]
    ) async throws -> Pipeline.Ending {
        let publisher = StatusPublisher(node: node, state: clusterState, journal: journal)
        let reporter = Reporter(
            boot: clusterState.boot,
            subject: subject,
            serviceManager: Notifier(),
            log: log,
            now: { Date() },
            publish: { publisher.publish($0) }
        )
        // It ends with this function.
        async let _ = sideline.run()
        let pipeline = Pipeline(steps: try await steps(reporter), clock: clock, report: reporter, alarm: alarm)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await publisher.run() }
            let outcome = await Self.outcome { try await once ? pipeline.runOnce() : pipeline.run() }
            await reporter.stopping()
            // With the last status written, unless a signal ended everything.
            publisher.finish()
            try await group.waitForAll()
            return try outcome.get()
        }
    }

    private static func outcome(_ body: () async throws -> Pipeline.Ending) async -> Result<Pipeline.Ending, any Error>
    {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}

extension Notifier: Reporter.ServiceManager {}
