// SPDX-License-Identifier: Apache-2.0
public import StateStore
import Synchronization

/// A store whose clients take turns as a seed says, and to whom everything happens that happens to clients of a store.
///
/// Each client is a task that has one request at a time under way. Once all that live wait for their turns, one is chosen, and
/// what becomes of its request: it is answered, its answer is lost, it is refused, it arrives once more later, or the client
/// dies before or after it. One seed is one run: nothing depends on time or threads.
public final class SimulatedStore: Sendable {
    /// What ends a client.
    public struct Died: Error {}

    /// What of its duties the store neglects; for proofs that a proof finds it.
    public enum Negligence: Sendable, Equatable {
        case none
        case ignoresAbsent
        case ignoresVersions
    }

    private enum Fate: String {
        case answered
        case answerLost
        case refused
        case repeatedLater
        case diedBefore
        case diedAfter
    }

    private struct Waiting {
        var request: SimulatedRequest
        var continuation: CheckedContinuation<SimulatedRequest.Answer, any Error>
    }

    private struct State {
        var objects: [StoreKey: [UInt8]] = [:]
        /// The requests that wait for their turn, by client.
        var waiting: [Int: Waiting] = [:]
        /// Clients that do something else than wait.
        var running = 0
        var dead: Set<Int> = []
        /// Writes that will arrive once more.
        var repeats: [SimulatedRequest] = []
        var trace: [String] = []
        var driver: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let negligence: Negligence
    /// How many requests in a hundred meet a fault.
    private let faults: Int

    /// Makes an empty store.
    public init(faults: Int = 15, negligence: Negligence = .none) {
        self.faults = faults
        self.negligence = negligence
    }

    /// What happened, a line for each turn.
    public var trace: [String] { state.withLock { $0.trace } }

    /// What the store holds now, as a store without any faults.
    public func snapshot() async throws -> MemoryStore {
        let copy = MemoryStore()
        for (key, bytes) in state.withLock({ $0.objects }) { try await copy.write(bytes, to: key, when: .always) }
        return copy
    }

