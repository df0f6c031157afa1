// SPDX-License-Identifier: Apache-2.0
import AddonManager
import NodeOS

/// Applies the add-ons of the generation in force: at once when it changes, and every few minutes to keep them true.
struct AddonsStep: Step {
    let source: AddonSource
    let applier: AddonApplier
    let stopwatch: Stopwatch
    /// Hears which generation is followed, and why no newer one can be.
    let follows: @Sendable (Int, Failure?) async -> Void
    private let schedule = Handover<AddonSchedule>()

    let name = "addons"
    let activity = "applying add-ons"
    let patience: Duration = .seconds(300)
    /// How soon a new generation is noticed; whether anything is applied is the schedule's word.
    let cadence: Duration = .seconds(10)

    init(
        source: AddonSource,
        applier: AddonApplier,
        stopwatch: Stopwatch,
        follows: @escaping @Sendable (Int, Failure?) async -> Void
    ) {
        self.source = source
        self.applier = applier
        self.stopwatch = stopwatch
        self.follows = follows
    }

    func converge(_ observer: any StepObserver) async throws {
        let (set, storeFailure) = try await source.current()
        await follows(set.generation, storeFailure)
        // After a failure the pipeline decides when this is called again.
        var schedule = schedule.value ?? AddonSchedule(retry: .zero)
        guard schedule.isDue(at: stopwatch.elapsed(), generation: set.generation) else { return }
        let results = try await applier.apply(
            set.addons.map { Addon(name: $0.name, objects: $0.objects) },
            began: { await observer.partBegan("addons:\($0.name)") },
            progress: { await observer.progress($0) },
            ended: { if $0.succeeded { await observer.partEnded("addons:\($0.name)") } }
        )
        let failure = Self.failure(of: results)
        schedule.finished(at: stopwatch.elapsed(), generation: set.generation, succeeded: failure == nil)
        self.schedule.value = schedule
        if let failure { throw failure }
    }

    /// All failed add-ons as one failure.
    static func failure(of results: [AddonResult]) -> Failure? {
        var reasons: [String] = []
        var isRetryable = false
        for result in results {
            guard case .failed(let reason, let retryable) = result.outcome else { continue }
            reasons.append("\(result.name): \(reason)")
            isRetryable = isRetryable || retryable
        }
        guard !reasons.isEmpty else { return nil }
        return Failure(
            isRetryable ? .transient : .permanent,
            code: "addon-not-applied",
            "\(reasons.count) of \(results.count) add-ons could not be applied: \(reasons.joined(separator: "; "))",
            hint: isRetryable ? nil : "correct the add-on and publish it with `kopslite update cluster --yes`"
        )
    }
}
