// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import NodeOS

@Suite struct FilesTests {
    @Test(arguments: [nil, "root"])
    func whatIsWrittenIsReadBack(below: String?) async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode(root: below == nil ? "/" : directory)
            let path: FilePath = below == nil ? directory.appending("a") : "/a"
            for size in [0, 1, 4095, 4096, 70_000, 300_000] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                try await node.write(bytes, to: path, attributes: FileAttributes(mode: 0o4750, uid: 12, gid: 34))
                #expect(try await node.read(path) == bytes)
                let expected = FileStatus(kind: .regular, mode: 0o4750, uid: 12, gid: 34, size: Int64(size))
                #expect(try await node.status(of: path) == expected)
            }
        }
    }

    @Test func attributesThatAreLeftOutStay() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let path = directory.appending("a")
            umask(0o077)
            defer { umask(0o022) }
            try await node.write([], to: path, attributes: FileAttributes())
            #expect(try await node.status(of: path)?.mode == 0o644)
            try await node.write([], to: path, attributes: FileAttributes(mode: 0o600, uid: 7, gid: 8))
            try await node.write([1], to: path, attributes: FileAttributes(gid: 9))
            let status = try await node.status(of: path)
            #expect(status == FileStatus(kind: .regular, mode: 0o600, uid: 7, gid: 9, size: 1))
            try await node.setAttributes(FileAttributes(mode: 0o640), of: path)
            #expect(try await node.status(of: path)?.mode == 0o640)
            #expect(try await node.status(of: path)?.uid == 7)
        }
    }

    @Test func directoriesComeWithTheirParents() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode(root: directory)
            try await node.makeDirectory("/a/b/c", attributes: FileAttributes(mode: 0o2700, uid: 3, gid: 4))
            #expect(try await node.status(of: "/a/b")?.mode == 0o755)
            let status = try await node.status(of: "/a/b/c")
            #expect(status?.kind == .directory && status?.mode == 0o2700 && status?.uid == 3 && status?.gid == 4)
            try await node.makeDirectory("/a/b/c", attributes: FileAttributes(mode: 0o711))
            #expect(try await node.status(of: "/a/b/c")?.mode == 0o711)
            #expect(try await node.status(of: "/a/b/c")?.uid == 3)
            try await node.write([], to: "/a/file", attributes: FileAttributes())
            #expect(
                await code { try await node.makeDirectory("/a/file", attributes: FileAttributes()) }
                    == "not-a-directory"
            )
            #expect(await code { try await node.makeDirectory("/a/file/b", attributes: FileAttributes()) } != nil)
        }
    }

    @Test func aDigestIsTheOneOfTheStandard() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let path = directory.appending("a")
            try await node.write("abc".bytes, to: path, attributes: FileAttributes())
            let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            #expect(try await node.sha256(of: path) == expected)
            try await node.write([UInt8](repeating: 97, count: 1_000_000), to: path, attributes: FileAttributes())
            let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            #expect(try await node.sha256(of: path) == million)
            let copy = directory.appending("copy")
            try await node.install(path, sha256: million, to: copy, attributes: FileAttributes(mode: 0o755))
            #expect(try await node.sha256(of: copy) == million)
            #expect(
                await code { try await node.install(path, sha256: expected, to: copy, attributes: FileAttributes()) }
                    == "digest-mismatch"
            )
            #expect(try await node.sha256(of: copy) == million)
            #expect(try await node.list(directory) == ["a", "copy"])
            #expect(try names(in: openat(AT_FDCWD, directory.string, O_RDONLY), directory).sorted() == ["a", "copy"])
        }
    }

    @Test func leftoversOfTheDeadAreSweptAndTheLivingAreNot() async throws {
        try await withTemporaryDirectory { directory in
            let names = (1...3).map { "\(AtomicFile.prefix)\($0)" }
            for name in names.dropLast() { close(open(directory.appending(name).string, O_CREAT | O_WRONLY, 0o600)) }
            symlink("nowhere", directory.appending(names[2]).string)
            let living = open(directory.appending(names[0]).string, O_WRONLY)
            defer { close(living) }
            #expect(flock(living, LOCK_EX) == 0)
            let node = LiveNode()
            #expect(try await node.list(directory) == [])
            try await node.write([], to: directory.appending("a"), attributes: FileAttributes())
            var status = stat()
            #expect(lstat(directory.appending(names[0]).string, &status) == 0)
            #expect(lstat(directory.appending(names[1]).string, &status) != 0)
            #expect(lstat(directory.appending(names[2]).string, &status) != 0)
        }
    }

    @Test func aLinkIsReplacedInOneStepAndNeverFollowed() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let file = directory.appending("file")
            let link = directory.appending("link")
            try await node.write("x".bytes, to: file, attributes: FileAttributes())
            try await node.link(link, to: "nowhere")
            try await node.link(link, to: "file")
            #expect(try await node.target(of: link) == "file")
            #expect(try await node.target(of: file) == nil)
            #expect(try await node.text(link) == "x")
            try await node.write("y".bytes, to: link, attributes: FileAttributes())
            #expect(try await node.status(of: link)?.kind == .regular)
            #expect(try await node.text(file) == "x")
            #expect(try await node.list(directory) == ["file", "link"])
        }
    }

    @Test func removingTakesEverythingBelowAndNothingBehindALink() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode(root: directory)
            try await node.makeDirectory("/keep", attributes: FileAttributes())
            try await node.write([], to: "/keep/me", attributes: FileAttributes())
            try await node.makeDirectory("/go/deep/down", attributes: FileAttributes())
            try await node.write([], to: "/go/deep/file", attributes: FileAttributes())
            try await node.link("/go/deep/link", to: "../../keep")
            try await node.link("/linked", to: "keep")
            try await node.remove("/go")
            try await node.remove("/linked")
            try await node.remove("/never/there")
            #expect(try await node.list("/") == ["keep"])
            #expect(try await node.list("/keep") == ["me"])
        }
    }

    @Test func removingStopsAtMounts() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let source = directory.appending("source")
            let target = directory.appending("tree").appending("target")
            try await node.makeDirectory(source, attributes: FileAttributes())
            try await node.makeDirectory(target, attributes: FileAttributes())
            try await node.write([], to: source.appending("me"), attributes: FileAttributes())
            let bind = MountEntry(source: source.string, path: target, filesystem: "none", options: ["bind"])
            try await node.mount(bind)
            #expect(await code { try await node.remove(directory.appending("tree")) } == "is-mounted")
            #expect(try await node.list(source) == ["me"])
            try await unmountWhenFree(target)
            try await node.remove(directory.appending("tree"))
            #expect(try await node.list(directory) == ["source"])
        }
    }

    @Test func renamingGoesOverTheTarget() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode(root: directory)
            try await node.write("1".bytes, to: "/a", attributes: FileAttributes())
            try await node.write("2".bytes, to: "/b", attributes: FileAttributes())
            try await node.rename("/a", to: "/b")
            #expect(try await node.list("/") == ["b"])
            #expect(try await node.text("/b") == "1")
        }
    }

    @Test func aFullDiskLeavesTheOldFile() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            try await node.mount(
                MountEntry(source: "tmpfs", path: directory, filesystem: "tmpfs", options: ["size=64k", "nodev"])
            )
            let path = directory.appending("a")
            try await node.write("old".bytes, to: path, attributes: FileAttributes())
            let large = [UInt8](repeating: 1, count: 200_000)
            let full = await failure { try await node.write(large, to: path, attributes: FileAttributes()) }
            #expect(full?.code == "disk-full" && full?.kind == .permanent && full?.hint != nil)
            #expect(try await node.text(path) == "old")
            try await node.mount(
                MountEntry(source: "tmpfs", path: directory, filesystem: "tmpfs", options: ["remount", "ro"])
            )
            let readOnly = await failure { try await node.write([], to: path, attributes: FileAttributes()) }
            #expect(readOnly?.code == "read-only-filesystem" && readOnly?.kind == .permanent)
            #expect(try await node.list(directory) == ["a"])
        }
    }

    @Test func whatCannotBeReadSaysWhy() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            mkfifo(directory.appending("pipe").string, 0o600)
            #expect(await code { _ = try await node.read(directory.appending("pipe")) } == "not-a-file")
            #expect(await code { _ = try await node.read(directory) } == "is-a-directory")
            let missing = await failure { _ = try await node.read(directory.appending("none")) }
            #expect(missing?.code == "not-found")
            #expect(missing?.chain == "cannot read \(directory)/none: No such file or directory")
            #expect(await code { _ = try await node.read("relative") } == "path-not-absolute")
            let below = try await node.status(of: directory.appending("pipe").appending("below"))
            #expect(below == nil)
            #expect(try await node.list(directory.appending("none")) == [])
            #expect(try await !node.read("/proc/self/status").isEmpty)
        }
    }
}
