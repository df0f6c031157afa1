// SPDX-License-Identifier: Apache-2.0
import Logging
import NodeOS
import NodeTesting
import Synchronization
import Testing

@testable import Protokube

/// A Lease and an interface that note what is done to them, and fail as told.
final class AddressBench: AddressLeases, AddressLink {
    struct State {
        var lease: AddressLease?
        var version = 0
        var isReady = true
        var isReachable = true
        var linkFailure: Failure?
        var deeds: [String] = []
        /// What happens at the n-th look, counted from 1.
        var script: [Int: @Sendable (inout State) -> Void] = [:]
        var looks = 0
        /// How long the call that holds the address takes.
        var slowness: Duration = .zero
    }

    let state: Mutex<State>
    let clock = SimulatedClock()
    /// The look at which the test ends.
    private let last: Int
    private let end = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ last: Int, _ change: (inout State) -> Void = { _ in }) {
        self.last = last
        var state = State()
        change(&state)
        self.state = Mutex(state)
    }

    var deeds: [String] { state.withLock { $0.deeds } }

    func ready() throws {
        let (isReady, isReachable, isLast) = state.withLock { state in
            state.looks += 1
            if let change = state.script[state.looks] { change(&state) }
            return (state.isReady, state.isReachable, state.looks >= last)
        }
        if isLast {
            end.withLock { $0?() }
            throw CancellationError()
        }
        guard isReachable else { throw Failure(.transient, code: "timeout", "no answer") }
        guard isReady else { throw NotServing(description: "503") }
    }

    func read() -> AddressLease? { state.withLock { $0.lease } }

    func write(_ lease: AddressLease) throws -> AddressLease {
        try state.withLock { state in
            guard state.lease?.version == lease.version else { throw Failure(.transient, code: "conflict", "changed") }
            state.version += 1
            state.lease = lease
            state.lease?.version = "\(state.version)"
            state.deeds.append("lease \(lease.holder.isEmpty ? "nobody" : lease.holder)")
            return state.lease ?? lease
        }
    }

    func hold(seconds: Int) throws {
        let slowness = try state.withLock { state in
            if let failure = state.linkFailure { throw failure }
            state.deeds.append("hold \(seconds)")
            return state.slowness
        }
        clock.advance(by: slowness)
    }

    func drop() { state.withLock { $0.deeds.append("drop") } }
    func announce() { state.withLock { $0.deeds.append("announce") } }

    var keeper: AddressKeeper {
        AddressKeeper(
            address: "10.0.0.254",
            identity: "cp-1",
            leases: self,
            link: self,
            clock: clock,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }

    /// Runs a keeper until its last look.
    func run() async -> AddressKeeper {
        let keeper = keeper
        let task = Task { await keeper.run() }
        end.withLock { $0 = { task.cancel() } }
        await task.value
        return keeper
    }
}

@Suite struct AddressKeeperTests {
    @Test("it begins by removing what is left over, holds for less than others wait, and ends by letting go first")
    func turn() async throws {
        let bench = AddressBench(4)
        let keeper = await bench.run()
        let look = ["lease cp-1", "hold 6", "announce"]
        #expect(bench.deeds == ["drop"] + look + look + look + ["drop", "lease nobody"])
        #expect(bench.clock.now.offset == .seconds(6), "every 2 s")
        try keeper.check()
    }

    @Test("an API server that is not ready loses the address at once, and says so")
    func unready() async {
        let bench = AddressBench(24) { $0.script = [2: { $0.isReady = false }] }
        let keeper = await bench.run()
        #expect(bench.deeds == ["drop", "lease cp-1", "hold 6", "announce", "drop", "lease nobody"])
        let failure = #expect(throws: Failure.self) { try keeper.check() }
        #expect(failure?.code == "api-address-unclaimed")
        #expect(failure?.chain.contains("503") == true)
    }

    @Test("without an answer it stays until the tenure ends, and comes back with one")
    func unreachable() async {
        let bench = AddressBench(20) { state in
            state.script = [2: { $0.isReachable = false }, 16: { $0.isReachable = true }]
        }
        _ = await bench.run()
        let first = Array(bench.deeds.prefix(5))
        #expect(first == ["drop", "lease cp-1", "hold 6", "announce", "drop"], "let go within the tenure")
        #expect(bench.deeds.dropFirst(5).first == "lease cp-1")
    }

    @Test("somebody else's turn is respected")
    func other() async throws {
        let bench = AddressBench(4) { $0.lease = AddressLease(holder: "cp-2", version: "other") }
        let keeper = await bench.run()
        #expect(bench.deeds == ["drop"])
        try keeper.check()
    }

    @Test("a kernel that was told too late is told to forget it")
    func slow() async {
        let bench = AddressBench(2) { $0.slowness = .seconds(3) }
        _ = await bench.run()
        #expect(bench.deeds == ["drop", "lease cp-1", "hold 6", "drop"])
    }

    @Test("a machine whose interface refuses says so and leaves the address to others")
    func refused() async {
        let bench = AddressBench(2) { $0.linkFailure = Failure(.permanent, code: "permission-denied", "forbidden") }
        let keeper = await bench.run()
        let failure = #expect(throws: Failure.self) { try keeper.check() }
        #expect(failure?.chain.contains("forbidden") == true)
        #expect(bench.deeds == ["drop", "lease cp-1", "drop", "lease nobody"])
        #expect(bench.clock.now.offset == .seconds(10), "long enough for somebody else")
    }
}
