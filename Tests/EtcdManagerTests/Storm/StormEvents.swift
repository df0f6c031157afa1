// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import Synchronization

/// What a cluster's machines did and said, and which of their agents are to crash.
final class StormEvents: Sendable {
    private struct State {
        var startedWith: [String: String] = [:]
        var absentAtLook: [String: Set<String>] = [:]
        var restarts: [String] = []
        var violations: [String] = []
        var outlooks: [String: EtcdAgent.Outlook] = [:]
        var failures: Set<String> = []
        var lives: [String: Int] = [:]
        var dying: [String: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    // MARK: etcd

    /// What a member's process was started with.
    func startedWith(_ member: String) -> String? { state.withLock { $0.startedWith[member] } }
    func started(_ member: String, with stamp: String) { state.withLock { $0.startedWith[member] = stamp } }
    /// An agent looks at its member, while others do not run.
    func looked(at member: String, absent: Set<String>) { state.withLock { $0.absentAtLook[member] = absent } }

    /// An agent ends its member to start it anew: nobody may have been missing all the while since it looked.
    func willRestart(_ member: String, absent: Set<String>) {
        state.withLock { state in
            state.restarts.append(member)
            let missed = absent.intersection(state.absentAtLook[member] ?? [])
            if !missed.isEmpty { state.violations.append("\(member) restarts without \(missed.sorted())") }
        }
    }

    /// The members that agents have restarted, in order.
    var restarts: [String] { state.withLock { $0.restarts } }
    /// Restarts that were not to be.
    var violations: [String] { state.withLock { $0.violations } }

    // MARK: Agents

    func saw(_ outlook: EtcdAgent.Outlook, at member: String) { state.withLock { $0.outlooks[member] = outlook } }
    /// What a member's agent said last.
    func outlook(at member: String) -> EtcdAgent.Outlook? { state.withLock { $0.outlooks[member] } }

    func failed(_ error: any Error) {
        guard let failure = error as? Failure else { return }
        state.withLock { _ = $0.failures.insert(failure.code) }
    }
    /// Why agents did not do what was declared, by code.
    var failures: Set<String> { state.withLock { $0.failures } }

    /// Ends an agent at whatever it waits for; it is started anew and remembers nothing.
    func crash(_ member: String) {
        let dying = state.withLock { state in
            state.lives[member, default: 0] += 1
            return state.dying.removeValue(forKey: member)
        }
        dying?.resume()
    }

    /// Returns once an agent's life is over, or the task is cancelled.
    func untilCrash(of member: String, after life: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !Task.isCancelled, state.lives[member, default: 0] <= life else { return true }
                    state.dying[member] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.dying.removeValue(forKey: member) }?.resume()
        }
    }
}
