// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

/// Keeps two runs from converging the same tree at once; the kernel drops the lock with the process.
struct RunLock {
    private let descriptor: FileDescriptor

    /// Takes the lock, or says who holds it.
    ///
    /// - Throws: ``Failure`` `already-running` with the other's process id.
    static func acquire(below root: FilePath) throws -> RunLock {
        let directory = root.appending("run/kopslite")
        var parent = root
        for component in ["run", "kopslite"] {
            parent.append(component)
            if mkdir(parent.string, 0o755) != 0, errno != EEXIST {
                throw Failure(
                    .permanent,
                    code: "lock-failed",
                    "making \(parent) for the run lock failed: \(Errno(rawValue: errno))",
                    hint: "run nodeup as root"
                )
            }
        }
        let path = directory.appending("nodeup.lock")
        let descriptor = try FileDescriptor.open(
            path,
            .readWrite,
            options: [.create, .closeOnExec, .noFollow],
            permissions: [.ownerReadWrite]
        )
        guard take(descriptor) else {
            let owner = owner(of: descriptor)
            try? descriptor.close()
            throw Failure(
                .transient,
                code: "already-running",
                "another nodeup\(owner) converges \(root) now",
                hint: "wait for it; `nodeup status` shows what it is at"
            )
        }
        try descriptor.resize(to: 0)
        _ = try descriptor.writeAll(toAbsoluteOffset: 0, "\(getpid())\n".utf8)
        return RunLock(descriptor: descriptor)
    }

    /// Lets the next run begin.
    func release() { try? descriptor.close() }

    /// Takes the lock unless another run has it.
    ///
    /// One who looks holds a shared lock for an instant, which keeps an exclusive one off but lets another shared one in.
    private static func take(_ descriptor: FileDescriptor) -> Bool {
        for _ in 0..<100 {
            if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { return true }
            guard flock(descriptor.rawValue, LOCK_SH | LOCK_NB) == 0 else { return false }
        }
        return false
    }

    static func owner(of descriptor: FileDescriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = bytes.withUnsafeMutableBytes { (try? descriptor.read(fromAbsoluteOffset: 0, into: $0)) ?? 0 }
        let text = String(decoding: bytes[..<count], as: UTF8.self).prefix { $0.isNumber }
        return text.isEmpty ? "" : " (pid \(text))"
    }
}
