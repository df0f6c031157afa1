// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

/// One program at a time changes a cluster.
enum LocalLock {
    /// Runs `body` while holding a lock on a directory itself, so that nothing is left of the lock (flock(2)).
    ///
    /// - Throws: ``Failure`` `cloud-busy` when another program holds it; who waited would act on what is no longer so.
    static func hold(_ directory: FilePath, _ body: () async throws -> Void) async throws {
        let file = try FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec])
        let isLocked = flock(file.rawValue, LOCK_EX | LOCK_NB) == 0
        do {
            guard isLocked else {
                throw Failure(
                    .transient,
                    code: "cloud-busy",
                    "another program is changing \(directory)",
                    hint: "let it end, then try again"
                )
            }
            try await body()
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
    }

    /// The same, but waits for whoever holds it, up to 5 minutes.
    static func hold(_ directory: FilePath, waiting host: LocalHost, _ body: () async throws -> Void) async throws {
        var isDone = false
        let inTime = try await host.wait(.seconds(300)) {
            do {
                try await hold(directory, body)
                isDone = true
            } catch let failure as Failure where failure.code == "cloud-busy" {}
            return isDone
        }
        guard inTime else {
            throw Failure(.transient, code: "cloud-busy", "another program is changing \(directory) for 5 minutes")
        }
    }
}
