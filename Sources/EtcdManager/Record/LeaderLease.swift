// SPDX-License-Identifier: Apache-2.0

/// Who decides for an etcd cluster.
///
/// Machines' clocks are never compared: a lease counts as abandoned by somebody who has seen it unchanged for its whole
/// length on a clock of their own. Each new holder has a higher token.
///
/// - Shape: JSON, `etcd/<name>/lease.json`.
public struct LeaderLease: Codable, Sendable, Equatable {
    /// Who holds it: another one at each start of the program.
    public var holder: String
    /// One more with each new holder.
    public var token: Int
    /// One more with each renewal.
    public var renewals: Int

    /// How long a lease is respected that is not renewed.
    public static let length: Duration = .seconds(25)

    /// Makes a lease from its parts.
    public init(holder: String, token: Int, renewals: Int) {
        self.holder = holder
        self.token = token
        self.renewals = renewals
    }
}

/// One machine's part in holding the lease.
struct Leadership: Sendable {
    /// How long the holder relies on it: shorter, for its clock may be the slower one.
    static let trusted: Duration = .seconds(16)

    /// How long a leader goes on that hears no member: others may hear some, for what is wrong may be its own certificates.
    static let patience: Duration = .seconds(60)
    /// How long it then leaves the lease to others, which take one that has not been renewed for its length.
    static let rest: Duration = .seconds(60)

    let holder: String
    private(set) var token: Int?
    private var renewed: Duration = .zero
    private var deafSince: Duration?
    private var restsUntil: Duration = .zero
    private var seen: (lease: LeaderLease, since: Duration)?

    init(holder: String) { self.holder = holder }

    /// The token, while it can be relied on.
    func token(at now: Duration) -> Int? { now - renewed < Self.trusted ? token : nil }

    /// Renews the lease, or takes one that nobody renews.
    ///
    /// - Throws: ``RegisterError``.
    mutating func pursue(_ registers: some Registers, now: () -> Duration) async throws {
        let began = now()
        guard began >= restsUntil else { return }
        let held = try await registers.read(.lease)
        let wanted = next(after: held?.value, now: began)
        if held?.value.holder != holder { token = nil }
        guard let wanted else { return }
        do {
            try await registers.write(wanted, to: .lease, replacing: held?.version)
        } catch RegisterError.conflict {
            return
        }
        // Counted from before the question: however late the answer, nobody took the lease before that plus its length.
        token = wanted.token
        renewed = began
    }

    /// Tells whether a leader got any member's answer, or needs none now; it resigns once it has not for long.
    mutating func note(hears: Bool, at now: Duration) {
        guard !hears else {
            deafSince = nil
            return
        }
        let since = deafSince ?? now
        deafSince = since
        guard now - since >= Self.patience else { return }
        (token, deafSince, restsUntil) = (nil, nil, now + Self.rest)
    }

    private mutating func next(after lease: LeaderLease?, now: Duration) -> LeaderLease? {
        guard let lease else { return LeaderLease(holder: holder, token: 1, renewals: 0) }
        if lease.holder == holder {
            return LeaderLease(holder: holder, token: lease.token, renewals: lease.renewals + 1)
        }
        guard let seen, seen.lease == lease else {
            seen = (lease, now)
            return nil
        }
        guard now - seen.since >= LeaderLease.length else { return nil }
        return LeaderLease(holder: holder, token: lease.token + 1, renewals: 0)
    }
}
