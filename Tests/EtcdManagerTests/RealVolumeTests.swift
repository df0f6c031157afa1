// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Glibc
import NodeOS
import Subprocess
import SystemPackage
import Testing

/// The same volume on a real loop device: mkfs, mount, e2fsck.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root has loop devices and mounts"), .timeLimit(.minutes(3)))
struct RealVolumeTests {
    /// A loop device, an announcement and a mount point that go away with the test.
    struct Bench: Sendable {
        let directory: FilePath
        let device: String
        let node = LiveNode()
        let store = SwitchedStore()
        var mountPoint: FilePath { directory.appending("mnt") }

        var volume: MemberVolume {
            let disk = MemberDisk(
                clusterName: MemberVolumeTests.note.clusterName,
                etcdCluster: "main",
                label: "k8s.io/etcd/main",
                node: node,
                finder: AnnouncementFile(node: node, path: directory.appending("volumes.json")),
                claimant: VolumeClaimant(machine: "cp-1", registers: store.registers),
                mounter: VolumeMounter(
                    node: node,
                    tools: FilesystemPrograms(),
                    label: "etcd-main",
                    mountPoint: mountPoint
                )
            )
            return MemberVolume(node: node, directory: mountPoint, source: .disk(disk))
        }

        /// Makes the disk larger, and lets the kernel know.
        func enlarge(to size: String) async throws {
            try await Self.tool("truncate", "-s", size, directory.appending("image").string)
            try await Self.tool("losetup", "--set-capacity", device)
        }

        static func run(size: String = "64M", _ body: (Bench) async throws -> Void) async throws {
            let directory = FilePath("/tmp/etcd-volume-\(UInt64.random(in: .min ... .max))")
            try await tool("mkdir", "-p", directory.string)
            try await tool("truncate", "-s", size, directory.appending("image").string)
            let device = try await tool("losetup", "--find", "--show", directory.appending("image").string)
            let bench = Bench(directory: directory, device: device)
            do {
                try await bench.node.write(
                    Array(
                        #"{"volumes":[{"name":"a","device":"\#(device)","exclusive":true,"labels":{"k8s.io/etcd/main":"a/a"}}]}"#
                            .utf8
                    ),
                    to: directory.appending("volumes.json"),
                    attributes: FileAttributes()
                )
                try await body(bench)
            } catch {
                await bench.end()
                throw error
            }
            await bench.end()
        }

        private func end() async {
            _ = try? await Self.tool("umount", mountPoint.string)
            // The kernel's devices keep this for the next file.
            _ = try? await Self.tool("blockdev", "--setrw", device)
            _ = try? await Self.tool("losetup", "--detach", device)
            _ = try? await Self.tool("rm", "-rf", directory.string)
        }

        @discardableResult
        static func tool(_ name: String, _ arguments: String...) async throws -> String {
            let runner = SubprocessRunner()
            return try await runner.run(Command(name, arguments)).filter { !$0.isNewline }
        }
    }

    @Test func aBlankDeviceIsFormattedOnceAndKeepsWhatIsOnIt() async throws {
        try await Bench.run { bench in
            #expect(try await bench.volume.look() == .blank)
            try await bench.volume.format()
            try await bench.volume.write(MemberVolumeTests.note)
            let data = bench.mountPoint.appending("data/member")
            try await bench.node.makeDirectory(data, attributes: FileAttributes())
            try await bench.node.write([1, 2, 3], to: data.appending("db"), attributes: FileAttributes())
            // As after a reboot.
            try await Bench.tool("umount", bench.mountPoint.string)
            #expect(try await bench.volume.look() == .mounted(note: MemberVolumeTests.note, hasData: true))
            #expect(try await bench.node.read(data.appending("db")) == [1, 2, 3])
        }
    }

    @Test func whatSomebodyElseFormattedStaysAsItIs() async throws {
        try await Bench.run { bench in
            try await Bench.tool("mkfs.ext4", "-q", "-L", "backup", bench.device)
            let before = try await bench.node.sha256(of: bench.directory.appending("image"))
            var failure = await #expect(throws: Failure.self) { try await bench.volume.look() }
            #expect(failure?.code == "volume-foreign")
            #expect(failure?.message.contains(#"ext4 labelled "backup""#) == true)
            failure = await #expect(throws: Failure.self) { try await bench.volume.format() }
            #expect(failure?.code == "volume-foreign")
            #expect(try await bench.node.sha256(of: bench.directory.appending("image")) == before)
        }
    }

    @Test func aDamagedSuperblockIsToldOfAndCanBeRepaired() async throws {
        try await Bench.run { bench in
            try await bench.volume.format()
            try await bench.volume.write(MemberVolumeTests.note)
            try await Bench.tool("umount", bench.mountPoint.string)
            let places = try await Bench.tool("mke2fs", "-n", "-F", bench.device)
            let words = places.split { !$0.isNumber && !$0.isLetter }.map(String.init)
            let copy = try #require(words.drop { $0 != "stored" }.first { Int($0) != nil })
            try await Bench.tool(
                "dd",
                "if=/dev/zero",
                "of=\(bench.device)",
                "bs=1k",
                "seek=1",
                "count=1",
                "conv=notrunc"
            )
            for attempt in ["look", "format"] {
                let failure = await #expect(throws: Failure.self) {
                    if attempt == "look" { _ = try await bench.volume.look() } else { try await bench.volume.format() }
                }
                #expect(failure?.code == "volume-unrecognised", "\(attempt): \(failure?.chain ?? "")")
            }
            _ = try? await Bench.tool("e2fsck", "-y", "-b", copy, bench.device)
            #expect(try await bench.volume.look() == .mounted(note: MemberVolumeTests.note, hasData: false), "\(copy)")
        }
    }

    @Test func aFileSystemThatWasNotUnmountedIsCheckedAndMounted() async throws {
        try await Bench.run { bench in
            try await bench.volume.format()
            try await bench.volume.write(MemberVolumeTests.note)
            try await Bench.tool("umount", bench.mountPoint.string)
            // Valid off, errors on: what e2fsck -p repairs at the next mount.
            try await Bench.tool("debugfs", "-w", "-R", "ssv state 2", bench.device)
            #expect(try await bench.volume.look() == .mounted(note: MemberVolumeTests.note, hasData: false))
            let state = try await Bench.tool("dumpe2fs", "-h", bench.device)
            #expect(state.contains("Filesystem state:         clean"))
        }
    }

    @Test func dataThatIsSetAsideIsKept() async throws {
        try await Bench.run { bench in
            try await bench.volume.format()
            let data = bench.mountPoint.appending("data/member")
            try await bench.node.makeDirectory(data, attributes: FileAttributes())
            try await bench.node.write([1, 2, 3], to: data.appending("db"), attributes: FileAttributes())
            try await bench.volume.setAside(.replaced)
            #expect(try await bench.volume.look() == .mounted(note: nil, hasData: false))
            #expect(try await bench.node.read(bench.mountPoint.appending("data.replaced/member/db")) == [1, 2, 3])
        }
    }
}
