// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import Logging
import NodeOS
import NodeTesting
import StateStore
import Synchronization

@testable import Protokube

/// A step that does what a closure says of its n-th look, counted from 1, and notes when it was looked at.
final class ScriptedStep: Step {
    let name: String
    let activity: String
    let patience: Duration
    let cadence: Duration
    let isEssential: Bool
    private let clock: SimulatedClock
    private let script: @Sendable (Int, Duration) throws -> Void
    private let looks = Mutex<[Duration]>([])

    init(
        _ name: String,
        clock: SimulatedClock,
        patience: Duration = .seconds(60),
        cadence: Duration = .seconds(30),
        isEssential: Bool = true,
        _ script: @escaping @Sendable (_ look: Int, _ now: Duration) throws -> Void = { _, _ in }
    ) {
        self.name = name
        self.activity = "waiting for \(name)"
        self.patience = patience
        self.cadence = cadence
        self.isEssential = isEssential
        self.clock = clock
        self.script = script
    }

    /// When it was looked at.
    var times: [Duration] { looks.withLock { $0 } }

    func converge(_ observer: any StepObserver) async throws {
        let count = looks.withLock { times in
            times.append(clock.now.offset)
            return times.count
        }
        try script(count, clock.now.offset)
    }
}

/// Keeps what protokube tells the service manager.
final class Heard: Reporter.ServiceManager {
    private let words = Mutex<[String]>([])
    var all: [String] { words.withLock { $0 } }
    func ready(_ status: String) { words.withLock { $0.append("READY") } }
    func status(_ text: String) { words.withLock { $0.append("STATUS \(text)") } }
    func alive() { words.withLock { $0.append("WATCHDOG") } }
    func stopping() { words.withLock { $0.append("STOPPING") } }
}

/// A pipeline on a simulated clock with everything it says.
struct Bench: Sendable {
    static let boot = BootConfig(
        store: "memory://",
        clusterName: "demo.example.com",
        instanceGroup: "control-plane-a",
        instance: "cp-1",
        address: "10.3.0.2"
    )

    let clock: SimulatedClock
    let heard = Heard()
    private let kept: Kept

    final class Kept: Sendable {
        let statuses = Mutex<[AgentStatus]>([])
    }

    init(clock: SimulatedClock = SimulatedClock()) {
        self.clock = clock
        kept = Kept()
    }

    var statuses: [AgentStatus] { kept.statuses.withLock { $0 } }

    func reporter() -> Reporter {
        Reporter(
            boot: Self.boot,
            serviceManager: heard,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            now: { [clock] in Date(timeIntervalSince1970: clock.now.offset / .seconds(1)) },
            publish: { [kept] status in kept.statuses.withLock { $0.append(status) } }
        )
    }

    func pipeline(_ steps: [any Step]) -> Pipeline {
        Pipeline(steps: steps, clock: clock, report: reporter())
    }

    /// Runs until a moment of the simulated time.
    func run(_ steps: [any Step], for duration: Duration) async {
        struct Over: Error {}
        let end = ScriptedStep("end", clock: clock, cadence: .seconds(1), isEssential: false) { _, now in
            if now >= duration { throw CancellationError() }
        }
        _ = try? await pipeline([end] + steps).run()
    }
}
