// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// apt's package lists: asked what they know, and fetched only when they cannot answer.
struct PackageLists: Sendable {
    private let runner: any CommandRunner
    private let directory: FilePath
    private let lock: LockFile

    /// Makes the lists in a directory.
    init(runner: any CommandRunner, directory: FilePath) {
        self.runner = runner
        self.directory = directory
        lock = LockFile(path: directory.appending("lock"))
    }

    /// Fetches the lists when they do not know all of some packages; returns whether it did.
    ///
    /// - Throws: ``Failure`` `package-not-found` when they still do not, `package-lists-incomplete` when they might.
    func refresh(for packages: [PackageRequest]) async throws -> Bool {
        guard try await !unknown(packages).isEmpty else { return false }
        let isComplete = try await update()
        guard let missing = try await unknown(packages).first else { return true }
        let wanted = missing.name + (missing.version.map { " in version \($0)" } ?? "")
        if !isComplete {
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

    /// Fetches the lists; returns whether all were fetched, for apt only warns of those that were not.
    @discardableResult
    func update() async throws -> Bool {
        try lock.expectFree()
        let result = try await runner.result(of: AptGet.update)
        guard result.code == 0 else {
            if AptGet.isLockedOut(result) { throw Failure.busy(lock.path, heldBy: try lock.owner()) }
            throw AptGet.update.failure(
                result,
                code: "package-lists-unreachable",
                .transient,
                hint: "see that the mirrors in /etc/apt/sources.list can be reached"
            )
        }
        return !String(decoding: result.errors, as: UTF8.self).contains("Failed to fetch")
    }

    private func unknown(_ packages: [PackageRequest]) async throws -> [PackageRequest] {
        // Nothing but the lock and directories: there are no lists yet.
        let names = try FileTree(root: "/").list(directory).filter { $0.contains("_") }
        if names.isEmpty { return packages }
        let result = try await runner.result(of: AptGet.show(packages.map(\.name)))
        return AptGet.unknown(packages, in: result.text)
    }
}
