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

    public func status(of path: FilePath) throws -> FileStatus? {
        try read("status")
        return entry(path).map {
            FileStatus(kind: $0.kind, mode: $0.mode, uid: $0.uid, gid: $0.gid, size: Int64($0.bytes.count))
        }
    }

    public func read(_ path: FilePath) throws -> [UInt8] {
        try read("read")
        guard let entry = machine.files[machine.resolved(path)], entry.kind == .regular else {
            throw Self.missing(path)
        }
        return entry.bytes
    }

    public func sha256(of path: FilePath) throws -> String { Self.hex(try read(path)) }

    public func list(_ path: FilePath) throws -> [String] {
        try read("list")
        let directory = machine.resolved(path)
        return machine.files.keys.filter { $0 != "/" && $0.removingLastComponent() == directory }
            .compactMap { $0.lastComponent?.string }.sorted()
    }

    public func target(of path: FilePath) throws -> String? {
        try read("target")
        return entry(path)?.target
    }

    public func user(named name: String) throws -> UserEntry? {
        try read("user")
        return machine.users[name]
    }

    public func group(named name: String) throws -> GroupEntry? {
        try read("group")
        return machine.groups[name]
    }

    public func mounts() throws -> [MountEntry] {
        try read("mounts")
        return machine.mounts
    }

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
            needsReload: unit.loaded.map { $0 != definition } ?? false, activeSince: unit.isActive ? 1 : 0
        )
    }

    public func package(named name: String) throws -> PackageStatus? {
        try read("package")
        return machine.packages[name]
    }

    public func sysctl(_ key: String) throws -> String? {
        try read("sysctl")
        return machine.sysctls[key]
    }

    public func hasKernelModule(_ name: String) throws -> Bool {
        try read("hasKernelModule")
        return machine.modules.contains(name)
    }

    public func blockDevice(_ path: FilePath) throws -> BlockDeviceStatus? {
        try read("blockDevice")
        return machine.devices[path]
    }

    public func images(in runtime: String) throws -> Set<String> {
        try read("images")
        return machine.images[runtime] ?? []
    }

    public func bootID() throws -> String {
        try read("bootID")
        return "boot-\(machine.boot)"
    }
}
