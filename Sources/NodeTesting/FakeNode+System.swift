// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

extension FakeNode {
    /// See ``NodeWriter/setUser(_:groups:)``.
    public func setUser(_ user: UserEntry, groups: [String]) throws {
        try write("setUser", user.name) {
            var entry = machine.users[user.name] ?? UserEntry(name: user.name, home: "/home/\(user.name)")
            entry.uid = user.uid ?? entry.uid ?? freeNumber(machine.users.values.compactMap(\.uid))
            entry.gid = user.gid ?? entry.gid ?? entry.uid
            entry.home = user.home ?? entry.home
            entry.shell = user.shell ?? entry.shell
            for group in groups where machine.groups[group] == nil {
                throw Failure(.permanent, code: "group-unknown", "set user \(user.name): no group \(group)")
            }
            entry.groups = groups.sorted()
            machine.users[user.name] = entry
        }
    }

    /// See ``NodeWriter/removeUser(_:)``.
    public func removeUser(_ name: String) throws {
        try write("removeUser", name) { machine.users[name] = nil }
    }

    /// See ``NodeWriter/setGroup(_:gid:)``.
    public func setGroup(_ name: String, gid: UInt32?) throws {
        try write("setGroup", name) {
            let old = machine.groups[name]
            let number = gid ?? old?.gid ?? freeNumber(machine.groups.values.map(\.gid))
            machine.groups[name] = GroupEntry(name: name, gid: number, members: old?.members ?? [])
        }
    }

    /// See ``NodeWriter/removeGroup(_:)``.
    public func removeGroup(_ name: String) throws {
        try write("removeGroup", name) { machine.groups[name] = nil }
    }

    private func freeNumber(_ taken: [UInt32]) -> UInt32 { max(999, taken.max() ?? 0) + 1 }

    /// See ``NodeWriter/mount(_:)``.
    public func mount(_ mount: MountEntry) throws {
        try write("mount", mount.path.string) {
            guard machine.files[machine.resolved(mount.path)] != nil else { throw Self.missing(mount.path) }
            let options = mount.options.filter { !["remount", "bind", "rbind", "defaults"].contains($0) }
            let shown = (options.contains("ro") ? [] : ["rw"]) + options.filter { $0 != "rw" }
            if mount.options.contains("remount") {
                guard let last = machine.mounts.lastIndex(where: { $0.path == mount.path }) else {
                    throw Self.missing(mount.path)
                }
                machine.mounts[last].options = shown
            } else {
                machine.mounts.append(try kernelEntry(mount, shown))
            }
        }
    }

    /// A new mount as mountinfo shows it: a bind mount by its device and the place in its file system.
    private func kernelEntry(_ mount: MountEntry, _ options: [String]) throws -> MountEntry {
        var entry = mount
        entry.options = options
        if mount.options.contains("bind") || mount.options.contains("rbind") {
            let source = FilePath(mount.source)
            guard let around = machine.mounts.last(where: { source.starts(with: $0.path) }) else { return entry }
            var below = source
            _ = below.removePrefix(around.path)
            entry.source = around.source
            entry.filesystem = around.filesystem
            entry.root = FilePath(around.root).pushing(below).string
        } else if mount.source.hasPrefix("/") {
            guard machine.devices[FilePath(mount.source)]?.signature == mount.filesystem else {
                throw Failure(.permanent, code: "mount-failed", "mount \(mount.source): no \(mount.filesystem) on it")
            }
        }
        return entry
    }

    /// See ``NodeWriter/unmount(_:)``.
    public func unmount(_ path: FilePath) throws {
        try write("unmount", path.string) {
            if let last = machine.mounts.lastIndex(where: { $0.path == path }) { machine.mounts.remove(at: last) }
        }
    }

    /// See ``NodeWriter/makeFilesystem(_:label:on:)``.
    public func makeFilesystem(_ type: String, label: String?, on device: FilePath) throws {
        try tear {
            machine.devices[device]?.endsAreZero = false
        }
        try write("makeFilesystem", device.string) {
            guard machine.devices[device] != nil else { throw Self.missing(device) }
            machine.devices[device]?.signature = type
            machine.devices[device]?.label = label
            machine.devices[device]?.endsAreZero = false
        }
    }

    /// See ``NodeWriter/settleFilesystem(on:)``; this machine keeps no mark of its own.
    public func settleFilesystem(on device: FilePath) throws { try write("settleFilesystem", device.string) {} }

