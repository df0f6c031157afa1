// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import SystemPackage

@testable import NodeOS

private typealias Row = Fault<FaultBench>

extension FaultTableTests {
    /// docker and ctr, in their own words.
    static let images: [Fault<FaultBench>] = [
        Row("docker does not run", .waiting, "runtime-down", "start docker.service") { bench in
            let words =
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
            _ = try await bench.node("docker", 1, words).importImage("/i.tar", into: "docker")
        },
        Row("containerd does not run", .waiting, "runtime-down", "start containerd.service") { bench in
            let words = """
                ctr: cannot access socket /run/containerd/containerd.sock: no such file or directory

                """
            _ = try await bench.node("ctr", 1, words).images(in: "containerd")
        },
        Row("containerd refuses connections", .waiting, "runtime-down", "journalctl -u containerd.service") { bench in
            let words = """
                ctr: failed to dial "/run/containerd/containerd.sock": connection error: desc = "transport: error while \
                dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"

                """
            _ = try await bench.node("ctr", 1, words).images(in: "containerd")
        },
        Row("no space for docker's images", .permanent, "disk-full", "df -h /var/lib/docker") { bench in
            let words = "Error processing tar file(exit status 1): write /usr/bin/x: no space left on device\n"
            _ = try await bench.node("docker", 1, words).importImage("/i.tar", into: "docker")
        },
        Row("an image archive that was cut off", .permanent, "archive-invalid", "docker save") { bench in
            _ = try await bench.node("docker", 1, "unexpected EOF\n").importImage("/i.tar", into: "docker")
        },
        Row("an image archive that is none to docker", .permanent, "archive-invalid", "fetch the archive") { bench in
            let words = "open /var/lib/docker/tmp/docker-import-3/repositories: no such file or directory\n"
            _ = try await bench.node("docker", 1, words).importImage("/i.tar", into: "docker")
        },
        Row("an image archive that is none to containerd", .permanent, "archive-invalid", "docker save") { bench in
            _ = try await bench.node("ctr", 1, "ctr: unrecognized image format\n")
                .importImage("/i.tar", into: "containerd")
        },
        Row("an archive that brings no image", .permanent, "archive-without-image", "docker save") { bench in
            _ = try await bench.node("none", 0, "").importImage("/i.tar", into: "docker")
        },
        Row("something else that a runtime says", .transient, "image-store-failed", "journalctl -u docker") { bench in
            let words = "Error response from daemon: layer does not exist\n"
            _ = try await bench.node("docker", 1, words).images(in: "docker")
        },
        Row("a runtime there is none of", .permanent, "runtime-unknown", "docker or containerd") { _ in
            _ = try await LiveNode().images(in: "rkt")
        },
    ]

    /// useradd and its like, in their own words (shadow 4.13).
    static let accounts: [Fault<FaultBench>] = [
        Row("accounts that another changes", .transient, "accounts-locked", "wait for whoever") { bench in
            let words = """
                useradd: existing lock file /etc/passwd.lock without a PID
                useradd: cannot lock /etc/passwd; try again later.

                """
            try await bench.node("useradd", 1, words).setUser(UserEntry(name: "new-user"), groups: [])
        },
        Row("accounts on a read-only file system", .permanent, "read-only-filesystem", "remount") { bench in
            let words = """
                useradd: /etc/passwd.26335: Read-only file system
                useradd: cannot lock /etc/passwd; try again later.

                """
            try await bench.node("useradd", 1, words).setUser(UserEntry(name: "new-user"), groups: [])
        },
        Row("no space for accounts", .permanent, "disk-full", "df -i") { bench in
            let words = """
                groupadd: /etc/group.26335: No space left on device
                groupadd: cannot lock /etc/group; try again later.

                """
            try await bench.node("groupadd", 10, words).setGroup("new-group", gid: nil)
        },
        Row("a uid that is taken", .permanent, "uid-taken", "getent passwd") { bench in
            try await bench.node("useradd", 4, "useradd: UID 1 is not unique\n")
                .setUser(UserEntry(name: "new-user", uid: 1), groups: [])
        },
        Row("a gid that is taken", .permanent, "gid-taken", "getent group") { bench in
            try await bench.node("groupadd", 4, "groupadd: GID '0' already exists\n").setGroup("new-group", gid: 0)
        },
        Row("a supplementary group that is none", .permanent, "group-unknown", "declare the group") { bench in
            try await bench.node("useradd", 6, "useradd: group 'nope' does not exist\n")
                .setUser(UserEntry(name: "new-user"), groups: ["nope"])
        },
        Row("a user with processes", .transient, "account-in-use", "end the processes of the user daemon") { bench in
            try await bench.node("userdel", 8, "userdel: user daemon is currently used by process 1\n")
                .removeUser("daemon")
        },
        Row("a group that is somebody's own", .permanent, "group-in-use", "remove the user") { bench in
            try await bench.node("groupdel", 8, "groupdel: cannot remove the primary group of user 'daemon'\n")
                .removeGroup("daemon")
        },
        Row("a user that useradd does not take", .permanent, "account-not-set", "by hand") { bench in
            try await bench.node("useradd", 3, "useradd: invalid shell '/bin/no'\n")
                .setUser(UserEntry(name: "new-user"), groups: [])
        },
    ]

    /// Programs that are not there, do not end, or say too much: real ones.
    static let programs: [Fault<FaultBench>] = [
        Row("a program that is not there", .permanent, "command-not-found", "no-such-program") { _ in
            try await SubprocessRunner().run(Command("no-such-program"))
        },
        Row("a file that is no program", .transient, "command-failed", "that the program is whole") { bench in
            let path = bench.directory.appending("program")
            try await LiveNode().write([0x7F, 0x45], to: path, attributes: FileAttributes(mode: 0o755))
            try await SubprocessRunner().run(Command(path.string))
        },
        Row("a program that does not end", .transient, "command-timeout", "by hand") { _ in
            try await SubprocessRunner(clock: SimulatedClock()).run(Command("sleep", ["600"]))
        },
        Row("a program that says too much", .permanent, "command-output-limit", "by hand") { _ in
            try await SubprocessRunner().run(Command("yes", outputLimit: 1000))
        },
        Row("an archive whose decompressor is missing", .permanent, "command-not-found", "xz-utils") { bench in
            let words = "tar (child): xz: Cannot exec: No such file or directory\n/usr/bin/tar: Child returned 2\n"
            try await bench.node("tar", 2, words).extract("/a.tar.xz", into: bench.directory, stripComponents: 0)
        },
        Row("an archive on a device that fails", .permanent, "input-output-error", "dmesg") { bench in
            let words = "/usr/bin/tar: bin/x: Cannot write: Input/output error\n"
            try await bench.node("tar", 2, words).extract("/a.tar", into: bench.directory, stripComponents: 0)
        },
        Row("an archive for a directory that is not there", .permanent, "not-found", "make the directory") { bench in
            let directory = bench.directory.appending("none")
            try await LiveNode().extract("/a.tar", into: directory, stripComponents: 0)
        },
    ]
}
