// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

extension FakeNode {
    /// The entry at a path, with links above it followed.
    private func entry(_ path: FilePath) -> FakeMachine.Entry? {
        let parent = machine.resolved(path.removingLastComponent())
        guard let name = path.lastComponent else { return machine.files["/"] }
        return machine.files[parent.appending(name)]
    }

    /// See ``NodeReader/status(of:)``.
    public func status(of path: FilePath) throws -> FileStatus? {
        try read("status")
        return entry(path).map {
            FileStatus(kind: $0.kind, mode: $0.mode, uid: $0.uid, gid: $0.gid, size: Int64($0.bytes.count))
        }
    }

    /// See ``NodeReader/read(_:)``.
    public func read(_ path: FilePath) throws -> [UInt8] {
        try read("read")
        guard let entry = machine.files[machine.resolved(path)], entry.kind == .regular else {
            throw Self.missing(path)
        }
        return entry.bytes
    }

    /// See ``NodeReader/sha256(of:)``.
    public func sha256(of path: FilePath) throws -> String { Self.hex(try read(path)) }

    /// See ``NodeReader/sourceSHA256(of:)``.
    public func sourceSHA256(of path: FilePath) throws -> String? {
        try status(of: path) == nil ? nil : Self.hex(try read(path))
    }

    /// See ``NodeReader/list(_:)``.
    public func list(_ path: FilePath) throws -> [String] {
        try read("list")
        let directory = machine.resolved(path)
        return machine.files.keys.filter { $0 != "/" && $0.removingLastComponent() == directory }
            .compactMap { $0.lastComponent?.string }.sorted()
    }

    /// See ``NodeReader/target(of:)``.
    public func target(of path: FilePath) throws -> String? {
        try read("target")
        return entry(path)?.target
    }

    /// See ``NodeReader/user(named:)``.
    public func user(named name: String) throws -> UserEntry? {
        try read("user")
        return machine.users[name]
    }

    /// See ``NodeReader/group(named:)``.
    public func group(named name: String) throws -> GroupEntry? {
        try read("group")
        return machine.groups[name]
    }

    /// See ``NodeReader/mounts()``.
    public func mounts() throws -> [MountEntry] {
        try read("mounts")
        return machine.mounts
    }

    /// See ``NodeReader/unit(named:)``.
    public func unit(named name: String) throws -> UnitStatus {
        try read("unit")
        let definition = machine.definition(of: name)
        guard let unit = machine.units[name] else {
            return definition == nil ? .absent : UnitStatus(load: "loaded", active: "inactive", file: "disabled")
        }
        if definition == nil, unit.loaded == nil, !unit.isActive { return .absent }
        return UnitStatus(
            load: definition == nil && unit.loaded == nil ? "not-found" : "loaded",
            active: unit.isActive ? "active" : "inactive",
            file: definition == nil ? "" : unit.isEnabled ? "enabled" : "disabled",
            needsReload: unit.loaded.map { $0 != definition } ?? false,
            activeSince: unit.isActive ? 1 : 0
        )
    }

    /// See ``NodeReader/outdatedUnits()``.
    public func outdatedUnits() throws -> [String] {
        try machine.units.keys.sorted().filter { name in
            let unit = try unit(named: name)
            return unit.active == "active" && unit.needsReload
        }
    }

    /// See ``NodeReader/package(named:)``.
    public func package(named name: String) throws -> PackageStatus? {
        try read("package")
        return machine.packages[name]
    }

    /// See ``NodeReader/sysctl(_:)``.
    public func sysctl(_ key: String) throws -> String? {
        try read("sysctl")
        return machine.sysctls[key]
    }

    /// See ``NodeReader/hasKernelModule(_:)``.
    public func hasKernelModule(_ name: String) throws -> Bool {
        try read("hasKernelModule")
        return machine.modules.contains(name)
    }

    /// See ``NodeReader/blockDevice(_:)``.
    public func blockDevice(_ path: FilePath) throws -> BlockDeviceStatus? {
        try read("blockDevice")
        return machine.devices[path]
    }

    /// See ``NodeReader/images(in:)``.
    public func images(in runtime: String) throws -> Set<String> {
        try read("images")
        return machine.images[runtime] ?? []
    }

    /// See ``NodeReader/bootID()``.
    public func bootID() throws -> String {
        try read("bootID")
        return "boot-\(machine.boot)"
    }
}
