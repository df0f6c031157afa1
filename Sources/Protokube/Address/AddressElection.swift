// SPDX-License-Identifier: Apache-2.0

/// Decides which machine may have the address, purely, from what it reads and writes and from its own clock.
///
/// No clock is ever compared with another: a machine counts from when it saw the Lease change last, and takes over when
/// nothing changed for a whole lease. The holder counts from before it asked for its last renewal, which was before
/// anybody could see it, and lets go after a part of that time. So as long as clocks run at the same rate, the address
/// is let go before it is taken.
///
/// - Units: instants are durations since some moment of this machine's own.
struct AddressElection: Sendable {
    /// How long things take.
    struct Timing: Sendable, Equatable {
        /// How long the Lease must not change until somebody else may take it.
        var lease: Duration = .seconds(10)
        /// Between two renewals, or two looks at somebody else's.
        var renewal: Duration = .seconds(2)
        /// After something went wrong.
        var retry: Duration = .milliseconds(500)
        /// How long a renewal allows to hold the address.
        var tenure: Duration { lease * 2 / 3 }
    }

    let identity: String
    var timing = Timing()
    /// The Lease as it was read last, and when that state was first seen.
    private var seen: (lease: AddressLease?, since: Duration)?
    private var hasSeenLease = false
    /// Until when the address may be held; `nil` when it may not.
    private var tenureEnd: Duration?

    init(identity: String, timing: Timing = Timing()) {
        self.identity = identity
        self.timing = timing
    }

    /// Who has the Lease, as far as is known; `nil` when nobody has.
    var holder: String? { seen?.lease.flatMap { $0.holder.isEmpty ? nil : $0.holder } }

    /// Takes in what was read.
    ///
    /// - Parameters:
    ///   - lease: The Lease; `nil` when there is none.
    ///   - now: After the answer came: whoever wrote what it says did so before.
    /// - Returns: What to write; `nil` to leave the Lease alone.
    mutating func read(_ lease: AddressLease?, at now: Duration) -> AddressLease? {
        if seen.map({ $0.lease?.version != lease?.version }) ?? true { seen = (lease, now) }
        let isStale = now - (seen?.since ?? now) >= timing.lease
        guard let lease else {
            // One that was removed may still have a holder, who knows by itself how long. Who never knew of one takes the
            // cluster for new: waiting there would hold up every first boot.
            let mayHaveHolder = hasSeenLease && tenureEnd.map { $0 <= now } ?? true
            return mayHaveHolder && !isStale ? nil : AddressLease(holder: identity)
        }
        hasSeenLease = true
        if lease.holder == identity { return lease }
        tenureEnd = nil
        guard lease.holder.isEmpty || isStale else { return nil }
        return AddressLease(holder: identity, transitions: lease.transitions + 1, version: lease.version)
    }

    /// Takes in that a write of ours succeeded.
    ///
    /// - Parameters:
    ///   - lease: The Lease as it is now.
    ///   - asked: Before the request was sent.
    ///   - now: After the answer came.
    mutating func wrote(_ lease: AddressLease, asked: Duration, at now: Duration) {
        seen = (lease, now)
        hasSeenLease = true
        tenureEnd = asked + timing.tenure
    }

    /// The address is given up, whatever the Lease allows.
    mutating func giveUp() { tenureEnd = nil }

    /// How long the address may still be held; `nil` when it may not.
    ///
    /// - Units: whole seconds, as the kernel counts; it may be one late.
    func tenure(at now: Duration) -> Int? {
        guard let tenureEnd, tenureEnd - now >= .seconds(1) else { return nil }
        return Int((tenureEnd - now).components.seconds)
    }

    /// What to write to give the Lease back; `nil` when it is not ours.
    var resignation: AddressLease? {
        guard var lease = seen?.lease, lease.holder == identity else { return nil }
        lease.holder = ""
        return lease
    }

    /// When to look again after a look that began at an instant: a Lease that goes stale is taken at once.
    func nextLook(after began: Duration) -> Duration {
        let usual = began + timing.renewal
        guard let seen, seen.lease?.holder != identity else { return usual }
        return min(usual, max(seen.since + timing.lease, began + timing.retry))
    }
}
