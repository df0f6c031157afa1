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
        throw failure(errno, mount, isBind: flags & UInt(MS_BIND) != 0, data)
    }

    /// What mount(2) means by its error numbers, where that is more than errno(3) says.
    private static func failure(_ number: Int32, _ mount: MountEntry, isBind: Bool, _ data: String) -> Failure {
        let subject = "\(mount.source) on \(mount.path) as \(mount.filesystem)"
        var failure = Failure.system(number, "cannot mount", subject)
        func say(_ kind: Failure.Class, _ code: String, _ hint: String) {
            (failure.kind, failure.code, failure.hint) = (kind, code, hint)
        }
        switch number {
        case ENODEV:
            say(.permanent, "filesystem-unknown", "load the kernel module of the file system \(mount.filesystem)")
        case EINVAL:
            let hint = "see dmesg: the device may hold no \(mount.filesystem), or an option may be unknown"
            say(.permanent, "mount-refused", hint + (data.isEmpty ? "" : " (\(data))"))
        case ENOTBLK: say(.permanent, "not-a-block-device", "correct the device, or attach the file with losetup")
        case ENOENT where !isBind && mount.source.hasPrefix("/") && access(mount.source, F_OK) != 0:
            say(.waiting, "device-missing", "attach the device \(mount.source), or correct its name (lsblk)")
        case EACCES: failure.hint = "the device may be write-protected: add the option ro, or unlock it"
        case EBUSY: failure.hint = "unmount what is on \(mount.path), and end what uses the device (fuser -vm)"
        default: break
        }
        return failure
    }
}
