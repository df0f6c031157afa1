// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import SystemPackage

/// Makes a machine's root: a copy of the base with what only this machine has.
///
/// A copy for each machine, not an overlay over one base: docker's overlay2 and etcd want a real file system, unpacking
/// takes one to two seconds, and nothing is left behind that machines share.
struct LocalRootFileSystem: Sendable {
    let names: LocalNames
    let record: MachineRecord
    /// A tar archive, or a directory that is copied.
    let base: FilePath
    let userData: String

    /// Makes the root under a temporary name; only a complete one gets its own.
    func make(at path: FilePath, by way: FilePath) async throws {
        try await Self.remove(way)
        try LocalFiles.makeDirectory(way)
        try await copyBase(to: way)
        try write(below: way)
        try LocalFiles.rename(way, to: path)
    }

    /// Removes a root with everything in it, but nothing another file system shows there.
    static func remove(_ path: FilePath) async throws {
        guard LocalFiles.exists(path) else { return }
        try await LocalCommand("rm", "--recursive", "--force", "--one-file-system", "--", path.string).run()
    }

    private func copyBase(to path: FilePath) async throws {
        guard LocalFiles.exists(base) else {
            throw Failure(
                .permanent, code: "base-missing", "there is no root file system for machine \(record.name) at \(base)",
                hint: "run `make assets`, or name another file repository")
        }
        if LocalFiles.isDirectory(base) {
            try await LocalCommand("cp", "--archive", "--reflink=auto", "\(base)/.", path.string).run()
        } else {
            try await LocalCommand(
                "tar", "--extract", "--file", base.string, "--directory", path.string, "--numeric-owner", "--xattrs",
                "--xattrs-include=security.*"
            ).run()
        }
    }

    private func write(below root: FilePath) throws {
        func put(_ path: String, _ text: String, mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]) throws {
            let file = root.pushing(FilePath(path))
            try LocalFiles.makeDirectory(file.removingLastComponent())
            // A base may hold a link there, and following it could leave the root.
            try LocalFiles.remove(file)
            try LocalFiles.write(Array(text.utf8), to: file, mode: mode)
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
        let units = root.pushing("etc/systemd/system")
        try LocalFiles.makeDirectory(units.appending("sysinit.target.wants"))
        try LocalFiles.link(
            units.appending("sysinit.target.wants").appending("kopslite-local.service"), to: "../kopslite-local.service")
        // With a writable /sys systemd-networkd waits for a udevd, which containers do not have; and it would take away
        // the routes to other machines' pods. One owner for host0: kopslite-local.
        for unit in ["systemd-networkd.service", "systemd-networkd.socket", "systemd-networkd-wait-online.service"] {
            try LocalFiles.link(units.appending(unit), to: "/dev/null")
        }

        try put(
            "var/lib/cloud/seed/nocloud/meta-data", "instance-id: \(record.instanceID)\nlocal-hostname: \(record.name)\n")
        // It may hold what other users of the machine should not read.
        try put("var/lib/cloud/seed/nocloud/user-data", userData, mode: .ownerReadWrite)
    }

    /// The host's name servers, as far as machines can reach them: a stub on the host's own loopback they cannot.
    static func resolverConfiguration(etc: FilePath = "/etc/resolv.conf", resolved: FilePath = "/run/systemd/resolve/resolv.conf")
        -> String
    {
        for file in [etc, resolved] {
            let lines = (LocalFiles.text(file) ?? "").split(separator: "\n").filter { line in
                let words = line.split(separator: " ")
                return words.first == "nameserver" && words.count > 1 && !words[1].hasPrefix("127.") && words[1] != "::1"
            }
            if !lines.isEmpty { return lines.joined(separator: "\n") + "\n" }
        }
        return "# The host has no name server that machines could reach.\n"
    }
}
