// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import SystemPackage
import Testing

/// Every state a volume can be found in.
@Suite struct MemberVolumeTests {
    static let device: FilePath = "/dev/loop7"
    static let mountPoint: FilePath = "/mnt/kopslite/etcd-main"
    static let blank = BlockDeviceStatus(signature: nil, endsAreZero: true, size: 1 << 30)
    static let ours = BlockDeviceStatus(signature: "ext4", label: "etcd-main", endsAreZero: false, size: 1 << 30)
    static let note = VolumeNote(
        clusterName: "demo.example.com",
        etcdCluster: "main",
        id: "0123456789abcdef0123456789abcdef",
        epoch: 1,
        member: "a",
        incarnation: 1,
        initialised: true
    )

    let machine = VolumeMachine()
    let store = SwitchedStore()
    var volume: MemberVolume { volume(of: machine, "cp-1") }

    func volume(of node: VolumeMachine, _ name: String) -> MemberVolume {
        let disk = MemberDisk(
            clusterName: Self.note.clusterName,
            etcdCluster: "main",
            label: "k8s.io/etcd/main",
            node: node,
            finder: AnnouncementFile(node: node),
            claimant: VolumeClaimant(machine: name, registers: store.registers),
            mounter: VolumeMounter(node: node, tools: CleanTools(), label: "etcd-main", mountPoint: Self.mountPoint)
        )
        return MemberVolume(node: node, directory: Self.mountPoint, source: .disk(disk))
    }

    func attach(_ status: BlockDeviceStatus?, label: String = "a/a,b,c") async {
        if let status { await machine.attach(Self.device, status) }
        await machine.put(
            #"{"volumes":[{"name":"a.etcd-main","device":"\#(Self.device)","size":1073741824,"exclusive":true,"labels":{"k8s.io/etcd/main":"\#(label)"}}]}"#,
            at: AnnouncementFile.path
        )
    }

    func expect(_ code: String, _ kind: Failure.Class, sourceLocation: SourceLocation = #_sourceLocation) async {
        let failure = await #expect(throws: Failure.self, sourceLocation: sourceLocation) { try await volume.look() }
        #expect(failure?.code == code, "\(failure?.chain ?? "")", sourceLocation: sourceLocation)
        #expect(failure?.kind == kind, sourceLocation: sourceLocation)
        #expect(failure?.hint?.isEmpty == false, "a remedy is named", sourceLocation: sourceLocation)
        let isUntouched = await !machine.effects.contains { $0.hasPrefix("mkfs") }
        #expect(isUntouched, "nothing is formatted", sourceLocation: sourceLocation)
    }

    @Test func lookingAtABlankVolumeChangesNothing() async throws {
        await attach(Self.blank)
        #expect(try await volume.look() == .blank)
        #expect(await machine.effects.isEmpty)
        #expect(try await volume.membership()?.member == "a")
        #expect(try await volume.membership()?.members == ["a", "b", "c"])
    }

    @Test func aFormattedVolumeKeepsItsNoteThroughAReboot() async throws {
        await attach(Self.blank)
        try await volume.format()
        #expect(try await volume.look() == .mounted(note: nil, hasData: false))
        try await volume.write(Self.note)
        await machine.put("wal", at: Self.mountPoint.appending("data/member/wal/0.wal"))
        await machine.reboot()
        await machine.clearEffects()
        #expect(try await volume.look() == .mounted(note: Self.note, hasData: true))
        #expect(await machine.effects.filter { $0.hasPrefix("mkfs") || $0.hasPrefix("write") }.isEmpty)
    }

