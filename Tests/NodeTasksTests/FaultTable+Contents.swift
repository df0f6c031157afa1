// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTasks
import NodeTesting
import PKI
import SystemPackage

private typealias Row = Fault<FaultBench>

extension FaultTableTests {
    /// Archives, blocks of hosts, certificates, and what a tree cannot be.
    static let contents: [Fault<FaultBench>] = [
        Row("an archive that is none", .permanent, "archive-invalid", "fetch it again") { bench in
            try await bench.put("no archive", at: "/a")
            try await bench.run(ArchiveTask("/a", sha256: digest("no archive"), path: "/o"))
        },
        Row("an archive that was cut off", .permanent, "archive-invalid", "fetch it again") { bench in
            let bytes = try await bench.archive(["etc/hostname"]).dropLast(3)
            try await bench.node.write(Array(bytes), to: "/a", attributes: FileAttributes())
            try await bench.run(ArchiveTask("/a", sha256: SHA256Hex.of(Array(bytes)), path: "/o"))
        },
        Row("an archive with a member outside", .permanent, "archive-invalid", "outside") { bench in
            let bytes = try await bench.archive(["--absolute-names", "--transform=s,etc,../out,", "etc/hostname"])
            try await bench.node.write(bytes, to: "/a", attributes: FileAttributes())
            try await bench.run(ArchiveTask("/a", sha256: SHA256Hex.of(bytes), path: "/o"))
        },
        Row("no space for an archive's contents", .permanent, "disk-full", "free space") { bench in
            let bytes = try await bench.archive(["etc/hostname", "usr/bin/tar"])
            try await bench.node.write(bytes, to: "/a", attributes: FileAttributes())
            try await bench.mount(["size=64k"], on: "/opt")
            try await bench.run(ArchiveTask("/a", sha256: SHA256Hex.of(bytes), path: "/opt/o"))
        },
        Row("an archive that vanished", .permanent, "source-missing", "correct the path in source") { bench in
            try await bench.run(ArchiveTask("/a", sha256: digest("x"), path: "/o"))
        },
        Row("an archive with other bytes", .permanent, "digest-mismatch", "correct the digest") { bench in
            try await bench.put("other", at: "/a")
            try await bench.run(ArchiveTask("/a", sha256: digest("x"), path: "/o"))
        },
        Row("a directory where an archive is to be seen", .permanent, "not-a-symlink", "move it away") { bench in
            try await bench.put("x", at: "/o/f")
            try await bench.run(ArchiveTask("/a", sha256: digest("x"), path: "/o"))
        },
        Row("markers that do not pair up", .permanent, "hosts-block-broken", "remove the lines") { bench in
            try await bench.put("# BEGIN kopslite k\n127.0.0.1 localhost\n", at: "/etc/hosts")
            try await bench.run(HostsBlockTask("k", entries: ["10.0.0.1": ["a"]]))
        },
        Row("a link in place of the hosts", .permanent, "not-a-file", "regular file") { bench in
            try await bench.put("127.0.0.1 localhost\n", at: "/run/hosts")
            try await bench.node.makeDirectory("/etc", attributes: FileAttributes())
            try await bench.node.link("/etc/hosts", to: "/run/hosts")
            try await bench.run(HostsBlockTask("k", entries: ["10.0.0.1": ["a"]]))
        },
        Row("an authority that is not there", .permanent, "signer-missing", "keyset") { bench in
            try await bench.run(certificate(.file("/ca.json")))
        },
        Row("an authority that is no keyset", .permanent, "signer-missing", "keyset") { bench in
            try await bench.put("{", at: "/ca.json")
            try await bench.run(certificate(.file("/ca.json")))
        },
        Row("a directory in place of a certificate", .permanent, "not-a-file", "move away") { bench in
            try await bench.put("x", at: "/k.crt/f")
            try await bench.run(certificate(.keyset(authority)))
        },
        Row("a unit in a tree", .permanent, "needs-machine", "leave it out here") { bench in
            try await bench.run(ServiceTask("a.service"))
        },
        Row("a relative path", .permanent, "path-not-absolute", "from the root directory") { bench in
            try await bench.run(FileTask("etc/f", contents: "x"))
        },
    ]

    private static func certificate(_ signer: CertificateTask.Signer) -> CertificateTask {
        CertificateTask(certificate: "/k.crt", key: "/k.key", profile: .fixture, signer: signer, now: { fixedNow })
    }

    /// Users and groups of a tree.
    static let accounts: [Fault<FaultBench>] = [
        Row("an owner that is nobody", .permanent, "user-unknown", "declare a user task") { bench in
            try await bench.run(FileTask("/f", contents: "x", owner: "nobody-here"))
        },
        Row("a group that is none", .permanent, "group-unknown", "declare a group task") { bench in
            try await bench.run(DirectoryTask("/d", group: "nothing-here"))
        },
        Row("a number that another user has", .permanent, "uid-taken", "declare another uid") { bench in
            try await bench.put("a:x:7:7::/:/bin/sh\n", at: "/etc/passwd")
            try await bench.run(UserTask("b", uid: 7))
        },
        Row("a number that another group has", .permanent, "gid-taken", "declare another gid") { bench in
            try await bench.put("a:x:7:\n", at: "/etc/group")
            try await bench.run(GroupTask("b", gid: 7))
        },
        Row("a supplementary group that is none", .permanent, "group-unknown", "declare the group") { bench in
            try await bench.run(UserTask("b", groups: ["nothing-here"]))
        },
        Row("a group that is somebody's own", .permanent, "group-in-use", "remove the user") { bench in
            try await bench.put("a:x:7:7::/:/bin/sh\n", at: "/etc/passwd")
            try await bench.put("a:x:7:\n", at: "/etc/group")
            try await bench.run(GroupTask("a", ensure: .absent))
        },
        Row("every number taken", .permanent, "no-free-identifier", "declare a uid or gid") { bench in
            let lines = (100...999).map { "g\($0):x:\($0):\n" }
            try await bench.put(lines.joined(), at: "/etc/group")
            try await bench.run(GroupTask("b"))
        },
        Row("a name that would break a line", .permanent, "account-name-invalid", "32 letters") { bench in
            try await bench.run(GroupTask("a:b"))
        },
        Row("a home that would break a line", .permanent, "account-field-invalid", "colons") { bench in
            try await bench.run(UserTask("a", home: "/x:0"))
        },
        Row("accounts in another encoding", .permanent, "not-utf-8", "iconv") { bench in
            try await bench.put("", at: "/etc/group")
            let passwd = [UInt8]("a:x:7:7:J".utf8) + [0xF6] + [UInt8]("rg:/:/bin/sh\n".utf8)
            try await bench.node.write(passwd, to: "/etc/passwd", attributes: FileAttributes())
            try await bench.node.setGroup("b", gid: 8)
            try await bench.run(UserTask("b", uid: 8))
        },
        Row("a directory in place of the accounts", .permanent, "is-a-directory", "remove the directory") { bench in
            try await bench.put("x", at: "/etc/passwd/f")
            try await bench.run(UserTask("a"))
        },
    ]
}

extension FaultBench {
    /// A compressed archive of this machine's files.
    fileprivate func archive(_ words: [String]) async throws -> [UInt8] {
        let path = directory.appending("archive")
        let options = ["--create", "--gzip", "--file=\(path)", "--directory=/"]
        try await SubprocessRunner().run(Command("tar", options + words))
        return try await LiveNode().read(path)
    }
}
