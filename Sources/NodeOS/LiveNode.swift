// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// A real machine, or a directory tree that will be the root of one.
///
/// With the root `/` all of ``NodeWriter`` works. Below another root the operations on files, users and groups work on
/// that tree, symbolic links are followed as if it were `/`, and what would leave it is refused (`path-escapes-root`);
/// what needs a running machine fails with `needs-machine`.
public struct LiveNode: NodeWriter {
    let files: FileTree
    let runner: any CommandRunner
    let accounts: Accounts
    let packages: any PackageSystem
    let systemd: SystemdManager
    let listings = ImageListings(clock: ContinuousClock())

    /// Makes the machine, or the tree below `root`.
    public init(root: FilePath = "/", runner: any CommandRunner = SubprocessRunner()) {
        self.init(root: root, runner: runner, packages: PackageManager(runner: runner))
    }

    /// Makes a machine from its parts, for tests.
    init(
        root: FilePath,
        runner: any CommandRunner,
        packages: any PackageSystem,
        systemd: SystemdManager = SystemdManager()
    ) {
        files = FileTree(root: root.lexicallyNormalized())
        self.runner = runner
        accounts = Accounts(files: files, runner: runner)
        self.packages = packages
        self.systemd = systemd
    }

    /// Refuses what a directory tree alone cannot do.
    func needMachine(_ what: String) throws(Failure) {
        guard files.isMachine else {
            throw Failure(
                .permanent,
                code: "needs-machine",
                "\(what) needs a running machine, not the tree below \(files.root)",
                hint: "leave it out here, and apply it on the machine itself with the root /"
            )
        }
    }
}
