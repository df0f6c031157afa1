// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// Makes a machine's root: the base with what only this machine has laid over it.
///
/// An overlay (overlayfs in the kernel's documentation), for a copy of the base is 200 MB to write and to remove again
/// for each machine: seconds on an idle disk, half a minute on a busy one. What docker, containerd and kubelet keep lies
/// on the disk itself: the first two cannot stack overlays, and kubelet wants to know the disk its data is on.
struct LocalRootFileSystem: Sendable {
    let names: LocalNames
    let record: MachineRecord
    let userData: String
    let confidential: [ConfidentialFile]

    /// The directories below `/var/lib` that are no part of the overlay.
    private static let onDisk = ["containerd", "docker", "kubelet"]

    /// Makes what is the machine's own under a temporary name; only when it is complete it gets its own.
    func make(at path: FilePath, by way: FilePath) async throws {
        try await Self.remove(way)
        try await Self.remove(path)
        for part in ["upper", "work"] + Self.onDisk { try LocalFiles.makeDirectory(way.appending(part)) }
        try write(below: way.appending("upper"))
        try LocalFiles.rename(way, to: path)
    }

    /// Lays the machine's own files over the base; what is mounted stays so.
    static func mount(_ record: MachineRecord, files: FilePath, at root: FilePath) async throws {
        guard LocalFiles.isDirectory(FilePath(record.base)) else {
            throw Failure(
                .permanent,
                code: "base-missing",
                "the root of machine \(record.name) stands on \(record.base), which is gone",
                hint: "delete the machine and let update cluster make it anew"
            )
        }
        try LocalFiles.makeDirectory(root)
        if !LocalMounts.isMounted(root) {
            let directories = [
                "lowerdir=" + escaped(record.base), "upperdir=" + escaped(files.appending("upper").string),
                "workdir=" + escaped(files.appending("work").string),
            ]
            let options = directories.joined(separator: ",")
            try await LocalCommand("mount", "-t", "overlay", "-o", options, "kopslite", root.string).run()
        }
        for part in onDisk {
            let place = root.pushing("var/lib").appending(part)
            try LocalFiles.makeDirectory(place)
            guard !LocalMounts.isMounted(place) else { continue }
            try await LocalCommand("mount", "--bind", files.appending(part).string, place.string).run()
        }
    }

    /// Removes a directory with everything in it, but nothing another file system shows there.
    static func remove(_ path: FilePath) async throws {
        guard LocalFiles.exists(path) else { return }
        try await LocalCommand("rm", "--recursive", "--force", "--one-file-system", "--", path.string).run()
    }

    /// A path as an option of an overlay: commas separate options there, colons directories.
    private static func escaped(_ path: String) -> String {
        path.reduce(into: "") { text, letter in
            if ",:\\".contains(letter) { text.append("\\") }
            text.append(letter)
        }
    }

    private func write(below upper: FilePath) throws {
        func put(
            _ path: String,
            _ text: some StringProtocol,
            mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
        ) throws {
            try Self.put(Array(text.utf8), at: path, below: upper, mode: mode)
        }
        try put("etc/hostname", record.name + "\n")
        try put("etc/hosts", "127.0.0.1 localhost\n\(record.address) \(record.name)\n")
        try put("etc/machine-id", names.machineID(instanceID: record.instanceID) + "\n")
        try put("etc/resolv.conf", Self.resolverConfiguration())
        // /tmp is new at each boot; with this, what is bound below it is safe from being cleared (tmpfiles.d(5)).
        try put("etc/tmpfiles.d/tmp.conf", "q /tmp 1777 root root -\nq /var/tmp 1777 root root -\n")

        let program: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
        try put("usr/local/sbin/kopslite-local", LocalScripts.prepare, mode: program)
        try put("etc/systemd/system/kopslite-local.service", LocalScripts.unit)
        let units = upper.pushing("etc/systemd/system")
        try LocalFiles.makeDirectory(units.appending("sysinit.target.wants"))
        try LocalFiles.link(
            units.appending("sysinit.target.wants").appending("kopslite-local.service"),
            to: "../kopslite-local.service"
        )
        // With a writable /sys systemd-networkd waits for a udevd, which containers do not have; and it would take away
        // the routes to other machines' pods. One owner for host0: kopslite-local.
        for unit in ["systemd-networkd.service", "systemd-networkd.socket", "systemd-networkd-wait-online.service"] {
            try LocalFiles.link(units.appending(unit), to: "/dev/null")
        }

        try put(
            "var/lib/cloud/seed/nocloud/meta-data",
            "instance-id: \(record.instanceID)\nlocal-hostname: \(record.name)\n"
        )
        // It may hold what other users of the machine should not read.
        try put("var/lib/cloud/seed/nocloud/user-data", userData, mode: .ownerReadWrite)
        for file in confidential { try Self.put(file.bytes, at: file.path, below: upper, mode: .ownerReadWrite) }
    }

    private static func put(
        _ bytes: [UInt8],
        at path: String,
        below upper: FilePath,
        mode: FilePermissions
    ) throws {
        let file = upper.pushing(FilePath(path).removingRoot())
        try LocalFiles.makeDirectory(file.removingLastComponent())
        try LocalFiles.write(bytes, to: file, mode: mode)
    }

    /// The host's name servers, as far as machines can reach them: a stub on the host's own loopback they cannot.
    static func resolverConfiguration(
        etc: FilePath = "/etc/resolv.conf",
        resolved: FilePath = "/run/systemd/resolve/resolv.conf"
    )
        -> String
    {
        for file in [etc, resolved] {
            let lines = (LocalFiles.text(file) ?? "").split(separator: "\n").filter { line in
                let words = line.split(separator: " ")
                return words.first == "nameserver" && words.count > 1 && !words[1].hasPrefix("127.")
                    && words[1] != "::1"
            }
            if !lines.isEmpty { return lines.joined(separator: "\n") + "\n" }
        }
        return "# The host has no name server that machines could reach.\n"
    }
}
