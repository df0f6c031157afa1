// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import SystemPackage

/// A machine in memory whose files on a volume come and go with its mount; it fails at the n-th effect when told so.
actor VolumeMachine: NodeWriter {
    struct File: Equatable {
        var bytes: [UInt8]
        var status: FileStatus
    }

    struct Crash: Error {}

    private(set) var files: [FilePath: File] = [:]
    private(set) var links: [FilePath: String] = [:]
    private(set) var devices: [FilePath: BlockDeviceStatus] = [:]
    private(set) var mounted: [MountEntry] = []
    private(set) var units: [String: UnitStatus] = [:]
    private(set) var users: [String: UserEntry] = [:]
    private(set) var groups: [String: GroupEntry] = [:]
    private(set) var effects: [String] = []
    /// What is on each device's file system, kept while it is not mounted.
    private var volumes: [String: [FilePath: File]] = [:]
    private var crashAt: Int?
    private var failingUnits: Set<String> = []
    private var nextID: UInt32 = 990

    func crash(atEffect count: Int?) { crashAt = count.map { effects.count + $0 } }
    func attach(_ device: FilePath, _ status: BlockDeviceStatus) { devices[device] = status }
    func link(from path: FilePath, to target: String) { links[path] = target }
    func put(_ text: String, at path: FilePath) { put(Array(text.utf8), at: path) }
    func put(_ bytes: [UInt8], at path: FilePath) {
        files[path] = File(
            bytes: bytes,
            status: FileStatus(kind: .regular, mode: 0o644, uid: 0, gid: 0, size: Int64(bytes.count))
        )
    }
    func setFailing(_ unit: String, _ failing: Bool) {
        if failing { failingUnits.insert(unit) } else { failingUnits.remove(unit) }
    }
    func stopUnit(_ name: String) { units[name]?.active = "inactive" }
    func setNextID(_ id: UInt32) { nextID = id }
    func clearEffects() { effects = [] }

    /// Power off, power on: nothing is mounted, `/run` is empty, no unit runs.
    func reboot() {
        for mount in mounted { volumes[mount.source] = files.filter { $0.key.starts(with: mount.path) } }
        for mount in mounted { files = files.filter { !$0.key.starts(with: mount.path) } }
        files = files.filter { !$0.key.starts(with: "/run") }
        mounted = []
        for name in units.keys { units[name]?.active = "inactive" }
    }

    /// A device is taken away, and what was mounted from it stays mounted.
    func detach(_ device: FilePath) { devices[device] = nil }

    /// The volume is lost.
    func forgetVolumes() { volumes = [:] }

    /// Formatting a device was interrupted, and is noted.
    func interruptFormatting(of device: FilePath) {
        devices[device] = BlockDeviceStatus(
            signature: nil,
            endsAreZero: false,
            size: 1 << 30,
            isHalfFormatted: true
        )
    }

    private func effect(_ text: String) throws {
        if let crashAt, effects.count >= crashAt { throw Crash() }
        effects.append(text)
    }

    // MARK: Reading

    func status(of path: FilePath) -> FileStatus? {
        if devices[path] != nil { return FileStatus(kind: .block, mode: 0o660, uid: 0, gid: 0, size: 0) }
        return links[path] == nil ? files[path]?.status : nil
    }
    func read(_ path: FilePath) throws -> [UInt8] {
        guard let file = files[path] else { throw Failure(.permanent, code: "missing", "\(path)") }
        return file.bytes
    }
    func sourceSHA256(of path: FilePath) -> String? { nil }
    func sha256(of path: FilePath) throws -> String {
        "\(try read(path).reduce(into: Hasher()) { $0.combine($1) }.finalize())"
    }
    func list(_ path: FilePath) -> [String] {
        let names = files.keys.filter { $0.starts(with: path) && $0 != path }.compactMap { file -> String? in
            var rest = file
            _ = rest.removePrefix(path)
            return rest.components.first?.string
        }
        return Array(Set(names)).sorted()
    }
    func target(of path: FilePath) -> String? { links[path] }
    func user(named name: String) -> UserEntry? { users[name] }
    func group(named name: String) -> GroupEntry? { groups[name] }
    func mounts() -> [MountEntry] { mounted }
    func unit(named name: String) -> UnitStatus {
        if let unit = units[name] { return unit }
        guard files[FilePath("/etc/systemd/system").appending(name)] != nil else { return .absent }
        return UnitStatus(load: "loaded", active: "inactive", file: "static", needsReload: false)
    }
    func package(named name: String) -> PackageStatus? { nil }
    func sysctl(_ key: String) -> String? { nil }
    func hasKernelModule(_ name: String) -> Bool { false }
    func blockDevice(_ path: FilePath) -> BlockDeviceStatus? { devices[path] }
    func images(in runtime: String) -> Set<String> { [] }
    func bootID() -> String { "boot" }

    // MARK: Writing

    func write(_ bytes: [UInt8], to path: FilePath, attributes: FileAttributes) throws {
        try effect("write \(path)")
        files[path] = File(
            bytes: bytes,
            status: FileStatus(
                kind: .regular,
                mode: attributes.mode ?? 0o644,
                uid: attributes.uid ?? 0,
                gid: attributes.gid ?? 0,
                size: Int64(bytes.count)
            )
        )
    }
    func install(_ source: FilePath, sha256: String, to path: FilePath, attributes: FileAttributes) throws {
        guard try self.sha256(of: source) == sha256 else {
            throw Failure(.transient, code: "changed", "\(source) has changed")
        }
        try write(try read(source), to: path, attributes: attributes)
    }
    func makeDirectory(_ path: FilePath, attributes: FileAttributes) throws {
        if files[path] != nil { return }
        try effect("directory \(path)")
        files[path] = File(
            bytes: [],
            status: FileStatus(
                kind: .directory,
                mode: attributes.mode ?? 0o755,
                uid: attributes.uid ?? 0,
                gid: attributes.gid ?? 0,
                size: 0
            )
        )
    }
    func setAttributes(_ attributes: FileAttributes, of path: FilePath) throws {
        try effect("attributes \(path)")
        if let uid = attributes.uid { files[path]?.status.uid = uid }
        if let gid = attributes.gid { files[path]?.status.gid = gid }
        if let mode = attributes.mode { files[path]?.status.mode = mode }
    }
    func setUser(_ user: UserEntry, groups: [String]) throws {
        try effect("user \(user.name)")
        var user = user
        user.uid = user.uid ?? nextID
        users[user.name] = user
    }
    func setGroup(_ name: String, gid: UInt32?) throws {
        try effect("group \(name)")
        groups[name] = GroupEntry(name: name, gid: gid ?? nextID)
    }
    func mount(_ mount: MountEntry) throws {
        try effect("mount \(mount.source) \(mount.path)")
        mounted.append(mount)
        files.merge(volumes[mount.source] ?? [:]) { _, new in new }
    }
    func makeFilesystem(_ type: String, label: String?, on device: FilePath) throws {
        guard let found = devices[device], found.isBlank || found.isHalfFormatted else {
            throw Failure(.permanent, code: "not-blank", "\(device) is not blank")
        }
        try effect("mkfs.\(type) \(label ?? "-") \(device)")
        devices[device] = BlockDeviceStatus(
            signature: type,
            label: label,
            endsAreZero: false,
            size: devices[device]?.size ?? 0
        )
        volumes[device.string] = [:]
    }
    func outdatedUnits() -> [String] { [] }
    func settleFilesystem(on device: FilePath) {}
    func reloadUnits() throws { try effect("daemon-reload") }
    func changeUnit(_ name: String, _ change: UnitChange) throws {
        try effect("\(change.rawValue) \(name)")
        if failingUnits.contains(name) {
            units[name] = UnitStatus(load: "loaded", active: "failed", file: "static")
            throw Failure(.transient, code: "unit-failed", "\(name) failed")
        }
        units[name] = UnitStatus(load: "loaded", active: change == .stop ? "inactive" : "active", file: "static")
    }

    // MARK: Nothing etcd needs

    func append(_ bytes: [UInt8], to path: FilePath) { files[path]?.bytes += bytes }
    func link(_ path: FilePath, to target: String) {}
    func remove(_ path: FilePath) { files[path] = nil }
    func rename(_ path: FilePath, to target: FilePath) {}
    func extract(_ archive: FilePath, into directory: FilePath, stripComponents: Int) {}
    func removeUser(_ name: String) {}
    func removeGroup(_ name: String) {}
    func unmount(_ path: FilePath) {}
    func setUnit(_ name: String, enabled: Bool) {}
    func installPackages(_ packages: [PackageRequest]) {}
    func removePackages(_ names: [String]) {}
    func setSysctl(_ key: String, to value: String) {}
    func loadKernelModule(_ name: String) {}
    func importImage(_ archive: FilePath, into runtime: String) -> [String] { [] }
    func removeImage(_ identifier: String, from runtime: String) {}
}

/// Finds every file system clean and large enough.
struct CleanTools: FilesystemTools {
    func check(_ device: FilePath, filesystem: String) {}
    func grow(_ device: FilePath, filesystem: String, mountPoint: FilePath) {}
}
