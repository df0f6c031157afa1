// SPDX-License-Identifier: Apache-2.0

/// When a source is so slow that another one is read beside it.
public struct HedgePolicy: Sendable {
    /// Bytes per second; 0 for never.
    public var floor: Int64
    /// Over how long the speed is measured.
    public var window: Duration

    /// Makes a policy from its parts.
    public init(floor: Int64 = 1_000_000, window: Duration = .seconds(10)) {
        self.floor = floor
        self.window = window
    }
}
