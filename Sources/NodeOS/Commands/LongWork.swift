// SPDX-License-Identifier: Apache-2.0

/// Work that may take long and ends by itself within a limit of its own.
///
/// Whoever watches a task for signs of life hears of it, however deep in the task it begins, and can so tell that it lasts
/// from a standstill.
public enum LongWork {
    /// Hears that work begins which ends within the limit; what it returns is called at the end.
    public typealias Listener = @Sendable (_ limit: Duration) -> @Sendable () -> Void

    @TaskLocal private static var listener: Listener?

    /// Runs a body, its child tasks included, and lets a listener hear of the long work in it.
    nonisolated(nonsending) public static func heard<Value: Sendable>(
        by listener: @escaping Listener,
        _ body: nonisolated(nonsending) () async throws -> Value
    ) async rethrows -> Value {
        try await $listener.withValue(listener) { try await body() }
    }

    /// Runs work that ends within a limit, be it by a failure.
    nonisolated(nonsending) public static func within<Value: Sendable, Problem: Error>(
        _ limit: Duration,
        _ work: nonisolated(nonsending) () async throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        let ended = listener?(limit)
        defer { ended?() }
        return try await work()
    }
}
