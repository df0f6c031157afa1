// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// Applies add-ons in order, so that the cluster holds what they declare.
///
/// - Source: "Server-Side Apply" in Kubernetes' documentation.
/// - Differs: kops applies a channel's manifests with `kubectl apply` and stops at the first that fails.
public struct AddonApplier: Sendable {
    /// How hard a pass tries.
    public struct Patience: Sendable, Equatable {
        /// The wait after the first transient error; doubles with each.
        public var first: Duration
        /// The longest wait between two tries.
        public var longest: Duration
        /// How long a whole pass may spend on transient errors; after that every object gets one try.
        public var total: Duration

        /// Makes a patience from its parts.
        public init(
            first: Duration = .milliseconds(250),
            longest: Duration = .seconds(8),
            total: Duration = .seconds(60)
        ) {
            self.first = first
            self.longest = longest
            self.total = total
        }
    }

    private let target: any AddonTarget
    private let clock: any Clock<Duration>
    private let patience: Patience

    /// Makes an applier.
    public init(target: any AddonTarget, clock: any Clock<Duration>, patience: Patience = Patience()) {
        self.target = target
        self.clock = clock
        self.patience = patience
    }

    /// Applies all add-ons; one that fails does not keep the next from being applied.
    ///
    /// - Parameters:
    ///   - addons: In the order they are applied.
    ///   - began: Called before each add-on.
    ///   - progress: Called before each request, with `<add-on>: <kind> <name>`.
    ///   - ended: Called with each result.
    /// - Returns: One result for each add-on, in order.
    /// - Throws: `CancellationError` only.
    @discardableResult
    public func apply(
        _ addons: [Addon],
        began: @Sendable (Addon) async -> Void = { _ in },
        progress: @Sendable (String) async -> Void = { _ in },
        ended: @Sendable (AddonResult) async -> Void = { _ in }
    ) async throws -> [AddonResult] {
        var results: [AddonResult] = []
        var budget = patience.total
        for addon in addons {
            await began(addon)
            let result = try await apply(addon, budget: &budget, progress: progress)
            results.append(result)
            await ended(result)
        }
        return results
    }

    private func apply(
        _ addon: Addon,
        budget: inout Duration,
        progress: @Sendable (String) async -> Void
    ) async throws -> AddonResult {
        var changed = 0
        var failure: (reason: String, retryable: Bool)?
        for object in addon.orderedObjects {
            let name = Self.name(of: object)
            do {
                if try await apply(object, budget: &budget, progress: { await progress("\(addon.name): \(name)") }) {
                    changed += 1
                }
            } catch let error as AddonError {
                failure = failure ?? ("\(name): \(error)", error.isTransient)
            }
        }
        if let failure {
            return AddonResult(name: addon.name, outcome: .failed(reason: failure.reason, retryable: failure.retryable))
        }
        return AddonResult(name: addon.name, outcome: changed == 0 ? .unchanged : .applied(changed: changed))
    }

    /// Whether the object changed.
    private func apply(
        _ object: JSONValue,
        budget: inout Duration,
        progress: @Sendable () async -> Void
    ) async throws -> Bool {
        var delay = patience.first
        while true {
            await progress()
            do {
                return try await target.apply(object)
            } catch let error as AddonError {
                try Task.checkCancellation()
                guard error.isTransient, budget > .zero else { throw error }
            }
            let wait = min(delay, budget)
            try await clock.sleep(for: wait)
            budget -= wait
            delay = min(delay * 2, patience.longest)
        }
    }

    private static func name(of object: JSONValue) -> String {
        let kind = object["kind"]?.string ?? "object"
        let name = object["metadata"]?["name"]?.string ?? "without a name"
        return object["metadata"]?["namespace"]?.string.map { "\(kind) \($0)/\(name)" } ?? "\(kind) \(name)"
    }
}
