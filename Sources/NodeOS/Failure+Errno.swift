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

    /// Class, code and remedy by errno(3).
    private static func meaning(of number: Int32) -> (kind: Class, code: String, hint: String?) {
        switch number {
        case ENOSPC, EDQUOT: (.permanent, "disk-full", "free space or inodes on that file system (df -h, df -i)")
        case EROFS: (.permanent, "read-only-filesystem", "remount it read-write, or choose a path on another one")
        case EACCES, EPERM: (.permanent, "permission-denied", "run as root, and look for an immutable file (lsattr)")
        case ENOENT: (.permanent, "not-found", nil)
        case EEXIST: (.permanent, "exists", nil)
        case ENOTDIR: (.permanent, "not-a-directory", nil)
        case EISDIR: (.permanent, "is-a-directory", "remove the directory, or declare another path")
        case ENOTEMPTY: (.transient, "directory-not-empty", nil)
        case ELOOP: (.permanent, "symlink-loop", "remove one of the symbolic links on the way")
        case ENAMETOOLONG: (.permanent, "name-too-long", nil)
        case EXDEV: (.permanent, "other-filesystem", nil)
        case EIO: (.permanent, "input-output-error", "the device may be failing; see dmesg")
        case EBUSY, ETXTBSY: (.transient, "busy", nil)
        case EAGAIN, EINTR: (.transient, "try-again", nil)
        case EMFILE, ENFILE, ENOMEM: (.transient, "out-of-resources", nil)
        default: (.permanent, "system-error", nil)
        }
    }
}
