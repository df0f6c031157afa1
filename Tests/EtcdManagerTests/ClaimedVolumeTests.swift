// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import SystemPackage
import Testing

/// A volume's claim, on machines: nothing is mounted that may be another's, with the store and without.
@Suite struct ClaimedVolumeTests {
    let bench = MemberVolumeTests()
    var machine: VolumeMachine { bench.machine }

    /// Two members' volumes that two machines see.
    func attachShared(to machine: VolumeMachine) async {
        for device: FilePath in ["/dev/sda", "/dev/sdb"] { await machine.attach(device, MemberVolumeTests.ours) }
        await machine.put(
            #"""
            {"volumes":[
              {"name":"b","device":"/dev/sdb","labels":{"k8s.io/etcd/main":"b/a,b"}},
              {"name":"a","device":"/dev/sda","labels":{"k8s.io/etcd/main":"a/a,b"}}
            ]}
            """#,
            at: AnnouncementFile.path
        )
    }

    @Test func twoMachinesThatSeeTwoVolumesHaveOneEach() async throws {
        let other = VolumeMachine()
        await attachShared(to: machine)
        await attachShared(to: other)
        let volumes = [bench.volume, bench.volume(of: other, "cp-2")]
        for volume in volumes { _ = try await volume.look() }
        #expect(await machine.mounted.map(\.source) == ["/dev/sda"])
        #expect(await other.mounted.map(\.source) == ["/dev/sdb"])
        #expect(try await volumes[1].membership()?.member == "b")
        // A boot in the other order changes nothing.
        for machine in [other, machine] { await machine.reboot() }
        for volume in volumes.reversed() { _ = try await volume.look() }
        #expect(await machine.mounted.map(\.source) == ["/dev/sda"])
        #expect(await other.mounted.map(\.source) == ["/dev/sdb"])
    }

    @Test func withoutTheStoreAMachineGoesOnWithItsOwnOnly() async throws {
        await bench.attach(MemberVolumeTests.ours)
        _ = try await bench.volume.look()
        bench.store.setUnplugged(true)
        await machine.reboot()
        #expect(try await bench.volume.look() == .mounted(note: nil, hasData: false))
        // The same disk in another machine.
        await machine.reboot()
        let failure = await #expect(throws: Failure.self) { try await bench.volume(of: machine, "cp-2").look() }
        #expect(failure?.code == "use-unclaimed-only-own")
        #expect(failure?.kind == .waiting)
        #expect(failure?.message.contains("cp-1") == true)
    }

    @Test func withoutTheStoreNothingIsMountedThatOthersMayHave() async throws {
        await machine.attach("/dev/sda", MemberVolumeTests.ours)
        await machine.put(
            #"{"volumes":[{"name":"a","device":"/dev/sda","labels":{"k8s.io/etcd/main":"a/a"}}]}"#,
            at: AnnouncementFile.path
        )
        _ = try await bench.volume.look()
        bench.store.setUnplugged(true)
        #expect(try await bench.volume.look() == .mounted(note: nil, hasData: false), "it is mounted already")
        await machine.reboot()
        let failure = await #expect(throws: Failure.self) { try await bench.volume.look() }
        #expect(failure?.code == "mount-unclaimed-only-exclusive")
        #expect(await machine.mounted.isEmpty)
    }

    @Test func withoutTheStoreABlankVolumeIsNobodys() async throws {
        await bench.attach(MemberVolumeTests.blank)
        bench.store.setUnplugged(true)
        await #expect(throws: RegisterError.self) { try await bench.volume.look() }
        await #expect(throws: RegisterError.self) { try await bench.volume.format() }
        #expect(await machine.effects.isEmpty)
    }

    @Test func aMachineWhoseVolumeIsAnothersEndsItsEtcd() async throws {
        await attachShared(to: machine)
        _ = try await bench.volume.look()
        let supervisor = StoppableEtcd()
        let host = MemberMachine(
            volume: bench.volume,
            supervisor: supervisor,
            names: { _ in },
            restore: { _, _ in }
        )
        #expect(try await host.look().process == .running(isCurrent: true))
        // A person says that this machine is gone for ever, and it is not.
        let claims = try await #require(bench.store.registers.read(.claims))
        #expect(claims.value.holders["a"]?.machine == "cp-1")
        try await bench.store.registers.write(
            claims.value.taking("a", by: "cp-2"),
            to: .claims,
            replacing: claims.version
        )
        let failure = await #expect(throws: Failure.self) { try await host.look() }
        #expect(failure?.code == "volume-claimed")
        #expect(await supervisor.process() == .stopped)
    }
}

/// An etcd that runs until it is ended.
private actor StoppableEtcd: EtcdSupervisor {
    private var isRunning = true
    func process() -> LocalSight.Process { isRunning ? .running(isCurrent: true) : .stopped }
    func ensureRunning(_ start: EtcdStart) { isRunning = true }
    func stop() { isRunning = false }
}
