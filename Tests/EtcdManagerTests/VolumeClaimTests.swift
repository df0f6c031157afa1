// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTesting
import StateStore
import Synchronization
import SystemPackage
import Testing

@testable import EtcdManager

/// Which machine has which volume, when machines race, die, and the store answers late, twice or not at all.
@Suite struct VolumeClaimTests {
    static let layout = SwitchedStore.layout

    static func volumes(_ count: Int, exclusive: Bool = false) -> [AnnouncedVolume] {
        (0..<count).map {
            AnnouncedVolume(name: "\($0).etcd-main", device: "/dev/loop\($0)", exclusive: exclusive, labels: [:])
        }
    }

    /// The claims as a store holds them.
    static func claims(_ store: some StateStore) async throws -> VolumeClaims {
        let key = try layout.etcdRegister("main", Slot.claims.path)
        return try await store.read(key).map { try JSONDecoder().decode(VolumeClaims.self, from: Data($0.bytes)) }
            ?? VolumeClaims()
    }

    /// What machines were told is theirs.
    final class Ledger: Sendable {
        private let told = Mutex<[String: Set<String>]>([:])
        func note(_ machine: String, _ volume: String) {
            told.withLock { _ = $0[volume, default: []].insert(machine) }
        }
        var shared: [String: Set<String>] { told.withLock { $0.filter { $0.value.count > 1 } } }
        var volumes: [String: Set<String>] { told.withLock { $0 } }
        /// The volumes that a machine was told are its own.
        func volumes(of machine: String) -> [String] {
            told.withLock { $0.filter { $0.value.contains(machine) }.keys.sorted() }
        }
    }

    @Test(arguments: Seeded.seeds(300))
    func racingMachinesNeverShareAndNeverHoldTwo(seed: UInt64) async throws {
        var random = Seeded(seed)
        let replay = "\(random)"
        let volumes = Self.volumes(Int.random(in: 1...4, using: &random))
        let machines = (0..<Int.random(in: 2...3, using: &random)).map { "m\($0)" }
        let store = SimulatedStore(faults: 30)
        let ledger = Ledger()
        // Each machine lives several lives, and in each sees the volumes in an order of its own.
        let lives = machines.flatMap { machine in (0..<3).map { _ in (machine, volumes.shuffled(using: &random)) } }
        try await store.run(
            &random,
            clients: lives.map { machine, volumes in
                { store in
                    let claimant = VolumeClaimant(machine: machine, registers: Self.registers(store))
                    for _ in 0..<3 {
                        if let claim = try? await claimant.claim(among: volumes) {
                            ledger.note(machine, claim.volume.name)
                        }
                    }
                }
            },
            changed: { _ in
                let claims = try await Self.claims(try await store.snapshot())
                let holders = claims.holders.values.map(\.machine)
                #expect(Set(holders).count == holders.count, "\(replay): \(claims)")
            }
        )
        #expect(ledger.shared.isEmpty, "\(replay): \(ledger.volumes)")
        for machine in machines { #expect(ledger.volumes(of: machine).count <= 1, "\(replay): \(ledger.volumes)") }
        // Whoever comes back after all of that gets its own.
        let rest = try await store.snapshot()
        for machine in machines {
            let claimant = VolumeClaimant(machine: machine, registers: Self.registers(rest))
            let claim = try? await claimant.claim(among: volumes.reversed())
            if let own = ledger.volumes(of: machine).first { #expect(claim?.volume.name == own, "\(replay)") }
        }
        #expect(try await Self.claims(rest).holders.count == min(volumes.count, machines.count), "\(replay)")
    }

    /// Without the rule a machine takes what another one has, which the law above would not stand.
    @Test func withoutTheRuleVolumesAreShared() async throws {
        let store = MemoryStore()
        let first = VolumeClaimant(machine: "m0", registers: Self.registers(store))
        let rules = SafetyRules.all.without("claim-never-anothers")
        let second = VolumeClaimant(machine: "m1", registers: Self.registers(store), rules: rules)
        let own = try await first.claim(among: Self.volumes(1))
        #expect(try await second.claim(among: Self.volumes(1)).volume == own.volume)
    }

    @Test func anotherMachinesVolumeIsTakenOverOnlyWhereItCannotHaveIt() async throws {
        let registers = Self.registers(MemoryStore())
        let shared = Self.volumes(1)
        let alone = Self.volumes(1, exclusive: true)
        let first = VolumeClaimant(machine: "m0", registers: registers)
        let second = VolumeClaimant(machine: "m1", registers: registers)
        #expect(try await first.claim(among: shared).holder.epoch == 1)
        let failure = await #expect(throws: Failure.self) { try await second.claim(among: shared) }
        #expect(failure?.code == "volume-claimed")
        #expect(failure?.kind == .waiting)
        #expect(failure?.message.contains("belongs to machine m0") == true)
        #expect(failure?.hint?.isEmpty == false)
        #expect(try await second.claim(among: alone).holder == VolumeClaims.Holder(machine: "m1", epoch: 2))
        let lost = await #expect(throws: Failure.self) { try await first.claim(among: shared) }
        #expect(lost?.code == "volume-claimed", "the first has lost it")
    }

    @Test func twoMachinesWhoseDisksWereSwappedHaveEachOthers() async throws {
        let registers = Self.registers(MemoryStore())
        let volumes = Self.volumes(2, exclusive: true)
        let machines = ["m0", "m1"].map { VolumeClaimant(machine: $0, registers: registers) }
        for (machine, volume) in zip(machines, volumes) { _ = try await machine.claim(among: [volume]) }
        for (machine, volume) in zip(machines, volumes.reversed()) {
            #expect(try await machine.claim(among: [volume]).volume == volume)
        }
    }

    static func registers(_ store: any StateStore) -> StoreRegisters {
        StoreRegisters(layout: layout, etcdCluster: "main", open: { store })
    }
}
