// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// One thing protokube makes true and keeps true.
///
/// Every step may run again at any time and then does nothing.
protocol Step: Sendable {
    /// The name in reports, such as `etcd`.
    var name: String { get }
    /// What a person reads while it is not true yet, such as `waiting for API server`.
    var activity: String { get }
    /// How long it may take until its failure counts as one; it is tried on, slowly, after that.
    var patience: Duration { get }
    /// How often it is made true again once it is.
    var cadence: Duration { get }
    /// Whether the steps after it need it. What is not essential is reported and holds nothing up.
    var isEssential: Bool { get }

    /// How long until the next look while it waits; `nil` for as long as usual.
    func poll(after failure: Failure) -> Duration?
    /// Whether something that has happened to the machine's devices is a reason to look at it now.
    func concerns(_ event: DeviceEvent, isTrue: Bool) -> Bool

    /// Makes it true, or says why not.
    ///
    /// - Throws: ``Failure``, ``OutdatedSteps``.
    func converge(_ observer: any StepObserver) async throws
}

extension Step {
    var isEssential: Bool { true }
    func poll(after failure: Failure) -> Duration? { nil }
    func concerns(_ event: DeviceEvent, isTrue: Bool) -> Bool { false }
}

/// A step found that other steps are to be taken than those of its pipeline, which ends then.
struct OutdatedSteps: Error {}

/// Hears what a step is at, so that a watchdog can tell work from a standstill.
protocol StepObserver: Sendable {
    /// The step goes on; an empty text leaves the activity as it is.
    func progress(_ activity: String) async
    /// A part of the step begins or ends, for the waterfall.
    func partBegan(_ name: String) async
    /// The end of the part that began last under this name.
    func partEnded(_ name: String) async
}

extension Failure {
    /// Any error as the agents speak of failures.
    init(_ error: any Error, during step: String) {
        self = error as? Failure ?? Failure(.transient, code: "\(step)-failed", "\(step) failed", cause: error)
    }
}
