// SPDX-License-Identifier: Apache-2.0

/// Sees, look by look, which members give nothing to a quorum, and for how long: an election is no such state.
struct StallWatch: Sendable {
    /// How long a member gives nothing before it counts as stalled.
    static let patience: Duration = .seconds(60)
    /// How often it must have been looked at meanwhile, for a machine may stand still itself.
    static let looks = 5

    private var seen: [String: (since: Duration, looks: Int)] = [:]

    /// Takes a look into account.
    ///
    /// - Returns: The members that are stalled.
    mutating func look(_ view: MembershipView, at now: Duration) -> Set<String> {
        for name in Set(seen.keys).union(view.record.members.keys) {
            guard view.record.members[name] != nil, view.givesNothing(name) else {
                seen[name] = nil
                continue
            }
            let before = seen[name] ?? (now, 0)
            seen[name] = (before.since, before.looks + 1)
        }
        return Set(seen.filter { now - $0.value.since >= Self.patience && $0.value.looks >= Self.looks }.keys)
    }
}
