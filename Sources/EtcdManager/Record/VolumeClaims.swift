// SPDX-License-Identifier: Apache-2.0

/// Which machine has which volume of an etcd cluster.
///
/// One object for all of its volumes, changed by compare-and-swap only: so no volume has two machines and no machine two
/// volumes, whatever writes arrive late or twice.
///
/// - Shape: JSON, `etcd/<name>/claims.json`, `{"epoch", "holders": {"<volume>": {"machine", "epoch"}}}`.
public struct VolumeClaims: Codable, Sendable, Equatable {
    /// A machine that has a volume.
    public struct Holder: Codable, Sendable, Equatable {
        /// The machine.
        public var machine: String
        /// Counts the claims of the etcd cluster: a later one has a higher number.
        public var epoch: Int

        /// Makes a holder from its parts.
        public init(machine: String, epoch: Int) {
            self.machine = machine
            self.epoch = epoch
        }
    }

    /// How many claims there have been.
    public var epoch: Int
    /// Who has a volume, by the volume's name in the cloud.
    public var holders: [String: Holder]

    /// Makes claims; without words there are none.
    public init(epoch: Int = 0, holders: [String: Holder] = [:]) {
        self.epoch = epoch
        self.holders = holders
    }

    /// The volume that is a machine's, and the claims once it is; `nil` when all belong to others.
    ///
    /// The one it has, before one that nobody has, before one whose machine cannot have it any more.
    package func choose(
        among volumes: [AnnouncedVolume],
        for machine: String,
        _ rules: SafetyRules
    ) -> (volume: AnnouncedVolume, claims: VolumeClaims)? {
        if let own = volumes.first(where: { holders[$0.name]?.machine == machine }) { return (own, self) }
        let free = volumes.filter { holders[$0.name] == nil }
        let others = volumes.filter { holders[$0.name] != nil }
        return (free + others).first { rules.allow(.claim($0, machine: machine, claims: self)) }
            .map { ($0, taking($0.name, by: machine)) }
    }

    /// The claims once a machine has a volume: that one and no other.
    public func taking(_ volume: String, by machine: String) -> VolumeClaims {
        var claims = self
        claims.epoch += 1
        claims.holders = holders.filter { $0.value.machine != machine }
        claims.holders[volume] = Holder(machine: machine, epoch: claims.epoch)
        return claims
    }
}
