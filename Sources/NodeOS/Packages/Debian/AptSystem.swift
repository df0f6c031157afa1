// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// apt and dpkg: one transaction at a time, resumed after an interruption, never at odds with another's.
///
/// Nothing here waits for another package manager: it is named in a failure of the class `waiting`, and whoever called
/// tries again.
struct AptSystem: PackageSystem {
    let runner: any CommandRunner
    let database: DpkgDatabase
    let lists: PackageLists
    private let frontend: LockFile
    private let owed: OwedHolds
    private let turnstile = Turnstile()

    /// Makes the system of this machine or, in a test, of some directories.
    init(
        runner: any CommandRunner,
        dpkg: FilePath = "/var/lib/dpkg",
        lists: FilePath = "/var/lib/apt/lists",
        owed: FilePath = "/var/lib/kopslite/holds"
    ) {
        self.runner = runner
        database = DpkgDatabase(directory: dpkg)
        self.lists = PackageLists(runner: runner, directory: lists)
        frontend = LockFile(path: dpkg.appending("lock-frontend"))
        self.owed = OwedHolds(file: owed)
    }

    /// An installed package; `nil` when there is none of that name.
    func status(of name: String) throws(Failure) -> PackageStatus? {
        guard let entry = try database.status().entry(named: name), entry.isPresent else { return nil }
        // A hold that an interruption took away belongs to what is left to be done.
        let isWhole = entry.isHeld ? true : try !owed.names().contains(name)
        return PackageStatus(version: entry.version, configured: entry.isComplete && isWhole, held: entry.isHeld)
    }

    /// Installs packages in one transaction, then sets holds.
    func install(_ packages: [PackageRequest]) async throws {
        for package in packages { try check(package) }
        guard !packages.isEmpty else { return }
        try await turnstile.pass {
            let isBroken = try await resume(before: packages)
            let missing = try packages.filter { try !isSatisfied($0) }
            if !missing.isEmpty { try await installMissing(missing, repairing: isBroken) }
            try await settleHolds(packages)
        }
    }

    /// Removes packages in one transaction; those that are not there are left out.
    func remove(_ names: [String]) async throws {
        for name in names { try check(PackageRequest(name: name)) }
        try await turnstile.pass {
            // What has lost a dependency keeps apt from removing anything; whether this mends it, the removal shows.
            if try await resume(before: []) { _ = try await runner.result(of: AptGet.install([], repairing: true)) }
            let status = try database.status()
            let present = names.filter { status.entry(named: $0)?.isPresent ?? false }
            guard !present.isEmpty else { return }
            let command = AptGet.remove(present, changingHeld: present.contains { status.isHeld($0) })
            try await transact(command, retryAfterUpdate: false)
        }
    }

    private func installMissing(_ missing: [PackageRequest], repairing: Bool) async throws {
        // Whoever waits asks again and again, so nothing is asked of apt before.
        try frontend.expectFree()
        let isFresh = try await lists.refresh(for: missing)
        let status = try database.status()
        let held = missing.filter { status.isHeld($0.name) }
        try owed.add(held.filter { $0.hold != false }.map(\.name))
        let command = AptGet.install(missing, changingHeld: !held.isEmpty, repairing: repairing)
        try await transact(command, retryAfterUpdate: !isFresh)
    }

    private func isSatisfied(_ package: PackageRequest) throws(Failure) -> Bool {
        guard let entry = try database.status().entry(named: package.name), entry.isPresent, entry.isComplete else {
            return false
        }
        return package.version == nil || package.version == entry.version
    }

    private func check(_ package: PackageRequest) throws(Failure) {
        try check(package, of: "a Debian", allowing: "+-.:")
        guard package.name.utf8.allSatisfy({ !(65...90).contains($0) }) else {
            throw Failure(
                .permanent,
                code: "package-name-invalid",
                "\(package.name) is no name of a Debian package",
                hint: "names are in lower case"
            )
        }
    }

