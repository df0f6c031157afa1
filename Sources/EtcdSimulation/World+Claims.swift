// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS

/// Whose a volume is.
extension World {
    /// Makes a volume a machine's own and mounts it, as ``MemberDisk`` does.
    ///
    /// All of it happens at one instant: machines that race for claims have laws of their own.
    mutating func open(_ volume: Int, on machine: Int, _ rules: SafetyRules) throws {
        let found = AnnouncedVolume(name: "v\(volume)", exclusive: !sharesDisks, labels: [:])
        let name = machines[machine].address
        guard machines[machine].reachesStore else { return try openUnclaimed(found, volume, machine, rules) }
        let held = store.slots[Slot.claims.path]
        let claims = held?.value as? VolumeClaims ?? VolumeClaims()
        guard let (_, wanted) = claims.choose(among: [found], for: name, rules) else {
            // What has become another machine's is let go of.
            machines[machine].process = nil
            throw Failure(.waiting, code: "volume-claimed", "v\(volume) is another machine's")
        }
        if wanted != claims {
            try store.write(wanted, to: Slot.claims.path, replacing: held.map { SlotVersion("\($0.version)") })
        }
        guard !volumes[volume].isBlank else { return }
        volumes[volume].claim = wanted.holders[found.name]
        mount(volume, on: machine)
    }

    private mutating func openUnclaimed(
        _ found: AnnouncedVolume,
        _ volume: Int,
        _ machine: Int,
        _ rules: SafetyRules
    ) throws {
        let mustMount = !machines[machine].hasMounted
        if mustMount {
            try rules.check(.mountUnclaimed(found))
            guard !volumes[volume].isBlank else { throw RegisterError.unavailable(reason: "no answer") }
            mount(volume, on: machine)
        }
        try rules.check(.useUnclaimed(found, machine: machines[machine].address, note: volumes[volume].claim))
    }

    /// A file system that two machines have mounted is destroyed.
    private mutating func mount(_ volume: Int, on machine: Int) {
        machines[machine].hasMounted = true
        let others = machines.indices.filter {
            $0 != machine && machines[$0].volume == volume && machines[$0].isUp && machines[$0].hasMounted
        }
        if !others.isEmpty { violate("m\(machine) and m\(others[0]) have mounted volume v\(volume)") }
    }
}
