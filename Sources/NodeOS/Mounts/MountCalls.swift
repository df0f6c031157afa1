// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// mount(2) and umount2(2).
enum MountCalls {
    /// Mounts a file system or, with the option `bind`, a directory or file; with `remount`, changes a mount's options.
    ///
    /// A bind mount takes its flags only when it is mounted a second time (mount(2), "Creating a bind mount"); when
    /// that fails the first is undone, so that a read-only mount is never left writable.
    static func mount(_ mount: MountEntry) throws(Failure) {
        let options = MountOptions(mount.options)
        let bind = UInt(MS_BIND)
        if options.isRemount {
            try call(mount, flags: options.flags, data: options.isBind ? "" : options.data)
        } else if options.isBind {
            let recursive = options.flags & UInt(MS_REC)
            try call(mount, flags: bind | recursive, data: "")
            let rest = options.flags & ~(bind | recursive)
            if rest != 0 { try again(mount, flags: rest | bind | UInt(MS_REMOUNT)) }
        } else {
            try call(mount, flags: options.flags, data: options.data)
        }
        if options.propagation != 0 { try again(mount, flags: options.propagation) }
    }

    /// Unmounts what is on top at a path; nothing there is no error.
    static func unmount(_ path: FilePath) throws(Failure) {
        if umount2(path.string, Int32(UMOUNT_NOFOLLOW)) == 0 || errno == EINVAL || errno == ENOENT { return }
        throw .system(
            errno,
            "cannot unmount",
            path,
            hint: errno == EBUSY ? "end the processes that use it (fuser -vm \(path))" : nil
        )
    }

    private static func again(_ mount: MountEntry, flags: UInt) throws(Failure) {
        do { try call(mount, flags: flags, data: "") } catch {
            umount2(mount.path.string, Int32(UMOUNT_NOFOLLOW))
            throw error
        }
    }

    private static func call(_ mount: MountEntry, flags: UInt, data: String) throws(Failure) {
        if Glibc.mount(mount.source, mount.path.string, mount.filesystem, flags, data) == 0 { return }
        let number = errno
        let subject = "\(mount.source) on \(mount.path) as \(mount.filesystem)"
        switch number {
        case ENODEV:
            throw .system(
                number,
                "cannot mount",
                subject,
                hint: "load the kernel module of the file system \(mount.filesystem)"
            )
        case EINVAL:
            throw .system(
                number,
                "cannot mount",
                subject,
                hint: "the device may hold no \(mount.filesystem), or an option may be unknown: \(data)"
            )
        default: throw .system(number, "cannot mount", subject)
        }
    }
}
