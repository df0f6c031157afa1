// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import SystemPackage
import Testing

/// Every state a volume and the store's record can be in.
@Suite struct EtcdVolumeTests {
    static let device: FilePath = "/dev/loop7"
    static let mountPoint: FilePath = "/mnt/kopslite/etcd-main"
    static let blank = BlockDeviceStatus(signature: nil, endsAreZero: true, size: 1 << 30)
    static let ours = BlockDeviceStatus(signature: "ext4", label: "etcd-main", endsAreZero: false, size: 1 << 30)
    static let identity = EtcdIdentity(
        clusterName: "demo.example.com",
        etcdCluster: "main",
        id: "0123456789abcdef0123456789abcdef",
        initialised: true
    )

    let machine = VolumeMachine()
    let records = FakeRecords()

    func volume(_ records: FakeRecords? = nil, checker: any FilesystemChecker = CleanChecker()) -> EtcdVolume {
        EtcdVolume(
            node: machine,
            finder: AnnouncementFile(node: machine),
            mounter: VolumeMounter(node: machine, checker: checker, label: "etcd-main", mountPoint: Self.mountPoint),
            store: records ?? self.records,
            volumeLabel: "k8s.io/etcd/main",
            clusterName: "demo.example.com",
            etcdCluster: "main"
        )
    }

    func attach(_ status: BlockDeviceStatus?, device: FilePath = Self.device) async {
        if let status { await machine.attach(device, status) }
        await machine.put(
            #"{"volumes":[{"name":"a.etcd-main","device":"\#(device)","size":1073741824,"labels":{"k8s.io/etcd/main":"a/a"}}]}"#,
            at: AnnouncementFile.path
        )
    }

    /// What etcd leaves on the volume.
    func writeData() async {
        await machine.put("wal", at: Self.mountPoint.appending("data/member/wal/0.wal"))
    }

    func expect(
        _ code: String,
        _ kind: Failure.Class,
        from volume: EtcdVolume,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let before = await machine.effects
        let failure = await #expect(throws: Failure.self, sourceLocation: sourceLocation) { try await volume.prepare() }
        #expect(failure?.code == code, "\(failure?.chain ?? "")", sourceLocation: sourceLocation)
        #expect(failure?.kind == kind, sourceLocation: sourceLocation)
        #expect(failure?.hint?.isEmpty == false, "a remedy is named", sourceLocation: sourceLocation)
        let effects = await machine.effects.dropFirst(before.count)
        #expect(!effects.contains { $0.hasPrefix("mkfs") }, "nothing is formatted", sourceLocation: sourceLocation)
    }

    @Test func aBlankVolumeBeginsACluster() async throws {
        await attach(Self.blank)
        let ready = try await volume().prepare()
        #expect(ready.identity.initialised == false)
        #expect(ready.membership.member == "a")
        #expect(await records.record?.isSame(as: ready.identity) == true)
        #expect(await records.record?.initialised == nil, "the store does not say what only the volume knows")
        #expect(await machine.mounted.map(\.path) == [Self.mountPoint])
    }

    @Test func preparingAgainChangesNothing() async throws {
        await attach(Self.blank)
        let first = try await volume().prepare()
        await machine.clearEffects()
        #expect(try await volume().prepare() == first)
        #expect(await machine.effects.isEmpty)
    }

    @Test func theVolumeSurvivesAReboot() async throws {
        await attach(Self.blank)
        let first = try await volume().prepare()
        await writeData()
        try await volume().markInitialised(first)
        await machine.reboot()
        await machine.clearEffects()
        let second = try await volume().prepare()
        #expect(second.identity.id == first.identity.id)
        #expect(second.identity.initialised == true)
        #expect(await machine.effects.filter { $0.hasPrefix("mkfs") || $0.hasPrefix("write") }.isEmpty)
    }

    @Test(arguments: 0..<6) func aCrashBeforeAnyEffectIsMadeUpFor(count: Int) async throws {
        await attach(Self.blank)
        await machine.crash(atEffect: count)
        _ = try? await volume().prepare()
        await machine.crash(atEffect: nil)
        await machine.reboot()
        let ready = try await volume().prepare()
        #expect(await records.record?.isSame(as: ready.identity) == true)
        #expect(await machine.effects.count { $0.hasPrefix("mkfs") } == 1)
    }

