// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

extension Failure {
    /// A system call's error as a failure: what was attempted, on what, and errno(3) as the cause.
    ///
    /// What time or another process can cure is transient; all else needs somebody to change something.
    static func system(_ number: Int32, _ attempt: String, _ subject: FilePath, hint: String? = nil) -> Failure {
        system(number, attempt, subject.string, hint: hint)
    }

    /// The same for a subject that is no path.
    static func system(_ number: Int32, _ attempt: String, _ subject: String, hint: String? = nil) -> Failure {
        let known = meaning(of: number)
        return Failure(
            known.kind,
            code: known.code,
            "\(attempt) \(subject)",
            hint: hint ?? known.hint,
            cause: Errno(rawValue: number)
        )
    }

    private typealias Meaning = (kind: Class, code: String, hint: String)

    /// Class, code and remedy by errno(3).
    private static func meaning(of number: Int32) -> Meaning {
        aboutPaths(number) ?? aboutStorage(number) ?? aboutResources(number)
            ?? (.permanent, "system-error", "see dmesg for what the kernel says of it")
    }

    /// What is in the way, or is not there.
    private static func aboutPaths(_ number: Int32) -> Meaning? {
        switch number {
        case EACCES, EPERM: (.permanent, "permission-denied", "run as root, and look for an immutable file (lsattr)")
        case ENOENT: (.permanent, "not-found", "make what is missing first, or correct the path")
        case EEXIST: (.permanent, "exists", "remove what is there, or declare another path")
        case ENOTDIR: (.permanent, "not-a-directory", "move away what stands where a directory is needed")
        case EISDIR: (.permanent, "is-a-directory", "remove the directory, or declare another path")
        case ENOTEMPTY: (.transient, "directory-not-empty", "end what still writes there (fuser -v)")
        case ELOOP: (.permanent, "symlink-loop", "remove one of the symbolic links on the way")
        case ENAMETOOLONG:
            (.permanent, "name-too-long", "shorten it: 255 bytes a name, 4095 a path, and less on some file systems")
        case EXDEV: (.permanent, "other-filesystem", "unmount what lies between, so that both are on one file system")
        case EINVAL: (.permanent, "invalid-argument", "the kernel does not take this value here; correct it")
        default: nil
        }
    }

    /// What the file system or its device cannot do.
    private static func aboutStorage(_ number: Int32) -> Meaning? {
        switch number {
        case ENOSPC: (.permanent, "disk-full", "free space or inodes on that file system (df -h, df -i)")
        case EDQUOT: (.permanent, "quota-exceeded", "free space, or raise the quota of the owner (quota, xfs_quota)")
        case EFBIG: (.permanent, "file-too-large", "raise the limit on file sizes, or use another file system")
        case EROFS: (.permanent, "read-only-filesystem", "remount it read-write, or choose a path on another one")
        case EIO: (.permanent, "input-output-error", "the device may be failing; see dmesg, and replace it")
        case EUCLEAN, EBADMSG: (.permanent, "filesystem-damaged", "unmount it and repair it (fsck); see dmesg")
        case EOPNOTSUPP, ENOSYS, ENOTTY, ENOLCK:
            (.permanent, "not-supported", "use a file system that can do this (findmnt -T tells which it is)")
        case ENODEV, ENXIO: (.waiting, "device-missing", "attach the device, or load its driver (lsblk, dmesg)")
        case ESTALE, ENOTCONN: (.transient, "filesystem-gone", "mount it again: its server or program has gone away")
        default: nil
        }
    }

    /// What passes when others end.
    private static func aboutResources(_ number: Int32) -> Meaning? {
        switch number {
        case EBUSY, ETXTBSY: (.transient, "busy", "end the processes that use it (fuser -v)")
        case EAGAIN, EINTR: (.transient, "try-again", "run again; if it stays so, see what else runs at that time")
        case EMFILE, ENFILE:
            (.transient, "out-of-resources", "raise the limit of open files (LimitNOFILE=, fs.file-max)")
        case ENOMEM: (.transient, "out-of-resources", "free memory, or give the machine more (free -m, dmesg)")
        default: nil
        }
    }
}
