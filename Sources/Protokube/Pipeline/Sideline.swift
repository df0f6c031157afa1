// SPDX-License-Identifier: Apache-2.0

/// Does what takes long beside the pipeline, one thing after the other: a pipeline that waited would hold up its other steps,
/// and a watchdog would hear nothing of it.
final class Sideline: Sendable {
    private let queue: AsyncStream<@Sendable () async -> Void>
    private let entrance: AsyncStream<@Sendable () async -> Void>.Continuation

    init() { (queue, entrance) = AsyncStream.makeStream() }

    /// Has something done, after what was added before.
    func add(_ work: @escaping @Sendable () async -> Void) { entrance.yield(work) }

    /// Does what is added, until the task is cancelled.
    func run() async {
        for await work in queue { await work() }
    }
}
