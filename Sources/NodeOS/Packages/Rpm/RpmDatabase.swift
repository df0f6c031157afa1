// SPDX-License-Identifier: Apache-2.0
import Synchronization
import SystemPackage

/// rpm's records, asked for with one command and again only when the database's files have changed.
final class RpmDatabase: Sendable {
    private let files = FileTree(root: "/")
    private let runner: any CommandRunner
    private let found: Mutex<FilePath?>
    private let cache = Mutex<(version: [String: FileStamp], packages: RpmPackages)?>(nil)

    /// Makes a reader of the database in a directory; without one rpm is asked where it is.
    init(runner: any CommandRunner, directory: FilePath? = nil) {
        self.runner = runner
        found = Mutex(directory)
    }

    /// What is recorded now; empty when there is no database yet.
    func packages() async throws -> RpmPackages {
        let version = try await version()
        // rpm would make the database it is asked for.
        guard !version.isEmpty else { return RpmPackages() }
        if let known = cache.withLock({ $0 }), known.version == version { return known.packages }
        let packages = RpmPackages(parsing: try await run(RpmPackages.query))
        cache.withLock { $0 = (version, packages) }
        return packages
    }

    /// The directory of the database; distributions differ.
    func directory() async throws -> FilePath {
        if let known = found.withLock({ $0 }) { return known }
        let text = try await run(Command("rpm", ["--eval", "%{_dbpath}"]))
        let path = FilePath(String(text.prefix { $0 != "\n" }))
        found.withLock { $0 = path }
        return path
    }

    private func run(_ command: Command) async throws -> String {
        try await runner.run(command, failing: "package-records-unreadable")
    }

    /// The files that change with the records, whichever kind of database they are.
    ///
    /// Shared memory and locks change when somebody looks.
    private func version() async throws -> [String: FileStamp] {
        let directory = try await directory()
        var stamps: [String: FileStamp] = [:]
        for name in try files.list(directory) where !name.hasPrefix(".") && !name.hasPrefix("__") {
            guard !name.hasSuffix("-shm") else { continue }
            stamps[name] = try FileStamp(of: directory.appending(name), in: files)
        }
        return stamps
    }
}
