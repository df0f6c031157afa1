// SPDX-License-Identifier: Apache-2.0
public import Fetch
public import FoundationEssentials

/// What a store behind a network needs of the world.
public struct StoreContext: Sendable {
    /// What speaks HTTP.
    public var http: any HTTPClient
    /// The environment's variables: endpoints, regions, credentials.
    public var environment: [String: String]
    /// The time of day, for signatures.
    public var now: @Sendable () -> Date
    /// What waits between tries.
    public var clock: any Clock<Duration>

    /// Makes a context from its parts.
    public init(
        http: any HTTPClient,
        environment: [String: String],
        now: @escaping @Sendable () -> Date = { Date() },
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.http = http
        self.environment = environment
        self.now = now
        self.clock = clock
    }

    /// The process's own; all stores share its connections.
    public static let live = StoreContext(http: CurlClient(), environment: ProcessInfo.processInfo.environment)

    /// A variable that is set to something.
    func variable(_ names: String...) -> String? {
        names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }
}
