// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

/// The control groups (cgroups(7)) a machine lives in: one directory of the same name in every hierarchy.
///
/// They also tell whether a machine runs and which processes are its own, after any crash and without a process number
/// that might by now be somebody else's.
struct LocalControlGroups: Sendable {
    /// Where hierarchies are mounted, version 1 and 2.
    let hierarchies: [FilePath]
    /// Whether systemd manages this host's control groups; a scope of its own must be asked for there.
    let managedBySystemd: Bool

    /// This host's.
    init() {
        let mounts = (LocalFiles.text("/proc/self/mounts") ?? "").split(separator: "\n").map {
            $0.split(separator: " ")
        }
        let paths = mounts.filter { $0.count > 2 && ($0[2] == "cgroup" || $0[2] == "cgroup2") }.map {
            FilePath(String($0[1]))
        }
        hierarchies = Set(paths.filter { $0.starts(with: "/sys/fs/cgroup") }).sorted { $0.string < $1.string }
        // sd_booted(3)
        managedBySystemd = LocalFiles.isDirectory("/run/systemd/system")
    }

    /// The name of the scope unit on a host with systemd.
    func scope(_ name: String) -> String { name + ".scope" }
    /// The slice systemd keeps machines in.
    static let slice = "machine.slice"

    /// Where a group is, or would be, in each hierarchy.
    func directories(of name: String) -> [FilePath] {
        hierarchies.map { managedBySystemd ? $0.appending(Self.slice).appending(scope(name)) : $0.appending(name) }
    }

    /// The names of groups that begin so.
    func names(prefix: String) -> [String] {
        let parents = hierarchies.map { managedBySystemd ? $0.appending(Self.slice) : $0 }
        let suffix = managedBySystemd ? ".scope" : ""
        let found = parents.flatMap { LocalFiles.list($0) }.filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }
        return Set(found.map { String($0.dropLast(suffix.count)) }).sorted()
    }

    /// Whether a process lives in the group or below.
    func isPopulated(_ name: String) -> Bool {
        let directories = directories(of: name)
        let events = directories.compactMap { LocalFiles.text($0.appending("cgroup.events")) }
        // Version 1 does not tell: all its processes are looked for.
        guard events.isEmpty else { return events.contains { $0.contains("populated 1") } }
        return !processes(of: name).isEmpty
    }

    /// Every process in the group and below, in any hierarchy.
    func processes(of name: String) -> Set<pid_t> {
        Set(directories(of: name).flatMap { Self.processes(below: $0) })
    }

    /// The process that is number 1 inside the machine, once it is the machine's own init.
    func leader(of name: String) -> pid_t? {
        processes(of: name).first { process in
            let status = (LocalFiles.text(FilePath("/proc/\(process)/status")) ?? "").split(separator: "\n")
            let numbers = status.first { $0.hasPrefix("NSpid:") }?.split(separator: "\t").dropFirst()
            // Deeper ones are containers of the machine's own.
            guard let numbers, numbers.count == 2, numbers.last == "1" else { return false }
            return LocalFiles.text(FilePath("/proc/\(process)/comm"))?.hasPrefix("systemd-nspawn") == false
        }
    }

    /// Makes the group where systemd does not.
    func create(_ name: String) throws {
        guard !managedBySystemd else { return }
        for directory in directories(of: name) {
            try LocalFiles.makeDirectory(directory)
            let parent = directory.removingLastComponent()
            // A cpuset without processors or memory takes no process.
            for file in ["cpuset.cpus", "cpuset.mems"] where LocalFiles.exists(directory.appending(file)) {
                guard LocalFiles.text(directory.appending(file)) == "",
                    let all = LocalFiles.text(parent.appending(file))
                else { continue }
                try LocalFiles.overwrite(directory.appending(file), all)
            }
        }
    }

    /// Ends every process of the group at once; they may take a moment to be gone.
    func kill(_ name: String) {
        for directory in directories(of: name) {
            // Where the kernel offers it (5.14) nothing can fork its way out.
            try? LocalFiles.overwrite(directory.appending("cgroup.kill"), "1")
        }
        for process in processes(of: name) { _ = Glibc.kill(process, SIGKILL) }
    }

    /// Removes the group and those below; `false` while one is in use.
    func remove(_ name: String) -> Bool { directories(of: name).map(Self.removeTree).allSatisfy { $0 } }

    /// Whether a directory of the group is left.
    func exists(_ name: String) -> Bool { directories(of: name).contains(where: LocalFiles.exists) }

    private static func children(_ directory: FilePath) -> [FilePath] {
        LocalFiles.list(directory).map { directory.appending($0) }.filter(LocalFiles.isDirectory)
    }

    private static func processes(below directory: FilePath) -> [pid_t] {
        let own = (LocalFiles.text(directory.appending("cgroup.procs")) ?? "").split(separator: "\n").compactMap {
            pid_t($0)
        }
        return own + children(directory).flatMap { processes(below: $0) }
    }

    private static func removeTree(_ directory: FilePath) -> Bool {
        children(directory).map(removeTree).allSatisfy { $0 } && LocalFiles.removeDirectory(directory)
    }
}
