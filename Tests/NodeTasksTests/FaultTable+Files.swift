// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage

private typealias Row = Fault<FaultBench>
private let large = String(repeating: "x", count: 200_000)

extension FaultTableTests {
    /// The file system has no room, or takes no changes.
    static let disks: [Fault<FaultBench>] = [
        Row("no space for a file", .permanent, "disk-full", "df -h") { bench in
            try await bench.mount(["size=64k"], on: "/d")
            try await bench.run(FileTask("/d/f", contents: large))
        },
        Row("no space for a larger file in place of one", .permanent, "disk-full", "df -h") { bench in
            try await bench.mount(["size=64k"], on: "/d")
            try await bench.put("old", at: "/d/f")
            try await bench.run(FileTask("/d/f", contents: large))
        },
        Row("no inode for a file", .permanent, "disk-full", "df -i") { bench in
            try await bench.mount(["nr_inodes=1"], on: "/d")
            try await bench.run(FileTask("/d/f", contents: "x"))
        },
        Row("no inode for a directory", .permanent, "disk-full", "df -i") { bench in
            try await bench.mount(["nr_inodes=1"], on: "/d")
            try await bench.run(DirectoryTask("/d/e"))
        },
        Row("no inode for a link", .permanent, "disk-full", "df -i") { bench in
            try await bench.mount(["nr_inodes=1"], on: "/d")
            try await bench.run(SymlinkTask("/d/l", target: "x"))
        },
        Row("no space to copy a file to", .permanent, "disk-full", "df -h") { bench in
            try await bench.put(large, at: "/source")
            try await bench.mount(["size=64k"], on: "/d")
            let content = FileTask.Content.file("/source", sha256: digest(large))
            try await bench.run(FileTask("/d/f", content: content))
        },
        Row("a read-only file system", .permanent, "read-only-filesystem", "remount it read-write") { bench in
            try await bench.mount(["ro"], on: "/d")
            try await bench.run(FileTask("/d/f", contents: "x"))
        },
        Row("a read-only bind mount", .permanent, "read-only-filesystem", "remount it read-write") { bench in
            try await bench.put("old", at: "/source/f")
            try await bench.mount(["bind", "ro"], on: "/d", source: bench.host("/source").string)
            try await bench.run(FileTask("/d/f", contents: "new"))
        },
        Row("a mode on a read-only file system", .permanent, "read-only-filesystem", "remount it read-write") { bench in
            try await bench.mount([], on: "/d")
            try await bench.put("x", at: "/d/f")
            try await bench.mount(["remount", "ro"], on: "/d")
            try await bench.run(FileTask("/d/f", contents: "x", mode: 0o600))
        },
        Row("a removal from a read-only file system", .permanent, "read-only-filesystem", "remount it") { bench in
            try await bench.mount([], on: "/d")
            try await bench.put("x", at: "/d/f")
            try await bench.mount(["remount", "ro"], on: "/d")
            try await bench.run(FileTask("/d/f", content: .bytes([]), ensure: .absent))
        },
        Row("an immutable file", .permanent, "permission-denied", "lsattr") { bench in
            try await bench.put("old", at: "/f")
            try await bench.freeze("/f")
            try await bench.run(FileTask("/f", contents: "new"))
        },
        Row("an immutable directory", .permanent, "permission-denied", "lsattr") { bench in
            try await bench.put("old", at: "/d/f")
            try await bench.freeze("/d")
            try await bench.run(FileTask("/d/g", contents: "new"))
        },
        Row("an immutable file below a directory to go", .permanent, "permission-denied", "lsattr") { bench in
            try await bench.put("x", at: "/d/f")
            try await bench.freeze("/d/f")
            try await bench.run(DirectoryTask("/d", ensure: .absent))
        },
        Row("another user's directory", .permanent, "permission-denied", "run as root") { bench in
            try await bench.node.makeDirectory("/d", attributes: FileAttributes(mode: 0o700))
            try await bench.run(FileTask("/d/f", contents: "x"), under: .actingAs(65_534))
        },
    ]

