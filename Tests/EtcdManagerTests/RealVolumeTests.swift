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
        var mountPoint: FilePath { directory.appending("mnt") }

        func volume(_ records: any EtcdIdentityStore) -> EtcdVolume {
            EtcdVolume(
                node: node,
                finder: AnnouncementFile(node: node, path: directory.appending("volumes.json")),
                mounter: VolumeMounter(node: node, checker: Fsck(), label: "etcd-main", mountPoint: mountPoint),
                store: records,
                volumeLabel: "k8s.io/etcd/main",
                clusterName: "demo.example.com",
                etcdCluster: "main"
            )
        }

        static func run(_ body: (Bench) async throws -> Void) async throws {
            let directory = FilePath("/tmp/etcd-volume-\(UInt64.random(in: .min ... .max))")
            try await tool("mkdir", "-p", directory.string)
            try await tool("truncate", "-s", "64M", directory.appending("image").string)
            let device = try await tool("losetup", "--find", "--show", directory.appending("image").string)
            let bench = Bench(directory: directory, device: device)
            do {
                try await bench.node.write(
                    Array(
                        #"{"volumes":[{"name":"a","device":"\#(device)","labels":{"k8s.io/etcd/main":"a/a"}}]}"#.utf8
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
            _ = try? await Self.tool("losetup", "--detach", device)
            _ = try? await Self.tool("rm", "-rf", directory.string)
        }

        @discardableResult
        static func tool(_ name: String, _ arguments: String...) async throws -> String {
            let runner = SubprocessRunner()
            return try await runner.run(Command(name, arguments)).filter { !$0.isNewline }
        }
    }

    @Test func aBlankDeviceBecomesThisClustersVolumeForEver() async throws {
        try await Bench.run { bench in
            let records = FakeRecords()
            let first = try await bench.volume(records).prepare()
            let data = bench.mountPoint.appending("data/member")
            try await bench.node.makeDirectory(data, attributes: FileAttributes())
            try await bench.node.write([1, 2, 3], to: data.appending("db"), attributes: FileAttributes())
            try await bench.volume(records).markInitialised(first)

            // As after a reboot, with and without the store.
            for reachable in [true, false] {
                try await Bench.tool("umount", bench.mountPoint.string)
                await records.setReachable(reachable)
                let again = try await bench.volume(records).prepare()
                #expect(again.identity.id == first.identity.id)
                #expect(try await bench.node.read(data.appending("db")) == [1, 2, 3])
            }
        }
    }

    @Test func whatSomebodyElseFormattedStaysAsItIs() async throws {
        try await Bench.run { bench in
            try await Bench.tool("mkfs.ext4", "-q", "-L", "backup", bench.device)
            let before = try await bench.node.sha256(of: bench.directory.appending("image"))
            let volume = bench.volume(FakeRecords())
            let failure = await #expect(throws: Failure.self) { try await volume.prepare() }
            #expect(failure?.code == "volume-foreign")
            #expect(failure?.message.contains(#"ext4 labelled "backup""#) == true)
            #expect(try await bench.node.sha256(of: bench.directory.appending("image")) == before)
        }
    }

    @Test func aFileSystemThatWasNotUnmountedIsCheckedAndMounted() async throws {
        try await Bench.run { bench in
            let records = FakeRecords()
            let first = try await bench.volume(records).prepare()
            try await Bench.tool("umount", bench.mountPoint.string)
            // Valid off, errors on: what e2fsck -p repairs at the next mount.
            try await Bench.tool("debugfs", "-w", "-R", "ssv state 2", bench.device)
            let again = try await bench.volume(records).prepare()
            #expect(again.identity.id == first.identity.id)
            let state = try await Bench.tool("dumpe2fs", "-h", bench.device)
            #expect(state.contains("Filesystem state:         clean"))
        }
    }
}
