// SPDX-License-Identifier: Apache-2.0

extension SafetyRules {
    /// What keeps two machines from using one volume.
    static let claimRules: [Rule] = [
        Rule(name: "claim-never-anothers") { act in
            guard case .claim(let volume, let machine, let claims) = act,
                let holder = claims.holders[volume.name], holder.machine != machine, !volume.isExclusive
            else { return nil }
            return "volume \(volume.name) belongs to machine \(holder.machine), which may still use it"
        },
        Rule(name: "mount-unclaimed-only-exclusive") { act in
            guard case .mountUnclaimed(let volume) = act, !volume.isExclusive else { return nil }
            return "the store cannot be read, and another machine may use volume \(volume.name)"
        },
        Rule(name: "use-unclaimed-only-own") { act in
            guard case .useUnclaimed(let volume, let machine, let note) = act, note?.machine != machine else {
                return nil
            }
            let owner = note.map { "machine \($0.machine)" } ?? "nobody known"
            return "the store cannot be read, and volume \(volume.name) belonged to \(owner), not to \(machine)"
        },
    ]
}
