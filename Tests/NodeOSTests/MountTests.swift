// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import NodeOS

@Suite struct MountTests {
    @Test func linesOfTheKernelAreParsed() {
        let table = MountTable(
            parsing: """
                21 1 254:0 / / rw,relatime - ext4 /dev/vda rw,errors=remount-ro
                22 21 0:20 / /with\\040blank\\134 rw,nosuid master:1 shared:2 - tmpfs tmp\\011fs rw,size=1k
                23 21 254:0 /var/lib/a /mnt/b ro,relatime - ext4 /dev/vda rw
                nonsense
                24 21 254:0 / relative rw - ext4 /dev/vda rw
                25 21 254:0 / /cut rw -
                """
        )
        #expect(
            table.entries == [
                MountEntry(
                    source: "/dev/vda",
                    path: "/",
                    filesystem: "ext4",
                    options: ["rw", "relatime", "errors=remount-ro"]
                ),
                MountEntry(
                    source: "tmp\tfs",
                    path: "/with blank\\",
                    filesystem: "tmpfs",
                    options: ["rw", "nosuid", "size=1k"]
                ),
                MountEntry(
                    source: "/dev/vda",
                    path: "/mnt/b",
                    filesystem: "ext4",
                    options: ["ro", "relatime"],
                    root: "/var/lib/a"
                ),
            ]
        )
        #expect(table.top(at: "/mnt/b")?.root == "/var/lib/a")
    }

    @Test func optionsAreSortedByWhoTakesThem() {
        let options = MountOptions([
            "defaults", "ro", "noexec", "exec", "size=1m", "x-systemd.automount", "rshared", "nofail",
        ])
        #expect(options.flags == UInt(MS_RDONLY))
        #expect(options.propagation == UInt(MS_SHARED) | UInt(MS_REC))
        #expect(options.data == "size=1m")
        #expect(MountOptions(["rbind"]).isBind)
    }

    @Test func aReadOnlyBindMountIsReadOnly() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let source = directory.appending("a source")
            let target = directory.appending("target")
            for path in [source, target] { try await node.makeDirectory(path, attributes: FileAttributes()) }
            var bind = MountEntry(
                source: source.string,
                path: target,
                filesystem: "none",
                options: ["bind", "ro", "nosuid"]
            )
            try await node.mount(bind)
            let found = try #require(try await node.mounts().last { $0.path == target })
            #expect(found.options.contains("ro") && found.options.contains("nosuid"))
            #expect(found.root.hasSuffix("/a source"))
            #expect(
                await code { try await node.write([], to: target.appending("x"), attributes: FileAttributes()) }
                    == "read-only-filesystem"
            )
            try await node.write([], to: source.appending("x"), attributes: FileAttributes())
            bind.options = ["remount", "bind", "nosuid"]
            try await node.mount(bind)
            try await node.write([], to: target.appending("y"), attributes: FileAttributes())
            #expect(try await node.mounts().count { $0.path == target } == 1)
            try await unmountWhenFree(target)
            try await unmountWhenFree(target)
            #expect(try await node.list(target) == [])
        }
    }

    @Test func whatCannotBeMountedSaysWhy() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let unknown = MountEntry(source: "none", path: directory, filesystem: "nosuchfs")
            let failure = await failure { try await node.mount(unknown) }
            #expect(failure?.hint?.contains("nosuchfs") == true)
            let missing = MountEntry(source: "/none", path: directory, filesystem: "none", options: ["bind"])
            #expect(await code { try await node.mount(missing) } == "not-found")
        }
    }

    @Test func aBlankImageIsFormattedOnceAndMounted() async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let image = directory.appending("image")
            let size: Int64 = 16 << 20
            close(open(image.string, O_CREAT | O_WRONLY, 0o600))
            #expect(truncate(image.string, Int(size)) == 0)
            #expect(try await node.blockDevice(directory.appending("none")) == nil)
            let runner = SubprocessRunner()
            let loop = try await runner.run(Command("losetup", ["--find", "--show", image.string]))
                .filter { !$0.isWhitespace }
            do {
                let device = FilePath(loop)
                let blank = try #require(try await node.blockDevice(device))
                #expect(blank.isBlank && blank.size == size)
                let probe = BlockProbe(files: node.files, runner: runner, marks: directory.appending("marks"))
                try await probe.makeFilesystem("ext4", label: "my label", on: device)
                #expect(try await node.list(directory.appending("marks")) == [])
                let made = try #require(try await node.blockDevice(device))
                #expect(made.signature == "ext4" && made.label == "my label" && !made.isBlank)
                #expect(await code { try await node.makeFilesystem("ext4", label: nil, on: device) } == "not-blank")
                let path = directory.appending("mnt")
                try await node.makeDirectory(path, attributes: FileAttributes())
                try await node.mount(MountEntry(source: loop, path: path, filesystem: "ext4", options: ["noatime"]))
                #expect(try await node.list(path) == ["lost+found"])
                let mount = try await node.mounts().last { $0.path == path }
                #expect(mount?.source == loop && mount?.options.contains("noatime") == true)
                try await unmountWhenFree(path)
            } catch {
                try await runner.run(Command("losetup", ["--detach", loop]))
                throw error
            }
            try await runner.run(Command("losetup", ["--detach", loop]))
        }
    }

    @Test(arguments: [0, 16 << 20 - 1, 1 << 20 - 1])
    func anyByteInTheFirstOrLastMebibyteCounts(_ offset: Int) async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let image = directory.appending("image")
            let file = open(image.string, O_CREAT | O_RDWR, 0o600)
            ftruncate(file, 16 << 20)
            pwrite(file, [UInt8(7)], 1, off_t(offset))
            close(file)
            let status = try await node.blockDevice(image)
            #expect(status?.endsAreZero == false && status?.isHalfFormatted == false)
            #expect(await code { try await node.makeFilesystem("ext4", label: nil, on: image) } == "not-blank")
        }
    }

    /// Killed in the middle of formatting: what is there is ours, and only while nothing else has taken its place.
    @Test func whatWasLeftHalfMadeIsMadeAgain() async throws {
        try await withTemporaryDirectory { root in
            let node = LiveNode(root: root)
            try await node.write([UInt8](repeating: 0, count: 8 << 20), to: "/image", attributes: FileAttributes())
            let dying = BlockProbe(
                files: node.files,
                runner: ScriptedRunner { command, _ in
                    if command.program == "blkid" { return CommandResult(code: 2) }
                    throw Failure(.transient, code: "killed", "killed")
                }
            )
            #expect(await code { try await dying.makeFilesystem("ext4", label: nil, on: "/image") } == "killed")
            let file = open(root.appending("image").string, O_WRONLY)
            pwrite(file, [UInt8(7)], 1, 5000)
            close(file)
            #expect(try await node.blockDevice("/image")?.isHalfFormatted == true)
            try await node.makeFilesystem("ext4", label: nil, on: "/image")
            #expect(try await node.blockDevice("/image")?.signature == "ext4")
            #expect(await code { try await node.makeFilesystem("ext4", label: nil, on: "/image") } == "not-blank")
        }
    }

    @Test func blkidsWordsAreUnescaped() {
        let found = BlockProbe.parse("DEVNAME=/dev/x\nLABEL=my\\ la\\\\bel\nPTTYPE=gpt\nnonsense\n")
        #expect(found == ["DEVNAME": "/dev/x", "LABEL": "my la\\bel", "PTTYPE": "gpt"])
    }
}
