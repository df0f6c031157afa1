// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The kernel's live settings, in `/proc/sys` (sysctl(8)).
struct Sysctls: Sendable {
    private let files = FileTree(root: "/")

    /// The value, with each run of blanks and tabs as one blank; `nil` when the kernel has no such setting.
    func value(of key: String) throws(Failure) -> String? {
        let path = try Self.path(of: key)
        guard try files.status(of: path)?.kind == .regular else { return nil }
        return Self.normal(String(decoding: try files.read(path), as: UTF8.self))
    }

    /// Sets the value.
    func set(_ key: String, to value: String) throws(Failure) {
        let path = try Self.path(of: key)
        let descriptor = open(path.string, O_WRONLY | O_CLOEXEC | O_TRUNC)
        if descriptor < 0 {
            throw .system(
                errno,
                "cannot set",
                key,
                hint: hint(errno)
            )
        }
        let file = Descriptor(descriptor)
        // One call, because the kernel takes each as a whole value.
        let bytes = Array((value + "\n").utf8)
        if Glibc.write(file.raw, bytes, bytes.count) != bytes.count {
            throw .system(
                errno,
                "cannot set \(key) to",
                value,
                hint: hint(errno)
            )
        }
    }

    /// The remedy, where a setting's differs from a file's.
    private func hint(_ number: Int32) -> String? {
        switch number {
        case ENOENT: "load the kernel module that provides it, or correct its name"
        case EACCES, EPERM: "the kernel lets nobody set it on this machine; leave it out"
        case EROFS: "this is a container whose host keeps /proc/sys; set it on the host"
        case EINVAL, ERANGE: "the kernel takes no such value; see what it has now (sysctl)"
        default: nil
        }
    }

    /// Where a key is: dots and slashes change places when a slash comes first, so that `net/ipv4/conf/eth0.1/…` works.
    static func path(of key: String) throws(Failure) -> FilePath {
        let separator: Character = key.first { $0 == "." || $0 == "/" } ?? "."
        let names = key.split(separator: separator, omittingEmptySubsequences: false).map { name in
            separator == "." ? String(name.map { $0 == "/" ? "." : $0 }) : String(name)
        }
        guard !names.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." || $0.contains("/") || $0.contains("\0") })
        else {
            throw Failure(
                .permanent,
                code: "sysctl-key-invalid",
                "\(key) is no key of a kernel setting",
                hint: "write it as sysctl(8) does, such as net.ipv4.ip_forward"
            )
        }
        return names.reduce("/proc/sys" as FilePath) { $0.appending($1) }
    }

    private static func normal(_ value: String) -> String {
        let lines = value.split(separator: "\n").map { $0.split { $0 == " " || $0 == "\t" }.joined(separator: " ") }
        return lines.joined(separator: "\n")
    }
}
