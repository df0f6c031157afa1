// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import Synchronization

/// A client that writes key after key, and remembers which it was told are kept.
final class StormWriter: Sendable {
    private let state = Mutex<(acknowledged: [Int], last: ContinuousClock.Instant?, gap: Duration)>(([], nil, .zero))

    /// What was told to be kept.
    var acknowledged: [Int] { state.withLock { $0.acknowledged } }
    /// The longest time between two acknowledgements.
    var longestGap: Duration { state.withLock { $0.gap } }

    /// Writes until it is cancelled, by whichever member takes it, as whoever the client is by then.
    func run(on cluster: RealEtcdCluster, by names: [String], as credentials: StormCredentials) async {
        var number = 0
        var member = 0
        // As impatient as a client may be: what it waits for longer counts as an outage.
        let timeouts = Timeouts(connect: .milliseconds(500), total: .seconds(1), stall: .seconds(1))
        while !Task.isCancelled {
            number += 1
            let bytes = Array("key-\(number)".utf8)
            let gateway = EtcdGateway(http: cluster.http, identity: credentials.identity, timeouts: timeouts)
            do {
                try await gateway.put(bytes, bytes, at: cluster.endpoint(names[member]))
                note(number)
            } catch {
                member = (member + 1) % names.count
                try? await ContinuousClock().sleep(for: .milliseconds(20))
            }
        }
    }

    /// Returns once so many more writes are acknowledged.
    func untilMore(_ count: Int) async throws {
        let before = acknowledged.count
        while acknowledged.count < before + count { try await ContinuousClock().sleep(for: .milliseconds(50)) }
    }

    private func note(_ number: Int) {
        let now = ContinuousClock().now
        state.withLock { state in
            if let last = state.last { state.gap = max(state.gap, last.duration(to: now)) }
            state.last = now
            state.acknowledged.append(number)
        }
    }
}