    @Test func waitsForAVolume() async throws {
        await expect("volume-not-found", .waiting)
        await machine.put(#"{"volumes":[]}"#, at: AnnouncementFile.path)
        await expect("volume-not-found", .waiting)
        await attach(nil)
        await expect("volume-not-attached", .waiting)
    }

    @Test func twoVolumesAreAQuestionForAPerson() async throws {
        await machine.put(
            #"{"volumes":[{"name":"x","device":"/dev/a","labels":{"k8s.io/etcd/main":"a/a"}},{"name":"y","device":"/dev/b","labels":{"k8s.io/etcd/main":"a/a"}}]}"#,
            at: AnnouncementFile.path
        )
        await expect("volume-ambiguous", .permanent)
    }

    @Test(arguments: [
        BlockDeviceStatus(signature: nil, endsAreZero: true, size: 1 << 30, isReadOnly: true),
        BlockDeviceStatus(signature: "ext4", label: "etcd-main", endsAreZero: false, size: 1 << 30, isReadOnly: true),
    ]) func aDiskThatCannotBeWrittenToIsRefused(disk: BlockDeviceStatus) async throws {
        await attach(disk)
        await expect("volume-read-only", .permanent)
    }

    @Test func aPartitionedDiskStays() async throws {
        await attach(BlockDeviceStatus(signature: nil, partitionTable: "gpt", endsAreZero: false, size: 1 << 30))
        await expect("volume-foreign", .permanent)
        // A file system of ours in front of a partition table is no reason to overwrite the table's partitions.
        var both = Self.ours
        both.partitionTable = "dos"
        await attach(both)
        await expect("volume-foreign", .permanent)
    }

    @Test func aDeviceThatVanishesIsAwaited() async throws {
        await attach(Self.ours)
        _ = try await volume.look()
        await machine.detach(Self.device)
        await expect("volume-gone", .waiting)
    }

    @Test func aDeviceThatIsSmallerThanItsFileSystemIsLeftAlone() async throws {
        var disk = Self.ours
        disk.filesystemSize = 2 << 30
        await attach(disk)
        _ = try await volume.look()
        #expect(try await !volume.grow())
        disk.size = 3 << 30
        await machine.attach(Self.device, disk)
        #expect(try await volume.grow())
    }

    @Test func theVolumeOfAnotherClusterIsNotFound() async throws {
        await attach(Self.blank)
        await machine.put(
            #"{"volumes":[{"name":"v","device":"/dev/loop7","labels":{"k8s.io/etcd/main":"a/a","KubernetesCluster":"other.example.com"}}]}"#,
            at: AnnouncementFile.path
        )
        await expect("volume-not-found", .waiting)
    }

    @Test(arguments: [("other.example.com", "main"), ("demo.example.com", "events")])
    func aVolumeWithTheNoteOfAnotherClusterIsRefused(cluster: String, etcdCluster: String) async throws {
        await attach(Self.ours)
        _ = try await volume.look()
        var note = Self.note
        (note.clusterName, note.etcdCluster) = (cluster, etcdCluster)
        try await volume.write(note)
        await expect("volume-other-cluster", .permanent)
    }

    @Test func aVolumeThatIsAnnouncedByNothingIsRefused() async throws {
        await machine.put(
            #"{"volumes":[{"name":"v","labels":{"k8s.io/etcd/main":"a/a"}}]}"#,
            at: AnnouncementFile.path
        )
        await expect("volume-unnamed", .permanent)
    }

    @Test func whatIsNotOursStays() async throws {
        await attach(BlockDeviceStatus(signature: "ext4", label: "backup", endsAreZero: false, size: 1 << 30))
        await expect("volume-foreign", .permanent)
    }

    /// Or the member would count as one without data, and the others would replace it.
    @Test func aDamagedSuperblockIsNotTakenForABlankVolume() async throws {
        await attach(BlockDeviceStatus(signature: nil, endsAreZero: false, size: 1 << 30))
        await expect("volume-unrecognised", .permanent)
        let failure = await #expect(throws: Failure.self) { try await volume.format() }
        #expect(failure?.code == "volume-unrecognised" && failure?.hint?.contains("e2fsck -b 32768") == true)
    }

    @Test func whatThisMachineLeftHalfFormattedIsFormatted() async throws {
        await attach(nil)
        await machine.interruptFormatting(of: Self.device)
        #expect(try await volume.look() == .blank)
        try await volume.format()
        #expect(try await volume.look() == .mounted(note: nil, hasData: false))
    }

    @Test func aDamagedNoteIsNotTakenForNone() async throws {
        await attach(Self.ours)
        _ = try await volume.look()
        await machine.put("{", at: Self.mountPoint.appending(MemberVolume.noteFile))
        await expect("etcd-identity-damaged", .permanent)
    }

    @Test(arguments: ["", "a", "/a", "a/", "a/b", "a/a,a", "a/a,B", "a/a,b c"])
    func aLabelThatNamesNoMemberIsRefused(label: String) async throws {
        await attach(Self.blank, label: label)
        let failure = await #expect(throws: Failure.self) { try await volume.membership() }
        #expect(failure?.code == "volume-label-invalid")
    }
}
