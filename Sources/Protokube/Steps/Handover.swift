// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What one step found out and a later one needs.
final class Handover<Value: Sendable>: Sendable {
    private let box = Mutex<Value?>(nil)

    /// The newest value; `nil` until there is one.
    var value: Value? {
        get { box.withLock { $0 } }
        set { box.withLock { $0 = newValue } }
    }
}
