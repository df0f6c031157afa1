// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

/// Keeps two runs from converging the same tree at once; the kernel drops the lock with the process.
struct RunLock {
    private let descriptor: FileDescriptor
    static let name = "nodeup.lock"

    /// Takes the lock, or says who holds it.
    ///
    /// - Throws: ``Failure`` `already-running` with the other's process id.
    static func acquire(below root: FilePath) throws -> RunLock {
        let directory = try openDirectory(below: root)
        defer { try? directory.close() }
        let number = openat(directory.rawValue, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw failed("opening the run lock \(path(below: root))", errno) }
        let descriptor = FileDescriptor(rawValue: number)
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
        do {
            try descriptor.resize(to: 0)
            _ = try descriptor.writeAll(toAbsoluteOffset: 0, "\(getpid())\n".utf8)
        } catch {
            try? descriptor.close()
            let full = (error as? Errno) == .noSpace
            throw Failure(
                .permanent,
                code: full ? "disk-full" : "lock-failed",
                "writing the run lock \(path(below: root)) failed",
                hint: full ? "free space below \(root) (df -h)" : "see that run/kopslite below \(root) can be written",
                cause: error
            )
        }
        return RunLock(descriptor: descriptor)
    }

    /// Opens `run/kopslite`, made where it is missing; no link is followed, since below a root it would lead elsewhere.
    private static func openDirectory(below root: FilePath) throws -> FileDescriptor {
        var current = open(root.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard current >= 0 else { throw failed("opening \(root)", errno) }
        var path = root
        for component in ["run", "kopslite"] {
            let above = current
            path.append(component)
            defer { close(above) }
            guard mkdirat(current, component, 0o755) == 0 || errno == EEXIST else {
                throw failed("making \(path) for the run lock", errno)
            }
            let next = openat(current, component, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard next >= 0 else { throw failed("opening \(path) for the run lock", errno) }
            current = next
        }
        return FileDescriptor(rawValue: current)
    }

    static func path(below root: FilePath) -> FilePath { root.appending("run/kopslite").appending(name) }

    private static func failed(_ what: String, _ number: Int32) -> Failure {
        Failure(
            .permanent,
            code: "lock-failed",
            "\(what) failed",
            hint: "run nodeup as root, and see that run and run/kopslite are directories",
            cause: Errno(rawValue: number)
        )
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
