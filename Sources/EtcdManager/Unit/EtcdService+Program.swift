// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// Which program a unit runs: one of the declared release, or none.
///
/// What is installed changes by other hands, an upgrade of packages among them; the unit's copy is what was accepted last.
extension EtcdService {
    /// A program as it was found.
    struct Program {
        var path: FilePath
        var digest: String
    }

    /// Says whether what is installed is not what is declared, also while etcd runs from the copy of before.
    ///
    /// - Throws: ``Failure`` `etcd-binary-missing`, `etcd-version-differs` (waiting), `etcd-version-unknown` (transient).
    public func checkInstalled() async throws {
        guard let digest = try await digest(of: program) else { throw unit.missing(program) }
        try await unit.requireRelease(of: program, digest: digest, programs)
    }

    /// Says whether no program of the declared release could be started now.
    ///
    /// - Throws: ``Failure`` as ``checkInstalled()``.
    public func checkStart() async throws { _ = try await requireStartable() }

    func requireStartable() async throws -> Program {
        if let found = try await startable() { return found }
        try await checkInstalled()
        // What is installed was put right in between.
        return Program(path: program, digest: try await node.sha256(of: program))
    }

    /// The first that is of the declared release: what is installed, or the copy that was made of it before.
    func startable() async throws -> Program? {
        for path in [program, unit.binary] {
            guard let digest = try await digest(of: path),
                (try? await programs.release(of: path, digest: digest)) == unit.version
            else { continue }
            return Program(path: path, digest: digest)
        }
        return nil
    }

    /// Copies the program where it has changed; never while only looking, for the copy is what the release was accepted for.
    func copy(_ program: Program) async throws {
        if try await digest(of: unit.binary) == program.digest { return }
        try await node.makeDirectory(unit.binary.removingLastComponent(), attributes: FileAttributes(mode: 0o755))
        try await node.install(
            program.path,
            sha256: program.digest,
            to: unit.binary,
            attributes: FileAttributes(mode: 0o755, uid: 0, gid: 0)
        )
    }

    private func digest(of path: FilePath) async throws -> String? {
        guard try await node.status(of: path) != nil else { return nil }
        return try await node.sha256(of: path)
    }
}
