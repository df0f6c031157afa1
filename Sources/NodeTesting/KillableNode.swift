// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// Any machine, such as a directory tree that a `LiveNode` works on, made to die between two writes.
public actor KillableNode: NodeWriter {
    private let base: any NodeWriter
    private var crashAfter: Int?
    private var isCrashed = false
    private var writes = 0

    /// Wraps a machine.
    public init(_ base: any NodeWriter) { self.base = base }

    /// What to ask for an answer, unless the machine is dead.
    private var reader: any NodeReader {
        get throws {
            if isCrashed { throw FakeCrash(writes: writes) }
            return base
        }
    }

    private func writing<Value: Sendable>(
        _ body: @Sendable (any NodeWriter) async throws -> Value
    ) async throws -> Value {
        if isCrashed { throw FakeCrash(writes: writes) }
        if crashAfter == 0 { throw crashNow() }
        let value = try await body(base)
        writes += 1
        if writes == crashAfter { throw crashNow() }
        return value
    }

    private func crashNow() -> FakeCrash {
        isCrashed = true
        return FakeCrash(writes: writes)
    }
}

extension KillableNode: ContractNode {
    /// See ``ContractNode/crash(afterWrite:)``.
    public func crash(afterWrite count: Int) {
        crashAfter = count
        writes = 0
    }
    /// See ``ContractNode/hasCrashed()``.
    public func hasCrashed() -> Bool { isCrashed }
    /// See ``ContractNode/revive()``.
    public func revive() {
        isCrashed = false
        crashAfter = nil
    }

    /// The tree, a line each; keys and certificates count as there, since their bytes are random.
    public func snapshot() async throws -> [String] { try await tree("/") }

    /// Nothing: a tree runs no units.
    public func owed() -> [String] { [] }

    private func tree(_ path: FilePath) async throws -> [String] {
        guard let status = try await base.status(of: path) else { return [] }
        var line = "\(path) \(status.kind) \(String(status.mode, radix: 8)) \(status.uid):\(status.gid)"
        switch status.kind {
        case .symlink: line += " \(try await base.target(of: path) ?? "")"
        case .regular:
            let text = String(decoding: try await base.read(path), as: UTF8.self)
            line += text.contains("-----BEGIN ") ? " PEM" : " \(text.debugDescription)"
        case .directory, .block, .other: break
        }
        var lines = [line]
        if status.kind == .directory {
            for name in try await base.list(path) { lines += try await tree(path.appending(name)) }
        }
        return lines
    }
}

extension KillableNode {
    /// See ``NodeReader/status(of:)``.
    public func status(of path: FilePath) async throws -> FileStatus? { try await reader.status(of: path) }
    /// See ``NodeReader/read(_:)``.
    public func read(_ path: FilePath) async throws -> [UInt8] { try await reader.read(path) }
    /// See ``NodeReader/sha256(of:)``.
    public func sha256(of path: FilePath) async throws -> String { try await reader.sha256(of: path) }
    /// See ``NodeReader/sourceSHA256(of:)``.
    public func sourceSHA256(of path: FilePath) async throws -> String? { try await reader.sourceSHA256(of: path) }
    /// See ``NodeReader/list(_:)``.
    public func list(_ path: FilePath) async throws -> [String] { try await reader.list(path) }
    /// See ``NodeReader/target(of:)``.
    public func target(of path: FilePath) async throws -> String? { try await reader.target(of: path) }
    /// See ``NodeReader/user(named:)``.
    public func user(named name: String) async throws -> UserEntry? { try await reader.user(named: name) }
    /// See ``NodeReader/group(named:)``.
    public func group(named name: String) async throws -> GroupEntry? { try await reader.group(named: name) }
    /// See ``NodeReader/mounts()``.
    public func mounts() async throws -> [MountEntry] { try await reader.mounts() }
    /// See ``NodeReader/unit(named:)``.
    public func unit(named name: String) async throws -> UnitStatus { try await reader.unit(named: name) }
    /// See ``NodeReader/outdatedUnits()``.
    public func outdatedUnits() async throws -> [String] { try await reader.outdatedUnits() }
    /// See ``NodeReader/package(named:)``.
    public func package(named name: String) async throws -> PackageStatus? { try await reader.package(named: name) }
    /// See ``NodeReader/sysctl(_:)``.
    public func sysctl(_ key: String) async throws -> String? { try await reader.sysctl(key) }
    /// See ``NodeReader/hasKernelModule(_:)``.
    public func hasKernelModule(_ name: String) async throws -> Bool { try await reader.hasKernelModule(name) }
    /// See ``NodeReader/blockDevice(_:)``.
    public func blockDevice(_ path: FilePath) async throws -> BlockDeviceStatus? {
        try await reader.blockDevice(path)
    }
    /// See ``NodeReader/images(in:)``.
    public func images(in runtime: String) async throws -> Set<String> { try await reader.images(in: runtime) }
    /// See ``NodeReader/bootID()``.
    public func bootID() async throws -> String { try await reader.bootID() }

