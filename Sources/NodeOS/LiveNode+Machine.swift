// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

extension LiveNode {
    /// See ``NodeReader/mounts()``.
    public func mounts() async throws -> [MountEntry] {
        try needMachine("looking at mounts")
        return try MountTable.live().entries
    }

    /// See ``NodeWriter/mount(_:)``.
    public func mount(_ mount: MountEntry) async throws {
        try needMachine("mounting \(mount.path)")
        try await BlockingThread.run { _ throws(Failure) in try MountCalls.mount(mount) }
    }

    /// See ``NodeWriter/unmount(_:)``.
    public func unmount(_ path: FilePath) async throws {
        try needMachine("unmounting \(path)")
        try await BlockingThread.run { _ throws(Failure) in try MountCalls.unmount(path) }
    }

    /// See ``NodeReader/blockDevice(_:)``; below another root, image files are probed.
    public func blockDevice(_ path: FilePath) async throws -> BlockDeviceStatus? {
        try await BlockProbe(files: files, runner: runner).status(of: path)
    }

    /// See ``NodeWriter/makeFilesystem(_:label:on:)``; refused (`not-blank`) unless all is blank at that moment.
    public func makeFilesystem(_ type: String, label: String?, on device: FilePath) async throws {
        try await BlockProbe(files: files, runner: runner).makeFilesystem(type, label: label, on: device)
    }

    /// See ``NodeWriter/settleFilesystem(on:)``.
    public func settleFilesystem(on device: FilePath) async throws {
        try await BlockProbe(files: files, runner: runner).settle(device)
    }

    /// See ``NodeReader/unit(named:)``.
    public func unit(named name: String) async throws -> UnitStatus {
        try needMachine("the unit \(name)")
        return try await systemd.status(of: name)
    }

    /// How often systemd has started a service again by itself since somebody started it; a boot and whoever starts or
    /// stops it begin anew.
    ///
    /// - Source: `NRestarts` in org.freedesktop.systemd1(5).
    public func restarts(of service: String) async throws -> Int {
        try needMachine("the restarts of \(service)")
        return try await systemd.restarts(of: service)
    }

    /// See ``NodeReader/outdatedUnits()``.
    public func outdatedUnits() async throws -> [String] {
        try needMachine("looking at all units")
        return try await systemd.outdated()
    }

    /// See ``NodeWriter/reloadUnits()``.
    public func reloadUnits() async throws {
        try needMachine("reading units again")
        try await systemd.reload()
    }

    /// See ``NodeWriter/setUnit(_:enabled:)``.
    public func setUnit(_ name: String, enabled: Bool) async throws {
        try needMachine("the unit \(name)")
        try await systemd.set(name, enabled: enabled)
    }

    /// See ``NodeWriter/changeUnit(_:_:)``.
    public func changeUnit(_ name: String, _ change: UnitChange) async throws {
        try needMachine("the unit \(name)")
        defer { listings.forget() }
        try await systemd.change(name, change)
    }

    /// See ``NodeReader/package(named:)``.
    public func package(named name: String) async throws -> PackageStatus? {
        try needMachine("the package \(name)")
        return try await packages.status(of: name)
    }

    /// See ``NodeWriter/installPackages(_:)``.
    public func installPackages(_ requests: [PackageRequest]) async throws {
        try needMachine("installing packages")
        try await packages.install(requests)
    }

    /// See ``NodeWriter/removePackages(_:)``.
    public func removePackages(_ names: [String]) async throws {
        try needMachine("removing packages")
        try await packages.remove(names)
    }

    /// See ``NodeReader/sysctl(_:)``.
    public func sysctl(_ key: String) async throws -> String? {
        try needMachine("the kernel setting \(key)")
        return try Sysctls().value(of: key)
    }

    /// See ``NodeWriter/setSysctl(_:to:)``.
    public func setSysctl(_ key: String, to value: String) async throws {
        try needMachine("the kernel setting \(key)")
        try Sysctls().set(key, to: value)
    }

    /// See ``NodeReader/hasKernelModule(_:)``.
    public func hasKernelModule(_ name: String) async throws -> Bool {
        try needMachine("the kernel module \(name)")
        return try KernelModules(runner: runner).has(name)
    }

    /// See ``NodeWriter/loadKernelModule(_:)``.
    public func loadKernelModule(_ name: String) async throws {
        try needMachine("the kernel module \(name)")
        try await KernelModules(runner: runner).load(name)
    }

    /// See ``NodeReader/images(in:)``.
    public func images(in runtime: String) async throws -> Set<String> {
        try needMachine("the images of \(runtime)")
        let store = try ImageStore(runtime, runner: runner)
        return try await listings.identifiers(in: runtime) { try await store.identifiers() }
    }

    /// See ``NodeWriter/importImage(_:into:)``.
    public func importImage(_ archive: FilePath, into runtime: String) async throws -> [String] {
        try needMachine("importing an image into \(runtime)")
        defer { listings.forget() }
        return try await ImageStore(runtime, runner: runner).load(archive)
    }

    /// See ``NodeWriter/removeImage(_:from:)``.
    public func removeImage(_ identifier: String, from runtime: String) async throws {
        try needMachine("removing an image from \(runtime)")
        defer { listings.forget() }
        try await ImageStore(runtime, runner: runner).remove(identifier)
    }

    /// See ``NodeReader/bootID()``.
    public func bootID() async throws -> String {
        try needMachine("the identifier of this boot")
        let bytes = try FileTree(root: "/").read("/proc/sys/kernel/random/boot_id")
        return String(decoding: bytes.filter { $0 > 32 }, as: UTF8.self)
    }
}
