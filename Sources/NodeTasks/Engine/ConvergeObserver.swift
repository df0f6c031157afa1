// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// Who wants to know how a run gets on, such as the status a node reports.
public protocol ConvergeObserver: Sendable {
    /// The run begins.
    func runStarted(total: Int) async
    /// A task begins.
    func taskStarted(_ id: TaskID) async
    /// An attempt failed and another follows after a wait; a failure's class says what is waited for.
    func taskWaiting(_ id: TaskID, because failure: Failure) async
    /// A task ended, or will not be reached. Called once for each task; for a task that is not reached, `because` names
    /// the failure known at this moment, the report names the first in order.
    func taskFinished(_ record: TaskRecord) async
}

extension ConvergeObserver {
    /// Ignores it.
    public func runStarted(total: Int) async {}
    /// Ignores it.
    public func taskStarted(_ id: TaskID) async {}
    /// Ignores it.
    public func taskWaiting(_ id: TaskID, because failure: Failure) async {}
}
