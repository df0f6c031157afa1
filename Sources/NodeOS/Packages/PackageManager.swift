// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Debian's package manager: one transaction at a time, resumed after an interruption, never at odds with another's.
struct PackageManager: Sendable {
    let runner: any CommandRunner
    let database: DpkgDatabase
    let clock: any Clock<Duration>
    let frontend: LockFile
    let listsLock: LockFile
    let lists: FilePath
    private let turnstile = Turnstile()

    /// How long another package manager is waited for.
    private static let patience = 300

    init(
        runner: any CommandRunner,
        database: DpkgDatabase = DpkgDatabase(),
        clock: any Clock<Duration>,
        dpkg: FilePath = "/var/lib/dpkg",
        lists: FilePath = "/var/lib/apt/lists"
    ) {
        self.runner = runner
        self.database = database
        self.clock = clock
        self.lists = lists
        frontend = LockFile(path: dpkg.appending("lock-frontend"))
        listsLock = LockFile(path: lists.appending("lock"))
    }

    /// An installed package; `nil` when there is none of that name.
    func status(of name: String) throws(Failure) -> PackageStatus? {
        guard let entry = try database.status().entry(named: name), entry.isPresent else { return nil }
        return PackageStatus(version: entry.version, configured: entry.isComplete)
    }

    /// Installs packages in one transaction.
    func install(_ packages: [PackageRequest]) async throws {
        for package in packages { try check(package) }
        guard !packages.isEmpty else { return }
        try await turnstile.pass {
            try await resume()
            let missing = try packages.filter { try !isSatisfied($0) }
            guard !missing.isEmpty else { return }
            let updated = try await refresh(for: missing)
            try await wait(for: frontend)
            try await transact(AptGet.install(missing, lockTimeout: Self.patience), retryAfterUpdate: !updated)
        }
    }

    /// Removes packages in one transaction; those that are not there are left out.
    func remove(_ names: [String]) async throws {
        for name in names { try check(PackageRequest(name: name)) }
        try await turnstile.pass {
            try await resume()
            let present = try names.filter { try status(of: $0) != nil }
            guard !present.isEmpty else { return }
            try await wait(for: frontend)
            try await transact(AptGet.remove(present, lockTimeout: Self.patience), retryAfterUpdate: false)
        }
    }

    private func isSatisfied(_ package: PackageRequest) throws(Failure) -> Bool {
        guard let status = try status(of: package.name), status.configured else { return false }
        return package.version == nil || package.version == status.version
    }

    /// Words that begin with a dash or hold a slash mean other things to apt than names.
    private func check(_ package: PackageRequest) throws(Failure) {
        let name = package.name.utf8
        let mayStand = { (byte: UInt8) in byte.isLowercaseLetterOrDigit || "+-.:".utf8.contains(byte) }
        // A sign at the end is an order to apt; only g++ and its like are named so, and those apt knows.
        guard let first = name.first, first.isLowercaseLetterOrDigit, name.allSatisfy(mayStand), name.last != 45 else {
            throw Failure(
                .permanent,
                code: "package-name-invalid",
                "\(package.name) is no name of a Debian package",
                hint: "names consist of lower-case letters, digits, + - ."
            )
        }
        let version = (package.version ?? "0").utf8
        guard version.allSatisfy({ $0 > 32 && $0 < 127 }), version.first != nil else {
            throw Failure(
                .permanent,
                code: "package-version-invalid",
                "the version wanted of \(package.name) is not one"
            )
        }
    }

    private func resume() async throws {
        guard try database.wasInterrupted() else { return }
        try await wait(for: frontend)
        // Another package manager may have been in the middle of its work, and is done now.
        guard try database.wasInterrupted() else { return }
        let result = try await runner.result(of: AptGet.resume)
        // A package that is only half installed is not cured by this but by the transaction that follows.
        let unconfigured = try database.status().incomplete
        if result.code != 0, !unconfigured.isEmpty {
            let stuck = try database.status().entries.filter { unconfigured.contains($0.key) }
                .filter { $0.value.contains { $0.state != "half-installed" && !$0.isComplete } }
            guard stuck.isEmpty else {
                throw AptGet.resume.failure(
                    result,
                    code: "dpkg-interrupted",
                    .transient,
                    hint: "see why \(stuck.keys.sorted().joined(separator: ", ")) cannot be configured"
                )
            }
        }
    }

    /// Fetches the lists when they cannot answer; returns whether it did.
    private func refresh(for packages: [PackageRequest]) async throws -> Bool {
        guard try await !unknown(packages).isEmpty else { return false }
        let complete = try await update()
        guard let missing = try await unknown(packages).first else { return true }
        let wanted = missing.name + (missing.version.map { " in version \($0)" } ?? "")
        if !complete {
            throw Failure(
                .transient,
                code: "package-lists-incomplete",
                "cannot install \(wanted): no package list that could be fetched has it",
                hint: "see that the mirrors in /etc/apt/sources.list can be reached"
            )
        }
        throw Failure(
            .permanent,
            code: "package-not-found",
            "cannot install \(wanted): no package list has it",
            hint: "correct the name or version, or add the repository that has it below /etc/apt/sources.list.d"
        )
    }

    private func unknown(_ packages: [PackageRequest]) async throws -> [PackageRequest] {
        // Nothing but the lock and directories: there are no lists yet.
        let names = try FileTree(root: "/").list(lists).filter { $0.contains("_") }
        if names.isEmpty { return packages }
        let result = try await runner.result(of: AptGet.show(packages.map(\.name)))
        return AptGet.unknown(packages, in: result.text)
    }

    /// Returns whether all lists were fetched; apt only warns of those that were not.
    private func update() async throws -> Bool {
        try await wait(for: listsLock)
        let result = try await runner.result(of: AptGet.update)
        guard result.code == 0 else {
            throw AptGet.update.failure(
                result,
                code: "package-lists-unreachable",
                .transient,
                hint: "see that the mirrors in /etc/apt/sources.list can be reached"
            )
        }
        let errors = String(decoding: result.errors, as: UTF8.self)
        return !errors.contains("Failed to fetch")
    }

    private func transact(_ command: Command, retryAfterUpdate: Bool) async throws {
        let result = try await runner.result(of: command)
        if result.code == 0 { return }
        let errors = String(decoding: result.errors, as: UTF8.self)
        // The lists are older than the mirror, which no longer has what they name.
        if retryAfterUpdate, errors.contains("404  Not Found") {
            _ = try await update()
            return try await transact(command, retryAfterUpdate: false)
        }
        if errors.contains("unmet dependencies") || errors.contains("held broken packages") {
            throw command.failure(
                result,
                code: "package-conflict",
                .permanent,
                hint: "see `apt-get install` for the same packages by hand; a held package may be in the way"
            )
        }
        throw command.failure(result, code: "package-manager-failed", .transient, hint: "see /var/log/apt/term.log")
    }

    /// Waits until nobody holds a lock, and says who does when that takes too long.
    private func wait(for lock: LockFile) async throws {
        var seconds = 0
        while let owner = try lock.owner() {
            guard seconds < Self.patience else {
                throw Failure(
                    .waiting,
                    code: "package-manager-busy",
                    "\(owner) has held \(lock.path) for \(seconds) s",
                    hint: "wait for it, or see what it waits for"
                )
            }
            try await clock.sleep(for: .seconds(1))
            seconds += 1
        }
    }
}
