// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// dnf and rpm: one transaction at a time, never at odds with another's.
///
/// A hold is a line of dnf's plugin versionlock. Metadata is fetched when dnf finds it old, or when it does not know
/// what is wanted; with nothing to install dnf is not run at all.
struct DnfSystem: PackageSystem {
    let runner: any CommandRunner
    let database: RpmDatabase
    private let locks: VersionLocks
    private let processFiles: [FilePath]
    private let turnstile = Turnstile()

    /// Makes the system of this machine or, in a test, of some directories.
    init(
        runner: any CommandRunner,
        database directory: FilePath? = nil,
        locks: FilePath = "/etc/dnf/plugins/versionlock.conf",
        processFiles: [FilePath] = ["/var/lib/dnf/rpmdb_lock.pid", "/var/cache/dnf/metadata_lock.pid"]
    ) {
        self.runner = runner
        database = RpmDatabase(runner: runner, directory: directory)
        self.locks = VersionLocks(configuration: locks)
        self.processFiles = processFiles
    }

    /// An installed package; `nil` when there is none of that name.
    func status(of name: String) async throws -> PackageStatus? {
        let packages = try await database.packages()
        guard let entry = packages.entry(named: name) else { return nil }
        return PackageStatus(
            version: entry.version,
            configured: packages.leftovers(of: name).isEmpty,
            held: try !locks.patterns(of: name).isEmpty
        )
    }

    /// Installs packages in one transaction, then sets holds.
    func install(_ packages: [PackageRequest]) async throws {
        for package in packages { try check(package) }
        guard !packages.isEmpty else { return }
        try await turnstile.pass {
            try await mend(packages)
            var missing: [PackageRequest] = []
            for package in packages where try await !isSatisfied(package) { missing.append(package) }
            if !missing.isEmpty {
                for package in missing { try await allowVersion(of: package) }
                try await installMissing(missing)
            }
            for package in packages { try await settleHold(of: package, changed: missing.contains(package)) }
        }
    }

    /// Removes packages in one transaction; those that are not there are left out.
    func remove(_ names: [String]) async throws {
        for name in names { try check(PackageRequest(name: name)) }
        try await turnstile.pass {
            let packages = try await database.packages()
            let present = names.filter { packages.entry(named: $0) != nil }
            guard !present.isEmpty else { return }
            try await transact(Dnf.remove(present))
            for name in present where try !locks.patterns(of: name).isEmpty { try await transact(Dnf.unlock(name)) }
        }
    }

    private func isSatisfied(_ package: PackageRequest) async throws -> Bool {
        guard let entry = try await database.packages().entry(named: package.name) else { return false }
        return package.version == nil || package.version == entry.version
    }

    private func check(_ package: PackageRequest) throws(Failure) {
        try check(package, of: "an rpm", allowing: "+-._")
        if let version = package.version, !version.utf8.contains(UInt8(ascii: "-")) {
            throw Failure(
                .permanent,
                code: "package-version-invalid",
                "the version \(version) wanted of \(package.name) has no release",
                hint: "write it as [epoch:]version-release, such as 1.2.3-4.el9"
            )
        }
        guard package.hold == true, try !locks.areSupported() else { return }
        throw Failure(
            .permanent,
            code: "package-hold-unsupported",
            "cannot hold \(package.name): dnf's plugin versionlock is not installed",
            hint: "install python3-dnf-plugin-versionlock"
        )
    }

    /// Removes the old versions that an interrupted upgrade left beside the new ones.
    private func mend(_ packages: [PackageRequest]) async throws {
        for package in packages {
            for leftover in try await database.packages().leftovers(of: package.name) {
                try await transact(Dnf.erase("\(package.name)-\(leftover.version).\(leftover.architecture)"))
            }
        }
    }

    /// Lets the version wanted of a locked package in, beside the locked one, so that it is never without a lock.
    private func allowVersion(of package: PackageRequest) async throws {
        let patterns = try locks.patterns(of: package.name)
        guard let version = package.version, !patterns.isEmpty else { return }
        let wanted = VersionLocks.pattern(package.name, version)
        if !patterns.contains(wanted) { try await transact(Dnf.lock(wanted)) }
    }

    private func settleHold(of package: PackageRequest, changed: Bool) async throws {
        let patterns = try locks.patterns(of: package.name)
        if package.hold == false {
            if !patterns.isEmpty { try await transact(Dnf.unlock(package.name)) }
            return
        }
        guard package.hold == true && patterns.isEmpty || changed && !patterns.isEmpty && package.version != nil,
            let entry = try await database.packages().entry(named: package.name)
        else { return }
        let wanted = VersionLocks.pattern(package.name, entry.version)
        if !patterns.contains(wanted) { try await transact(Dnf.lock(wanted)) }
        for pattern in patterns where pattern != wanted { try await transact(Dnf.unlock(pattern)) }
    }

    /// Installs with the metadata at hand; what fails may be for want of newer metadata, so it is tried once more.
    private func installMissing(_ packages: [PackageRequest]) async throws {
        do {
            try await transact(Dnf.install(packages))
        } catch let failure as Failure where failure.kind != .waiting {
            try await transact(Dnf.install(packages, fresh: true))
        }
    }

    private func transact(_ command: Command) async throws {
        try await expectFree()
        let result = try await runner.result(of: command)
        if result.code == 0 { return }
        if Dnf.isLockedOut(result) {
            try await expectFree()
            throw Failure.busy("a lock of dnf or rpm", heldBy: nil)
        }
        throw Dnf.failure(of: command, result)
    }

    /// Refuses to go on while another package manager is at work.
    private func expectFree() async throws {
        try LockFile(path: try await database.directory().appending(".rpm.lock")).expectFree()
        let files = FileTree(root: "/")
        for file in processFiles where try files.status(of: file) != nil {
            // dnf leaves its file behind when it is killed; only a process that is there counts.
            let text = String(decoding: try files.read(file), as: UTF8.self).filter { !$0.isWhitespace }
            guard let pid = Int32(text), try files.status(of: FilePath("/proc/\(pid)")) != nil else { continue }
            throw Failure.busy(file, heldBy: LockFile.Owner(pid: pid))
        }
    }
}