    /// Runs clients to their ends.
    ///
    /// - Parameters:
    ///   - random: What decides whose turn it is, and what happens.
    ///   - clients: What each does with its store; an error ends it.
    ///   - changed: Called after every write that changed an object, before anybody else's turn.
    /// - Throws: What `changed` throws; every client is dead then.
    public func run(
        _ random: inout some RandomNumberGenerator,
        clients: [@Sendable (any StateStore) async throws -> Void],
        changed: (StoreKey) async throws -> Void
    ) async throws {
        state.withLock { $0.running = clients.count }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, client) in clients.enumerated() {
                group.addTask { [self] in
                    // A client's own failure is its own affair.
                    try? await client(Handle(store: self, client: number))
                    rest()
                }
            }
            do {
                while let turn = await nextTurn(&random) {
                    if let key = take(turn) { try await changed(key) }
                }
            } catch {
                end(clients.count)
                throw error
            }
            try await group.waitForAll()
        }
    }

    /// Lets every client die, so that none waits for a turn that never comes.
    private func end(_ clients: Int) {
        let waiting = state.withLock { state in
            state.dead.formUnion(0..<clients)
            defer { state.waiting = [:] }
            return state.waiting.values.map(\.continuation)
        }
        for continuation in waiting { continuation.resume(throwing: Died()) }
    }

    private enum Turn {
        case client(Int, Waiting, Fate)
        case again(SimulatedRequest)
    }

    /// Waits until nobody runs, and chooses; `nil` once nobody waits either.
    private func nextTurn(_ random: inout some RandomNumberGenerator) async -> Turn? {
        await withCheckedContinuation { continuation in
            let isQuiet = state.withLock { state in
                if state.running > 0 { state.driver = continuation }
                return state.running == 0
            }
            if isQuiet { continuation.resume() }
        }
        let chance = Int.random(in: 0..<100, using: &random)
        let choice = Int.random(in: 0..<1 << 16, using: &random)
        return state.withLock { state in
            if !state.repeats.isEmpty, chance % 4 == 0 || state.waiting.isEmpty {
                return .again(state.repeats.remove(at: choice % state.repeats.count))
            }
            let clients = state.waiting.keys.sorted()
            guard !clients.isEmpty else { return nil }
            let client = clients[choice % clients.count]
            guard let waiting = state.waiting.removeValue(forKey: client) else { return nil }
            return .client(client, waiting, fate(chance))
        }
    }

    private func fate(_ chance: Int) -> Fate {
        guard chance < faults else { return .answered }
        return [.answerLost, .refused, .repeatedLater, .diedBefore, .diedAfter][chance % 5]
    }

    /// Carries a turn out; the key whose object it changed.
    private func take(_ turn: Turn) -> StoreKey? {
        switch turn {
        case .again(let request):
            return state.withLock { state in
                state.trace.append("again: \(request.text)")
                let before = state.objects
                _ = try? request.apply(to: &state.objects, negligence)
                return request.key.flatMap { before[$0] != state.objects[$0] ? $0 : nil }
            }
        case .client(let client, let waiting, let fate):
            let (result, changed) = state.withLock { state in
                state.trace.append("\(client) \(fate.rawValue): \(waiting.request.text)")
                state.running += 1
                if fate == .diedBefore || fate == .diedAfter { state.dead.insert(client) }
                if fate == .repeatedLater, waiting.request.key != nil {
                    state.repeats.append(waiting.request)
                }
                return Self.outcome(waiting.request, fate, &state.objects, negligence)
            }
            waiting.continuation.resume(with: result)
            return changed
        }
    }

    private static func outcome(
        _ request: SimulatedRequest,
        _ fate: Fate,
        _ objects: inout [StoreKey: [UInt8]],
        _ negligence: Negligence
    ) -> (Result<SimulatedRequest.Answer, any Error>, StoreKey?) {
        let lost = StoreError.unavailable(url: "simulated://", reason: "no answer came")
        if fate == .refused { return (.failure(lost), nil) }
        if fate == .diedBefore { return (.failure(Died()), nil) }
        let before = request.key.flatMap { objects[$0] }
        let result = Result { try request.apply(to: &objects, negligence) }
        let changed = request.key.flatMap { objects[$0] != before ? $0 : nil }
        switch fate {
        case .answerLost: return (.failure(lost), changed)
        case .diedAfter: return (.failure(Died()), changed)
        default: return (result, changed)
        }
    }

    // MARK: Clients

    private func wait(_ client: Int, _ request: SimulatedRequest) async throws -> SimulatedRequest.Answer {
        try await withCheckedThrowingContinuation { continuation in
            let isDead = state.withLock { state in
                guard !state.dead.contains(client) else { return true }
                state.waiting[client] = Waiting(request: request, continuation: continuation)
                return false
            }
            if isDead { continuation.resume(throwing: Died()) } else { rest() }
        }
    }

    /// One client less runs; the last lets the next turn begin.
    private func rest() {
        state.withLock { state in
            state.running -= 1
            guard state.running == 0, let driver = state.driver else { return }
            state.driver = nil
            driver.resume()
        }
    }

    private struct Handle: StateStore {
        let store: SimulatedStore
        let client: Int
        var url: String { "simulated://" }

        func read(_ key: StoreKey) async throws -> StoredObject? {
            guard case .object(let object) = try await store.wait(client, .read(key)) else { throw Died() }
            return object
        }

        func list(_ prefix: StoreKey) async throws -> [StoreKey] {
            guard case .keys(let keys) = try await store.wait(client, .list(prefix)) else { throw Died() }
            return keys
        }

        func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion {
            guard case .version(let version) = try await store.wait(client, .write(bytes, key, condition)) else {
                throw Died()
            }
            return version
        }

        func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
            _ = try await store.wait(client, .remove(key, condition))
        }
    }
}