    /// See ``NodeWriter/write(_:to:attributes:)``.
    public func write(_ bytes: [UInt8], to path: FilePath, attributes: FileAttributes) async throws {
        try await writing { try await $0.write(bytes, to: path, attributes: attributes) }
    }
    /// See ``NodeWriter/append(_:to:)``.
    public func append(_ bytes: [UInt8], to path: FilePath) async throws {
        try await writing { try await $0.append(bytes, to: path) }
    }
    /// See ``NodeWriter/install(_:sha256:to:attributes:)``.
    public func install(
        _ source: FilePath,
        sha256: String,
        to path: FilePath,
        attributes: FileAttributes
    ) async throws {
        try await writing { try await $0.install(source, sha256: sha256, to: path, attributes: attributes) }
    }
    /// See ``NodeWriter/makeDirectory(_:attributes:)``.
    public func makeDirectory(_ path: FilePath, attributes: FileAttributes) async throws {
        try await writing { try await $0.makeDirectory(path, attributes: attributes) }
    }
    /// See ``NodeWriter/setAttributes(_:of:)``.
    public func setAttributes(_ attributes: FileAttributes, of path: FilePath) async throws {
        try await writing { try await $0.setAttributes(attributes, of: path) }
    }
    /// See ``NodeWriter/link(_:to:)``.
    public func link(_ path: FilePath, to target: String) async throws {
        try await writing { try await $0.link(path, to: target) }
    }
    /// See ``NodeWriter/remove(_:)``.
    public func remove(_ path: FilePath) async throws { try await writing { try await $0.remove(path) } }
    /// See ``NodeWriter/rename(_:to:)``.
    public func rename(_ path: FilePath, to target: FilePath) async throws {
        try await writing { try await $0.rename(path, to: target) }
    }
    /// See ``NodeWriter/extract(_:into:stripComponents:)``.
    public func extract(_ archive: FilePath, into directory: FilePath, stripComponents: Int) async throws {
        try await writing { try await $0.extract(archive, into: directory, stripComponents: stripComponents) }
    }
    /// See ``NodeWriter/setUser(_:groups:)``.
    public func setUser(_ user: UserEntry, groups: [String]) async throws {
        try await writing { try await $0.setUser(user, groups: groups) }
    }
    /// See ``NodeWriter/removeUser(_:)``.
    public func removeUser(_ name: String) async throws { try await writing { try await $0.removeUser(name) } }
    /// See ``NodeWriter/setGroup(_:gid:)``.
    public func setGroup(_ name: String, gid: UInt32?) async throws {
        try await writing { try await $0.setGroup(name, gid: gid) }
    }
    /// See ``NodeWriter/removeGroup(_:)``.
    public func removeGroup(_ name: String) async throws { try await writing { try await $0.removeGroup(name) } }
    /// See ``NodeWriter/mount(_:)``.
    public func mount(_ mount: MountEntry) async throws { try await writing { try await $0.mount(mount) } }
    /// See ``NodeWriter/unmount(_:)``.
    public func unmount(_ path: FilePath) async throws { try await writing { try await $0.unmount(path) } }
    /// See ``NodeWriter/makeFilesystem(_:label:on:)``.
    public func makeFilesystem(_ type: String, label: String?, on device: FilePath) async throws {
        try await writing { try await $0.makeFilesystem(type, label: label, on: device) }
    }
    /// See ``NodeWriter/settleFilesystem(on:)``.
    public func settleFilesystem(on device: FilePath) async throws {
        try await writing { try await $0.settleFilesystem(on: device) }
    }
    /// See ``NodeWriter/reloadUnits()``.
    public func reloadUnits() async throws { try await writing { try await $0.reloadUnits() } }
    /// See ``NodeWriter/setUnit(_:enabled:)``.
    public func setUnit(_ name: String, enabled: Bool) async throws {
        try await writing { try await $0.setUnit(name, enabled: enabled) }
    }
    /// See ``NodeWriter/changeUnit(_:_:)``.
    public func changeUnit(_ name: String, _ change: UnitChange) async throws {
        try await writing { try await $0.changeUnit(name, change) }
    }
    /// See ``NodeWriter/installPackages(_:)``.
    public func installPackages(_ packages: [PackageRequest]) async throws {
        try await writing { try await $0.installPackages(packages) }
    }
    /// See ``NodeWriter/removePackages(_:)``.
    public func removePackages(_ names: [String]) async throws {
        try await writing { try await $0.removePackages(names) }
    }
    /// See ``NodeWriter/setSysctl(_:to:)``.
    public func setSysctl(_ key: String, to value: String) async throws {
        try await writing { try await $0.setSysctl(key, to: value) }
    }
    /// See ``NodeWriter/loadKernelModule(_:)``.
    public func loadKernelModule(_ name: String) async throws {
        try await writing { try await $0.loadKernelModule(name) }
    }
    /// See ``NodeWriter/importImage(_:into:)``.
    public func importImage(_ archive: FilePath, into runtime: String) async throws -> [String] {
        try await writing { try await $0.importImage(archive, into: runtime) }
    }
    /// See ``NodeWriter/removeImage(_:from:)``.
    public func removeImage(_ identifier: String, from runtime: String) async throws {
        try await writing { try await $0.removeImage(identifier, from: runtime) }
    }
}
