// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A program's clock.
final class Clockwork: Sendable {
    private let time = Mutex(Duration.zero)
    var now: Duration { time.withLock { $0 } }
    func set(_ now: Duration) { time.withLock { $0 = now } }
}
