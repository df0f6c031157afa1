// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Glibc
import NodeOS
import SystemPackage
import Testing

/// Real disks that grow, are full, cannot be written to, or hold something else.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root has loop devices and mounts"), .timeLimit(.minutes(3)))
struct RealDiskTests {
    typealias Bench = RealVolumeTests.Bench

    static let hasXFS =
        getenv("CI") != nil
        || access("/usr/sbin/mkfs.xfs", X_OK) == 0 && Proc.words("/proc/filesystems").contains("xfs")

    /// The file system and the disk are of one size, but for what is too little for either.
    func expectGrown(_ bench: Bench, to bytes: Int64) async throws {
        let status = try #require(try await bench.node.blockDevice(FilePath(bench.device)))
        #expect(status.size == bytes)
        #expect(status.filesystemSize.map { bytes - $0 < 1 << 20 } == true, "\(status)")
        #expect(try await bench.volume.look() == .mounted(note: MemberVolumeTests.note, hasData: false))
    }

    @Test func ext4GrowsWithItsDiskWhileItIsMounted() async throws {
        try await Bench.run { bench in
            try await bench.volume.format()
            try await bench.volume.write(MemberVolumeTests.note)
            #expect(try await !bench.volume.grow(), "it is as large as its disk")
            try await bench.enlarge(to: "256M")
            guard Proc.mayResize else {
                // The kernel lets nobody without CAP_SYS_RESOURCE do it, root of a container among them.
                let failure = await #expect(throws: Failure.self) { try await bench.volume.grow() }
                #expect(failure?.code == "volume-not-grown")
                #expect(failure?.chain.contains("Permission denied to resize filesystem") == true)
                #expect(try await bench.volume.look() == .mounted(note: MemberVolumeTests.note, hasData: false))
                return
            }
            #expect(try await bench.volume.grow())
            #expect(try await !bench.volume.grow(), "once is enough")
            try await expectGrown(bench, to: 256 << 20)
        }
    }

    @Test(.enabled(if: hasXFS, "xfsprogs or the kernel's xfs are not there: run packaging/prerequisites"))
    func xfsGrowsWithItsDiskWhileItIsMounted() async throws {
        try await Bench.run(size: "320M") { bench in
            try await Bench.tool("mkfs.xfs", "-q", "-L", "etcd-main", bench.device)
            #expect(try await bench.volume.look() == .mounted(note: nil, hasData: false))
            try await bench.volume.write(MemberVolumeTests.note)
            #expect(try await !bench.volume.grow(), "it is as large as its disk")
            try await bench.enlarge(to: "640M")
            #expect(try await bench.volume.grow())
            _ = try await bench.volume.grow()
            // Only now is it certain that xfs has written its size back.
            try await Bench.tool("umount", bench.mountPoint.string)
            _ = try await bench.volume.look()
            #expect(try await !bench.volume.grow(), "once is enough")
            try await expectGrown(bench, to: 640 << 20)
        }
    }

    @Test func aDiskThatCannotBeWrittenToIsRefused() async throws {
        try await Bench.run { bench in
            try await Bench.tool("blockdev", "--setro", bench.device)
            var failure = await #expect(throws: Failure.self) { try await bench.volume.look() }
            #expect(failure?.code == "volume-read-only", "blank")
            try await Bench.tool("blockdev", "--setrw", bench.device)
            try await bench.volume.format()
            try await Bench.tool("umount", bench.mountPoint.string)
            try await Bench.tool("blockdev", "--setro", bench.device)
            failure = await #expect(throws: Failure.self) { try await bench.volume.look() }
            #expect(failure?.code == "volume-read-only", "formatted")
            #expect(failure?.hint?.isEmpty == false)
        }
    }

    @Test func aFullDiskKeepsTheNoteOfBefore() async throws {
        try await Bench.run { bench in
            try await bench.volume.format()
            try await bench.volume.write(MemberVolumeTests.note)
            let aside = bench.mountPoint.appending("data.replaced")
            try await bench.node.makeDirectory(aside, attributes: FileAttributes())
            for size in ["1M", "1k"] {
                let file = aside.appending("filled-\(size)")
                _ = try? await Bench.tool("dd", "if=/dev/zero", "of=\(file)", "bs=\(size)", "status=none")
            }
            var next = MemberVolumeTests.note
            next.epoch = 2
            let failure = await #expect(throws: Failure.self) { try await bench.volume.write(next) }
            #expect(failure?.code == "disk-full", "\(failure?.chain ?? "")")
            #expect(failure?.hint?.contains("make the volume larger") == true)
            #expect(try await bench.volume.look() == .mounted(note: MemberVolumeTests.note, hasData: false))
            try await bench.node.remove(aside)
            try await bench.volume.write(next)
            #expect(try await bench.volume.look() == .mounted(note: next, hasData: false))
        }
    }

    @Test func aPartitionedDiskStaysAsItIs() async throws {
        try await Bench.run { bench in
            // One partition of type 83 from sector 2048 on, and the signature of a master boot record.
            let entry: [UInt8] = [0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0]
            let file = try FileDescriptor.open(FilePath(bench.device), .writeOnly)
            try file.closeAfter {
                try file.writeAll(toAbsoluteOffset: 446, entry)
                try file.writeAll(toAbsoluteOffset: 510, [0x55, 0xAA])
            }
            let before = try await bench.node.sha256(of: bench.directory.appending("image"))
            for attempt in ["look", "format"] {
                let failure = await #expect(throws: Failure.self) {
                    if attempt == "look" { _ = try await bench.volume.look() } else { try await bench.volume.format() }
                }
                #expect(failure?.code == "volume-foreign", "\(attempt)")
                #expect(failure?.message.contains("a dos partition table") == true)
            }
            #expect(try await bench.node.sha256(of: bench.directory.appending("image")) == before)
        }
    }

    @Test func aDiskWithoutRoomForAFileSystemIsFormattedOnceThereIs() async throws {
        try await Bench.run(size: "64k") { bench in
            let failure = await #expect(throws: Failure.self) { try await bench.volume.format() }
            #expect(failure?.code == "mkfs-failed", "\(failure?.chain ?? "")")
            #expect(failure?.hint?.isEmpty == false)
            #expect(try await bench.volume.look() == .blank)
            try await bench.enlarge(to: "64M")
            try await bench.volume.format()
            #expect(try await bench.volume.look() == .mounted(note: nil, hasData: false))
        }
    }
}

/// What the kernel says (proc(5)).
private enum Proc {
    /// Whether CAP_SYS_RESOURCE is among the effective capabilities (capabilities(7)).
    static var mayResize: Bool {
        let words = words("/proc/self/status")
        guard let index = words.firstIndex(of: "CapEff:"), let bits = UInt64(words[index + 1], radix: 16) else {
            return false
        }
        return bits & 1 << 24 != 0
    }

    static func words(_ path: FilePath) -> [String] {
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return [] }
        let bytes = try? file.closeAfter {
            try [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
        return String(decoding: bytes ?? [], as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
