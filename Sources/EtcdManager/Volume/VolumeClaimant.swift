// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Makes one volume of an etcd cluster a machine's own, before the machine uses it.
public struct VolumeClaimant: Sendable {
    /// The machine.
    public let machine: String
    private let registers: any Registers
    private let rules: SafetyRules

    /// The failure of a machine whose volumes are all others'.
    static let claimedCode = "volume-claimed"
    /// How often another machine may be first before it is somebody else's turn to try again.
    private static let attempts = 8

    /// Makes a claimant for one etcd cluster's registers.
    public init(machine: String, registers: any Registers, rules: SafetyRules = .all) {
        self.machine = machine
        self.registers = registers
        self.rules = rules
    }

    /// A volume that is this machine's.
    public struct Claim: Sendable, Equatable {
        /// The volume.
        public var volume: AnnouncedVolume
        /// What the store says of it.
        public var holder: VolumeClaims.Holder
    }

    /// The volume that is this machine's; taken now where it has none of these yet.
    ///
    /// - Throws: ``Failure`` `volume-claimed` (waiting) when they all belong to others, ``RegisterError``.
    public func claim(among volumes: [AnnouncedVolume]) async throws -> Claim {
        for _ in 1..<Self.attempts {
            do { return try await attempt(volumes) } catch RegisterError.conflict {}
        }
        return try await attempt(volumes)
    }

    /// Lets the use of a volume pass whose claim cannot be read, or says why not.
    ///
    /// - Throws: ``Failure`` (waiting) with the objecting rule's name as its code.
    func checkUnclaimed(_ volume: AnnouncedVolume, note: VolumeClaims.Holder?) throws {
        try rules.check(.useUnclaimed(volume, machine: machine, note: note))
    }

    /// Lets the mounting of a volume pass whose claim cannot be read, or says why not.
    func checkMount(_ volume: AnnouncedVolume) throws { try rules.check(.mountUnclaimed(volume)) }

    private func attempt(_ volumes: [AnnouncedVolume]) async throws -> Claim {
        let held = try await registers.read(.claims)
        let claims = held?.value ?? VolumeClaims()
        guard let (volume, wanted) = claims.choose(among: volumes, for: machine, rules),
            let holder = wanted.holders[volume.name]
        else { throw claimed(volumes, claims) }
        if wanted != claims { try await registers.write(wanted, to: .claims, replacing: held?.version) }
        return Claim(volume: volume, holder: holder)
    }

    private func claimed(_ volumes: [AnnouncedVolume], _ claims: VolumeClaims) -> Failure {
        let holders = volumes.map { volume in
            "\(volume.text) belongs to machine \(claims.holders[volume.name]?.machine ?? "nobody")"
        }
        return Failure(
            .waiting,
            code: Self.claimedCode,
            "no volume is left for machine \(machine): \(holders.joined(separator: ", "))",
            hint: "attach a volume of its own; if a machine is gone for ever, take its claim out of claims.json in the"
                + " store, below etcd/"
        )
    }
}
