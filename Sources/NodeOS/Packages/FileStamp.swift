// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// What tells a file from the same file after a change, for records that are read again only then.
struct FileStamp: Equatable, Sendable {
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// Looks at a file; `nil` when it is not there.
    init?(of path: FilePath, in files: FileTree) throws(Failure) {
        guard let status = try files.locate(path).status() else { return nil }
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
