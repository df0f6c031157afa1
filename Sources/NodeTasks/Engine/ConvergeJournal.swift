// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// Where a run writes down what it is about to do before it does it, and what came of it.
public protocol ConvergeJournal: Sendable {
    /// A task is about to change the target; returns once this would survive a loss of power.
    ///
    /// - Parameters:
    ///   - id: The task.
    ///   - changes: All that it is about to change.
    ///   - creates: Whether its object is absent.
    /// - Throws: When it cannot be written; the task then fails and changes nothing.
    func intend(_ id: TaskID, _ changes: [Change], creates: Bool) async throws
    /// An attempt failed and another follows after a wait.
    func waiting(_ id: TaskID, because failure: Failure) async
    /// A task ended; not called for one that is not reached.
    func ended(_ record: TaskRecord) async
}
