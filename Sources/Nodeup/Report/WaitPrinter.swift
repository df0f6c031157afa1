// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks

/// Says on standard error what a run waits for, once for each reason.
actor WaitPrinter: ConvergeObserver {
    private var said: [TaskID: String] = [:]

    func taskWaiting(_ id: TaskID, because failure: Failure) {
        guard said.updateValue(failure.chain, forKey: id) != failure.chain else { return }
        Console.error("nodeup: \(id) waits: \(failure.chain) [\(failure.code)]")
    }

    func taskFinished(_ record: TaskRecord) {}
}
