// SPDX-License-Identifier: Apache-2.0
import Synchronization
import SystemPackage

/// The machine's package system, chosen by its distribution when it is first needed.
final class PackageManager: PackageSystem {
    private let runner: any CommandRunner
    private let releaseFiles: [FilePath]
    private let chosen = Mutex<(any PackageSystem)?>(nil)

    /// Makes one that chooses from the first of some files that is there (os-release(5)).
    init(runner: any CommandRunner, releaseFiles: [FilePath] = ["/etc/os-release", "/usr/lib/os-release"]) {
        self.runner = runner
        self.releaseFiles = releaseFiles
    }

    func status(of name: String) async throws -> PackageStatus? { try await system().status(of: name) }
    func install(_ packages: [PackageRequest]) async throws { try await system().install(packages) }
    func remove(_ names: [String]) async throws { try await system().remove(names) }

    /// The system of this distribution.
    ///
    /// - Throws: ``Failure`` `package-system-unsupported`.
    func system() throws(Failure) -> any PackageSystem {
        if let known = chosen.withLock({ $0 }) { return known }
        let release = try OSRelease.read(releaseFiles)
        let system: any PackageSystem =
            switch release.family {
            case .debian: AptSystem(runner: runner)
            case .redHat: DnfSystem(runner: runner)
            case .suse: throw unsupported(release, "its packages come through zypper, which nodeup does not drive")
            case nil: throw unsupported(release, "nodeup knows the families of Debian and of Fedora")
            }
        return chosen.withLock { chosen in
            // Two tasks may have looked at the same time; all must use one system, which has one queue.
            if let first = chosen { return first }
            chosen = system
            return system
        }
    }

    private func unsupported(_ release: OSRelease, _ reason: String) -> Failure {
        Failure(
            .permanent,
            code: "package-system-unsupported",
            "cannot manage packages on \(release.id.isEmpty ? "an unnamed distribution" : release.id): \(reason)",
            hint: "install what is needed into the image and leave `package` tasks out"
        )
    }
}
