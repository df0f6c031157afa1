// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import NodeOS

/// Nothing below another root reaches what is outside of it.
@Suite struct RootTests {
    /// A root beside a directory that must stay as it is.
    private func withRoot(_ body: (LiveNode, FilePath) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let host = LiveNode()
            let outside = directory.appending("outside")
            try await host.makeDirectory(outside, attributes: FileAttributes())
            try await host.write("secret".bytes, to: outside.appending("file"), attributes: FileAttributes(mode: 0o600))
            try await host.makeDirectory(directory.appending("root"), attributes: FileAttributes())
            try await body(LiveNode(root: directory.appending("root")), outside)
            #expect(try await host.list(outside) == ["file"])
            #expect(try await host.text(outside.appending("file")) == "secret")
            #expect(try await host.status(of: outside.appending("file"))?.mode == 0o600)
        }
    }

    @Test(arguments: ["relative", "absolute", "chained"])
    func aDirectoryLinkThatLeavesIsRefused(_ kind: String) async throws {
        try await withRoot { node, outside in
            switch kind {
            case "relative": try await node.link("/etc", to: "../outside")
            case "absolute": try await node.link("/etc", to: outside.string)
            default:
                try await node.link("/var", to: "./etc")
                try await node.link("/etc", to: "x/../../outside")
                try await node.makeDirectory("/x", attributes: FileAttributes())
            }
            let top: FilePath = kind == "chained" ? "/var" : "/etc"
            let file = top.appending("file")
            let escape = "path-escapes-root"
            #expect(await code { try await node.write([], to: file, attributes: FileAttributes()) } == escape)
            #expect(await code { _ = try await node.read(file) } == escape)
            #expect(await code { _ = try await node.status(of: file) } == escape)
            #expect(await code { try await node.remove(file) } == escape)
            #expect(await code { try await node.link(file, to: "x") } == escape)
            #expect(await code { try await node.rename(file, to: "/y") } == escape)
            #expect(await code { try await node.setAttributes(FileAttributes(mode: 0o777), of: file) } == escape)
            let below = top.appending("new")
            #expect(await code { try await node.makeDirectory(below, attributes: FileAttributes()) } == escape)
        }
    }

    @Test func aFileLinkThatLeavesIsNotFollowed() async throws {
        try await withRoot { node, outside in
            try await node.link("/file", to: "../outside/file")
            #expect(await code { _ = try await node.read("/file") } == "path-escapes-root")
            try await node.write("mine".bytes, to: "/file", attributes: FileAttributes())
            #expect(try await node.text("/file") == "mine")
            try await node.link("/other", to: outside.appending("file").string)
            #expect(await code { _ = try await node.sha256(of: "/other") } != nil)
            try await node.remove("/other")
        }
    }

    @Test func pathsThatClimbAreRefused() async throws {
        try await withRoot { node, _ in
            #expect(await code { _ = try await node.read("/../outside/file") } == "path-escapes-root")
            #expect(await code { _ = try await node.read("/../../etc/passwd") } == "path-escapes-root")
            #expect(await code { try await node.remove("/..") } == "path-escapes-root")
        }
    }

    @Test func linksWithinTheRootAreFollowedAsOnTheMachine() async throws {
        try await withRoot { node, _ in
            try await node.makeDirectory("/run/lock", attributes: FileAttributes())
            try await node.makeDirectory("/var", attributes: FileAttributes())
            try await node.link("/var/run", to: "/run")
            try await node.link("/var/lock", to: "../var/run/lock")
            try await node.write("x".bytes, to: "/var/lock/a", attributes: FileAttributes())
            #expect(try await node.text("/run/lock/a") == "x")
            try await node.makeDirectory("/var/run/new/one", attributes: FileAttributes())
            #expect(try await node.list("/run") == ["lock", "new"])
            try await node.link("/loop", to: "loop")
            #expect(await code { _ = try await node.read("/loop/x") } == "symlink-loop")
        }
    }

    @Test func whatNeedsAMachineSaysSo() async throws {
        try await withRoot { node, _ in
            let needs = "needs-machine"
            #expect(await code { _ = try await node.unit(named: "a.service") } == needs)
            #expect(await code { try await node.reloadUnits() } == needs)
            #expect(await code { try await node.installPackages([PackageRequest(name: "a")]) } == needs)
            #expect(await code { _ = try await node.package(named: "a") } == needs)
            #expect(await code { try await node.unmount("/a") } == needs)
            #expect(await code { try await node.setSysctl("a.b", to: "1") } == needs)
            #expect(await code { try await node.loadKernelModule("a") } == needs)
            #expect(await code { _ = try await node.images(in: "docker") } == needs)
        }
    }

    @Test func archivesStayBelowTheirDirectory() async throws {
        try await withRoot { node, outside in
            try await node.makeDirectory("/tree/sub", attributes: FileAttributes())
            try await node.write(
                "1".bytes,
                to: "/tree/sub/one",
                attributes: FileAttributes(mode: 0o750, uid: 5, gid: 6)
            )
            let root = outside.removingLastComponent().appending("root")
            for (name, compression) in [("a.tar", "--no-auto-compress"), ("b", "--gzip"), ("c", "--xz")] {
                let archive = root.appending(name).string
                try await SubprocessRunner().run(
                    Command("tar", ["--create", compression, "--file=\(archive)", "--directory=\(root)", "tree"])
                )
                let directory = FilePath("/out-\(name)")
                try await node.makeDirectory(directory, attributes: FileAttributes())
                try await node.extract(FilePath("/\(name)"), into: directory, stripComponents: 1)
                let status = try await node.status(of: directory.appending("sub").appending("one"))
                #expect(status == FileStatus(kind: .regular, mode: 0o750, uid: 0, gid: 0, size: 1))
            }
            let evil = root.appending("evil.tar").string
            try await SubprocessRunner().run(
                Command(
                    "tar",
                    [
                        "--create", "--file=\(evil)", "--directory=\(root)", "--transform=s,tree,../outside,", "-P",
                        "tree",
                    ]
                )
            )
            try await node.makeDirectory("/in", attributes: FileAttributes())
            #expect(
                await code { try await node.extract("/evil.tar", into: "/in", stripComponents: 0) } == "archive-invalid"
            )
            try await node.write("no archive".bytes, to: "/bad", attributes: FileAttributes())
            #expect(await code { try await node.extract("/bad", into: "/in", stripComponents: 0) } == "archive-invalid")
            #expect(await code { try await node.extract("/bad", into: "/none", stripComponents: 0) } == "not-found")
        }
    }
}
