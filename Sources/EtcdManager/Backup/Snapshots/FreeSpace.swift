// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
public import SystemPackage

/// How many bytes can still be written below a directory.
public typealias FreeSpaceProbe = @Sendable (FilePath) throws -> Int64

/// Room for scratch files on a disk that others need more.
public struct FreeSpace: Sendable {
    /// What etcd must never find taken, in bytes: a disk that is full stops it.
    public var reserve: Int64
    private let probe: FreeSpaceProbe

    /// Makes one that asks this machine (statvfs(3)) and leaves 256 MiB.
    public init(reserve: Int64 = 256 << 20, probe: @escaping FreeSpaceProbe = FreeSpace.available) {
        self.reserve = reserve
        self.probe = probe
    }

    /// Whether there is room for so many bytes.
    ///
    /// - Throws: ``Failure`` `backup-disk-full` (permanent).
    func require(_ bytes: Int64, in directory: FilePath) throws {
        let free = try probe(directory)
        guard free - reserve >= bytes else {
            throw Failure.fullDisk(
                "\(directory) has \(free) bytes left; \(bytes) are needed, and \(reserve) are left to etcd:",
                cause: nil
            )
        }
    }

    /// What statvfs(3) says can be written by anybody but root's reserve.
    public static func available(in directory: FilePath) throws -> Int64 {
        var status = statvfs()
        guard directory.withPlatformString({ statvfs($0, &status) }) == 0 else {
            throw Failure.file(Errno(rawValue: errno), "cannot measure", directory)
        }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }
}

extension Failure {
    /// The disk is full; `what` is what did not fit.
    static func fullDisk(_ what: String, cause: (any Error)?) -> Failure {
        Failure(
            .permanent,
            code: "backup-disk-full",
            "\(what) no space left on the disk",
            hint: "make the volume larger, or free space on it (df -h)",
            cause: cause
        )
    }

    /// A file that could not be read or written.
    static func file(_ error: Errno, _ attempt: String, _ path: FilePath) -> Failure {
        if error == .noSpace { return fullDisk("\(attempt) \(path):", cause: error) }
        return Failure(
            .transient,
            code: "backup-file-failed",
            "\(attempt) \(path)",
            hint: "see dmesg for what the kernel says of that disk",
            cause: error
        )
    }
}