    /// Something stands where something else is declared.
    static let obstacles: [Fault<FaultBench>] = [
        Row("a directory in place of a file", .permanent, "not-a-file", "move away") { bench in
            try await bench.put("x", at: "/f/inside")
            try await bench.run(FileTask("/f", contents: "x"))
        },
        Row("a pipe in place of a file", .permanent, "not-a-file", "move away") { bench in
            mkfifo(bench.host("/f").string, 0o600)
            try await bench.run(FileTask("/f", contents: "x"))
        },
        Row("a socket in place of a directory", .permanent, "not-a-directory", "move away") { bench in
            mknod(bench.host("/d").string, S_IFSOCK | 0o600, 0)
            try await bench.run(DirectoryTask("/d"))
        },
        Row("a file in place of a directory", .permanent, "not-a-directory", "move away") { bench in
            try await bench.put("x", at: "/d")
            try await bench.run(DirectoryTask("/d"))
        },
        Row("a file in place of a link", .permanent, "not-a-symlink", "move away") { bench in
            try await bench.put("x", at: "/l")
            try await bench.run(SymlinkTask("/l", target: "f"))
        },
        Row("a file on the way to a file", .permanent, "not-a-directory", "move away") { bench in
            try await bench.put("x", at: "/a")
            try await bench.run(FileTask("/a/b", contents: "x"))
        },
        Row("a file on the way to a directory", .permanent, "not-a-directory", "move away") { bench in
            try await bench.put("x", at: "/a")
            try await bench.run(DirectoryTask("/a/b/c"))
        },
        Row("a mount below a directory to go", .permanent, "is-mounted", "unmount") { bench in
            try await bench.put("x", at: "/d/f")
            try await bench.mount([], on: "/d/m")
            try await bench.run(DirectoryTask("/d", ensure: .absent))
        },
        Row("a mount on a file to be replaced", .permanent, "is-mounted", "unmount") { bench in
            try await bench.put("x", at: "/a")
            try await bench.put("y", at: "/f")
            let (source, path) = (bench.host("/a"), bench.host("/f"))
            try await LiveNode().mount(
                MountEntry(source: source.string, path: path, filesystem: "none", options: ["bind"])
            )
            try await bench.run(FileTask("/f", contents: "new"))
        },
        Row("a mount on a file to go", .permanent, "is-mounted", "unmount") { bench in
            try await bench.put("x", at: "/a")
            try await bench.put("y", at: "/f")
            let (source, path) = (bench.host("/a"), bench.host("/f"))
            try await LiveNode().mount(
                MountEntry(source: source.string, path: path, filesystem: "none", options: ["bind"])
            )
            try await bench.run(FileTask("/f", content: .bytes([]), ensure: .absent))
        },
        Row("a name that is too long", .permanent, "name-too-long", "255 bytes") { bench in
            let name = String(repeating: "n", count: 256)
            try await bench.run(FileTask(FilePath("/").appending(name), contents: "x"))
        },
        Row("another file system on the way of a rename", .permanent, "other-filesystem", "unmount") { bench in
            try await bench.put("x", at: "/f")
            try await bench.mount([], on: "/d")
            try await bench.untouched { try await bench.node.rename("/f", to: "/d/f") }
        },
    ]

    /// Symbolic links that lead nowhere, or elsewhere.
    static let links: [Fault<FaultBench>] = [
        Row("a loop of links", .permanent, "symlink-loop", "remove one of the symbolic links") { bench in
            try await bench.node.link("/a", to: "b")
            try await bench.node.link("/b", to: "a")
            try await bench.run(FileTask("/a/f", contents: "x"))
        },
        Row("a loop of links on the machine itself", .permanent, "symlink-loop", "remove one") { bench in
            try await bench.node.link("/a", to: "a")
            try await bench.run(FileTask(bench.host("/a/f"), contents: "x"), on: LiveNode())
        },
        Row("a link that climbs out of the root", .permanent, "path-escapes-root", "replace the symbolic link") {
            bench in
            try await LiveNode().makeDirectory(bench.directory.appending("out"), attributes: FileAttributes())
            try await bench.node.link("/etc", to: "../out")
            try await bench.run(FileTask("/etc/f", contents: "x"))
        },
        Row("a link to a directory outside of the root", .permanent, "path-escapes-root", "replace") { bench in
            try await bench.node.link("/etc", to: "/usr/share")
            try await bench.run(FileTask("/etc/f", contents: "x"))
        },
        Row("a link to nothing on the way", .permanent, "not-found", "correct the path") { bench in
            try await bench.node.link("/etc", to: "gone")
            try await bench.run(FileTask("/etc/f", contents: "x"))
        },
    ]

    /// A source that is not, or not what it is said to be.
    static let sources: [Fault<FaultBench>] = [
        Row("a source that vanished", .permanent, "source-missing", "correct the path in source") { bench in
            try await bench.run(FileTask("/f", content: .file("/source", sha256: digest("x"))))
        },
        Row("a source with other bytes", .permanent, "digest-mismatch", "correct the digest") { bench in
            try await bench.put("other", at: "/source")
            try await bench.run(FileTask("/f", content: .file("/source", sha256: digest("x"))))
        },
        Row("a source that changed after it was verified", .permanent, "digest-mismatch", "fetched again") { bench in
            try await bench.put("other", at: "/source")
            try await bench.untouched {
                let attributes = FileAttributes()
                try await bench.node.install("/source", sha256: digest("x"), to: "/f", attributes: attributes)
            }
        },
        Row("a source that is a directory", .permanent, "is-a-directory", "declare another path") { bench in
            try await bench.put("x", at: "/source/f")
            try await bench.run(FileTask("/f", content: .file("/source", sha256: digest("x"))))
        },
        Row("a source that is a pipe", .permanent, "not-a-file", "move it away") { bench in
            mkfifo(bench.host("/source").string, 0o600)
            try await bench.run(FileTask("/f", content: .file("/source", sha256: digest("x"))))
        },
        // The first page of a process's memory is never there, and the kernel says so as a device would.
        Row("a source that cannot be read", .permanent, "input-output-error", "dmesg") { bench in
            let content = FileTask.Content.file("/proc/self/mem", sha256: digest("x"))
            try await bench.run(FileTask(bench.host("/f"), content: content), on: LiveNode())
        },
    ]
}
