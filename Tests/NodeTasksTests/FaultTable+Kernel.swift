// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage

private typealias Row = Fault<FaultBench>

extension FaultTableTests {
    /// What no sound machine answers on demand: system calls that fail on the thread of the run.
    static let kernel: [Fault<FaultBench>] = [
        refusing([.fsync], EIO, .permanent, "input-output-error", "dmesg"),
        refusing([.write], EDQUOT, .permanent, "quota-exceeded", "raise the quota"),
        refusing([.write], EFBIG, .permanent, "file-too-large", "limit"),
        refusing([.openat], EMFILE, .transient, "out-of-resources", "LimitNOFILE="),
        refusing([.openat], ENFILE, .transient, "out-of-resources", "fs.file-max"),
        refusing([.openat], ENOMEM, .transient, "out-of-resources", "free memory"),
        refusing([.openat], ESTALE, .transient, "filesystem-gone", "mount it again"),
        refusing([.openat], ENXIO, .waiting, "device-missing", "attach the device"),
        refusing([.fsync], EINTR, .transient, "try-again", "run again"),
        refusing([.renameat], EAGAIN, .transient, "try-again", "run again"),
        refusing([.renameat], ETXTBSY, .transient, "busy", "fuser"),
        refusing([.fstatat], EUCLEAN, .permanent, "filesystem-damaged", "fsck"),
        refusing([.flock], ENOLCK, .permanent, "not-supported", "findmnt"),
        refusing([.fchown], EPERM, .permanent, "permission-denied", "leave owner and group out"),
        Row("symlinkat(2) fails with EPERM", .permanent, "permission-denied", "run as root") { bench in
            try await bench.run(SymlinkTask("/l", target: "x"), under: .refusing([.symlinkat], with: EPERM))
        },
        Row("unlinkat(2) fails with EIO", .permanent, "input-output-error", "dmesg") { bench in
            try await bench.put("x", at: "/d/f")
            try await bench.run(DirectoryTask("/d", ensure: .absent), under: .refusing([.unlinkat], with: EIO))
        },
    ]

    private static func refusing(
        _ calls: [FaultyThread.SystemCall],
        _ number: Int32,
        _ kind: Failure.Class,
        _ code: String,
        _ hint: String
    ) -> Fault<FaultBench> {
        let names = calls.map { "\($0)(2)" }.joined(separator: ", ")
        return Row("\(names) fails with \(Errno(rawValue: number))", kind, code, hint) { bench in
            try await bench.put("old", at: "/f")
            let task = FileTask("/f", contents: "new", owner: "1", group: "1")
            try await bench.run(task, under: .refusing(calls, with: number))
        }
    }
}