    /// See ``NodeWriter/reloadUnits()``.
    public func reloadUnits() throws {
        try write("reloadUnits", "") {
            for name in machine.units.keys { load(name) }
            machine.units = machine.units.filter { name, unit in
                unit.isActive || unit.isEnabled || machine.definition(of: name) != nil || !unit.reads.isEmpty
            }
        }
    }

    /// See ``NodeWriter/setUnit(_:enabled:)``.
    public func setUnit(_ name: String, enabled: Bool) throws {
        try write("setUnit", "\(name) \(enabled ? "enabled" : "disabled")") {
            guard machine.definition(of: name) != nil || !enabled else { throw Self.noUnit(name) }
            machine.units[name, default: FakeMachine.Unit()].isEnabled = enabled
        }
    }

    /// See ``NodeWriter/changeUnit(_:_:)``.
    public func changeUnit(_ name: String, _ change: UnitChange) throws {
        try write("changeUnit", "\(name) \(change.rawValue)") {
            if change == .stop {
                machine.units[name]?.isActive = false
                return
            }
            guard machine.definition(of: name) != nil else { throw Self.noUnit(name) }
            machine.units[name, default: FakeMachine.Unit()].isActive = true
            start(name)
        }
    }

    private static func noUnit(_ name: String) -> Failure {
        Failure(.permanent, code: "unit-not-found", "change \(name): there is no such unit")
    }

    /// See ``NodeWriter/installPackages(_:)``.
    public func installPackages(_ packages: [PackageRequest]) throws {
        try installMissing(packages.filter { !isSatisfied($0) })
        for package in packages {
            guard let hold = package.hold, machine.packages[package.name]?.held != hold else { continue }
            try write(hold ? "holdPackage" : "releasePackage", package.name) {
                machine.packages[package.name]?.held = hold
            }
        }
    }

    private func installMissing(_ packages: [PackageRequest]) throws {
        guard let first = packages.first else { return }
        if let unknown = packages.first(where: { $0.version == nil && machine.repository[$0.name] == nil }) {
            throw Failure(.permanent, code: "package-not-found", "install \(unknown.name): there is no such package")
        }
        try tear {
            // dpkg dies between unpacking and configuring.
            install(first)
            machine.packages[first.name]?.configured = false
        }
        try write("installPackages", packages.map(\.name).joined(separator: ",")) { packages.forEach(install) }
    }

    private func install(_ package: PackageRequest) {
        let version = package.version ?? machine.repository[package.name] ?? "1"
        machine.packages[package.name, default: PackageStatus(version: version)].version = version
        machine.packages[package.name]?.configured = true
    }

    private func isSatisfied(_ package: PackageRequest) -> Bool {
        guard let status = machine.packages[package.name], status.configured else { return false }
        return package.version == nil || package.version == status.version
    }

    /// See ``NodeWriter/removePackages(_:)``.
    public func removePackages(_ names: [String]) throws {
        try write("removePackages", names.joined(separator: ",")) {
            for name in names { machine.packages[name] = nil }
        }
    }

    /// See ``NodeWriter/setSysctl(_:to:)``.
    public func setSysctl(_ key: String, to value: String) throws {
        try write("setSysctl", key) {
            guard machine.sysctls[key] != nil else { throw Self.missing(FilePath("/proc/sys").appending(key)) }
            machine.sysctls[key] = value
        }
    }

    /// See ``NodeWriter/loadKernelModule(_:)``.
    public func loadKernelModule(_ name: String) throws {
        try write("loadKernelModule", name) { _ = machine.modules.insert(name) }
    }

    /// See ``NodeWriter/importImage(_:into:)``.
    public func importImage(_ archive: FilePath, into runtime: String) throws -> [String] {
        let identifier = "sha256:\(Self.hex(try read(archive)))"
        try write("importImage", "\(archive) \(runtime)") {
            guard machine.images[runtime] != nil else {
                throw Failure(.waiting, code: "runtime-down", "import \(archive): \(runtime) does not answer")
            }
            machine.images[runtime]?.insert(identifier)
        }
        return [identifier]
    }

    /// See ``NodeWriter/removeImage(_:from:)``.
    public func removeImage(_ identifier: String, from runtime: String) throws {
        try write("removeImage", "\(identifier) \(runtime)") { _ = machine.images[runtime]?.remove(identifier) }
    }
}
