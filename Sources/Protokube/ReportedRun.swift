// SPDX-License-Identifier: Apache-2.0
import EtcdManager
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
    /// Tells of what happens to devices.
    var devices: any DeviceEvents = KernelDeviceEvents(directory: AnnouncementFile.path.removingLastComponent())
    /// Wakes the pipeline.
    var doorbell = Doorbell()
    /// What steps have done beside it.
    let sideline = Sideline()

    /// Runs until the surrounding task is cancelled, or with `once` until everything is true or something failed.
    func run(
        once: Bool,
        _ steps: (Reporter) async throws -> [any Step]
    ) async throws -> Pipeline.Ending {
        let notifier = Notifier()
        let publisher = StatusPublisher(node: node, state: clusterState, journal: journal)
        let reporter = Reporter(
            boot: clusterState.boot,
            subject: subject,
            serviceManager: notifier,
            log: log,
            now: { Date() },
            publish: { publisher.publish($0) }
        )
        // Both end with this function.
        async let _ = sideline.run()
        let events = deviceEvents()
        async let _ = doorbell.ring(at: events)
        let pipeline = Pipeline(
            steps: try await steps(reporter),
            clock: clock,
            report: reporter,
            doorbell: doorbell,
            watchdog: notifier.watchdogInterval
        )
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

    /// What happens to devices from now on; nothing where the machine cannot tell, for then volumes are looked for in turns.
    private func deviceEvents() -> AsyncStream<DeviceEvent> {
        do {
            return try devices.events()
        } catch {
            log.warning("volumes are looked for every few seconds, for no events of devices can be heard: \(error)")
            return AsyncStream { $0.finish() }
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