    /// Finishes what an interrupted dpkg left, as its records tell it.
    ///
    /// - Parameter packages: What is to be installed then; what gets another version needs no mending.
    /// - Returns: Whether something is left that only a transaction can mend, such as a package whose dependencies were
    ///   still to be unpacked.
    /// - Throws: ``Failure`` `package-manager-busy`.
    private func resume(before packages: [PackageRequest]) async throws -> Bool {
        guard try database.wasInterrupted() else { return false }
        try frontend.expectFree()
        // Another package manager may have been in the middle of its work, and is done now.
        guard try database.wasInterrupted() else { return false }
        try await mend(AptGet.resume)
        let torn = try database.status().torn.filter { name, version in
            !packages.contains { $0.name == name && $0.version != nil && $0.version != version }
        }
        if !torn.isEmpty {
            try await mend(
                AptGet.reinstall(
                    torn.map { PackageRequest(name: $0.name, version: $0.version.isEmpty ? nil : $0.version) }
                )
            )
        }
        return try database.wasInterrupted()
    }

    /// Runs a command whose success the records show, better than its exit status.
    private func mend(_ command: Command) async throws {
        let result = try await runner.result(of: command)
        if AptGet.isLockedOut(result) { throw Failure.busy(frontend.path, heldBy: try frontend.owner()) }
    }

    private func transact(_ command: Command, retryAfterUpdate: Bool) async throws {
        try frontend.expectFree()
        let result = try await runner.result(of: command)
        if result.code == 0 { return }
        let errors = String(decoding: result.errors, as: UTF8.self)
        // The lists are older than the mirror, which no longer has what they name.
        if retryAfterUpdate, errors.contains("404  Not Found") {
            try await lists.update()
            return try await transact(command, retryAfterUpdate: false)
        }
        throw try failure(of: command, result, errors)
    }

    private func failure(of command: Command, _ result: CommandResult, _ errors: String) throws(Failure) -> Failure {
        if AptGet.isLockedOut(result) { return .busy(frontend.path, heldBy: try frontend.owner()) }
        if errors.contains("No space left on device") {
            return command.failure(
                result,
                code: "disk-full",
                .permanent,
                hint: "free space on / and /var (df -h; `apt-get clean` empties apt's cache)"
            )
        }
        let refusals = ["unmet dependencies", "held broken packages", "remove is disabled"]
        if refusals.contains(where: { errors.contains($0) }) {
            return command.failure(
                result,
                code: "package-conflict",
                .permanent,
                hint: "see `apt-get install` for the same packages by hand: one that is held may be in the way, or one "
                    + "that would have to go and is not declared absent"
            )
        }
        let stuck = try database.status().incomplete
        return command.failure(
            result,
            code: "package-manager-failed",
            .transient,
            hint: "see /var/log/apt/term.log"
                + (stuck.isEmpty ? "" : " for why \(stuck.joined(separator: ", ")) cannot be configured")
        )
    }

    /// Sets and releases holds, those that a transaction took away included.
    private func settleHolds(_ packages: [PackageRequest]) async throws {
        let status = try database.status()
        let released = Set(packages.filter { $0.hold == false }.map(\.name))
        let lost = try owed.names().filter { !released.contains($0) && status.entry(named: $0) != nil }
        let wanted = Set(packages.filter { $0.hold == true }.map(\.name)).union(lost)
        try await hold(wanted.filter { !status.isHeld($0) }.sorted(), true)
        try await hold(released.filter { status.isHeld($0) }.sorted(), false)
        try owed.clear()
    }

    private func hold(_ names: [String], _ isHeld: Bool) async throws {
        guard !names.isEmpty else { return }
        try frontend.expectFree()
        let command = AptGet.hold(names, isHeld)
        let result = try await runner.result(of: command)
        guard result.code == 0 else { throw try failure(of: command, result, "") }
    }
}