    @Test func waitsForAVolume() async throws {
        await expect("volume-not-found", .waiting, from: volume())
        await machine.put(#"{"volumes":[]}"#, at: AnnouncementFile.path)
        await expect("volume-not-found", .waiting, from: volume())
        await attach(nil)
        await expect("volume-not-attached", .waiting, from: volume())
    }

    @Test func twoVolumesAreAQuestionForAPerson() async throws {
        await machine.put(
            #"{"volumes":[{"name":"x","device":"/dev/a","labels":{"k8s.io/etcd/main":"a/a"}},{"name":"y","device":"/dev/b","labels":{"k8s.io/etcd/main":"a/a"}}]}"#,
            at: AnnouncementFile.path
        )
        await expect("volume-ambiguous", .permanent, from: volume())
    }

    @Test(arguments: ["", "a", "a/", "/a", "a/b", "a/a,a", "a/a,,b", "A/A", "a b/a b", "a/a/a", "a=x/a=x"])
    func aLabelThatNamesNoMemberIsRefused(label: String) async {
        let failure = #expect(throws: Failure.self) { try EtcdMembership(label: label, of: "v") }
        #expect(failure?.code == "volume-label-invalid")
    }

    static let foreign: [BlockDeviceStatus] = [
        BlockDeviceStatus(signature: "ext4", label: "backup", endsAreZero: false, size: 1),
        BlockDeviceStatus(signature: "ext4", label: nil, endsAreZero: false, size: 1),
        BlockDeviceStatus(signature: "LVM2_member", endsAreZero: false, size: 1),
        BlockDeviceStatus(signature: "btrfs", label: "etcd-main", endsAreZero: false, size: 1),
        BlockDeviceStatus(signature: nil, partitionTable: "gpt", endsAreZero: false, size: 1),
        BlockDeviceStatus(signature: "ext4", label: "etcd-main", partitionTable: "dos", endsAreZero: false, size: 1),
        BlockDeviceStatus(signature: nil, endsAreZero: false, size: 1),
    ]

    @Test(arguments: foreign) func foreignDataIsNeverTouched(status: BlockDeviceStatus) async throws {
        await attach(status)
        await expect("volume-foreign", .permanent, from: volume())
        #expect(await machine.effects.isEmpty)
    }

    @Test func formattingThatWasInterruptedIsDoneAgain() async throws {
        await attach(Self.blank)
        await machine.interruptFormatting(of: Self.device)
        _ = try await volume().prepare()
        #expect(await machine.mounted.count == 1)
    }

    @Test func theRightVolumeAfterTheWrongOneConverges() async throws {
        await attach(Self.foreign[0])
        await expect("volume-foreign", .permanent, from: volume())
        await attach(Self.blank)
        _ = try await volume().prepare()
    }

    @Test func aBlankVolumeDoesNotReplaceAClusterThatExisted() async throws {
        await attach(Self.blank)
        await expect("etcd-data-missing", .permanent, from: volume(FakeRecords(Self.identity.record)))
        #expect(await machine.effects.isEmpty)
    }

    @Test func aBlankVolumeIsNotFormattedWhileTheStoreIsSilent() async throws {
        await attach(Self.blank)
        await records.setReachable(false)
        await expect("store-unreadable", .transient, from: volume())
        #expect(await machine.effects.isEmpty)
        await records.setReachable(true)
        _ = try await volume().prepare()
    }

    @Test func aVolumeThatServedRunsWithoutTheStore() async throws {
        await attach(Self.blank)
        let first = try await volume().prepare()
        await writeData()
        try await volume().markInitialised(first)
        await machine.reboot()
        await records.setReachable(false)
        let second = try await volume().prepare()
        #expect(second.storeFailure != nil)
        #expect(second.identity.id == first.identity.id)
    }

    @Test func aDataDirectoryThatVanishedIsNotMadeAnew() async throws {
        await attach(Self.blank)
        let first = try await volume().prepare()
        await writeData()
        try await volume().markInitialised(first)
        await machine.remove(Self.mountPoint.appending("data/member/wal/0.wal"))
        await expect("etcd-data-missing", .permanent, from: volume())
    }

    @Test func anotherClustersVolumeIsRefused() async throws {
        await attach(Self.ours)
        var other = Self.identity
        other.clusterName = "other.example.com"
        await machine.put(try other.encoded(), at: Self.mountPoint.appending("identity.json"))
        await writeData()
        await expect("etcd-identity-mismatch", .permanent, from: volume())
    }

    @Test func thisClustersOlderVolumeIsRefused() async throws {
        await attach(Self.ours)
        await machine.put(try Self.identity.encoded(), at: Self.mountPoint.appending("identity.json"))
        await writeData()
        var newer = Self.identity.record
        newer.id = "ffffffffffffffffffffffffffffffff"
        await expect("etcd-identity-mismatch", .permanent, from: volume(FakeRecords(newer)))
    }

    @Test func dataWithoutAnIdentityIsRefused() async throws {
        await attach(Self.ours)
        await writeData()
        await expect("etcd-identity-mismatch", .permanent, from: volume())
    }

    @Test func anEmptyVolumeOfOursDoesNotReplaceAClusterThatExisted() async throws {
        await attach(Self.ours)
        await expect("etcd-data-missing", .permanent, from: volume(FakeRecords(Self.identity.record)))
    }

    @Test func ofTwoMachinesThatBeginOnlyOneMay() async throws {
        await attach(Self.blank)
        await records.race(with: Self.identity.record)
        let failure = await #expect(throws: Failure.self) { try await volume().prepare() }
        #expect(failure?.code == "etcd-identity-mismatch")
    }

    @Test func anUnrecordedIdentityIsRecorded() async throws {
        await attach(Self.ours)
        await machine.put(try Self.identity.encoded(), at: Self.mountPoint.appending("identity.json"))
        await writeData()
        _ = try await volume().prepare()
        #expect(await records.record == Self.identity.record)
    }

    @Test func aDamagedIdentityIsAQuestionForAPerson() async throws {
        await attach(Self.ours)
        await machine.put("{", at: Self.mountPoint.appending("identity.json"))
        await expect("etcd-identity-damaged", .permanent, from: volume())
    }

    @Test func aLinkedDeviceIsTheDeviceItPointsTo() async throws {
        await machine.link(from: "/dev/disk/by-id/google-a", to: "../../loop7")
        await attach(nil, device: "/dev/disk/by-id/google-a")
        await machine.attach(Self.device, Self.blank)
        _ = try await volume().prepare()
        #expect(await machine.mounted.map(\.source) == ["/dev/loop7"])
        _ = try await volume().prepare()
        #expect(await machine.mounted.count == 1)
    }

    @Test func somethingElseOnTheMountPointIsLeftAlone() async throws {
        await attach(Self.ours)
        try await machine.mount(MountEntry(source: "/dev/sdz", path: Self.mountPoint, filesystem: "ext4"))
        await expect("mount-point-taken", .permanent, from: volume())
    }

    @Test func damageThatNeedsAPersonKeepsTheVolumeUnmounted() async throws {
        await attach(Self.ours)
        let runner = ScriptedRunner(result: CommandResult(code: 4, output: Array("UNEXPECTED INCONSISTENCY\n".utf8)))
        await expect("volume-damaged", .permanent, from: volume(checker: Fsck(runner: runner)))
        #expect(await machine.mounted.isEmpty)
    }

    @Test(
        arguments: [
            (0, nil), (1, nil), (3, nil), (4, "volume-damaged"), (5, "volume-damaged"), (8, "fsck-failed"),
            (137, "fsck-failed"),
        ]
            as [(Int32, String?)]
    )
    func fscksExitCodesMeanWhatTheManualSays(code: Int32, failure: String?) async throws {
        let fsck = Fsck(runner: ScriptedRunner(result: CommandResult(code: code)))
        do {
            try await fsck.check("/dev/x", filesystem: "ext4")
            #expect(failure == nil)
        } catch let error as Failure {
            #expect(error.code == failure)
        }
    }
}

/// Answers every command alike.
struct ScriptedRunner: CommandRunner {
    let result: CommandResult
    func result(of command: Command) -> CommandResult { result }
}
