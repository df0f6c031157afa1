// SPDX-License-Identifier: Apache-2.0

/// The command lines of apt and dpkg that packages are managed with.
enum AptGet {
    /// Packages start services and may configure themselves for minutes on a slow machine.
    private static let patience = Duration.seconds(1800)

    /// Ubuntu's needrestart would restart services in the middle of the run.
    private static let environment = ["NEEDRESTART_SUSPEND": "1", "APT_LISTCHANGES_FRONTEND": "none"]

    /// Existing configuration files are kept; apt itself waits for dpkg's lock, in case another takes it in between.
    private static func options(lockTimeout: Int) -> [String] {
        [
            "-o", "DPkg::Lock::Timeout=\(lockTimeout)", "-o", "Dpkg::Options::=--force-confdef", "-o",
            "Dpkg::Options::=--force-confold",
        ]
    }

    private static func command(_ words: [String]) -> Command {
        Command("apt-get", words, environment: environment, timeout: patience, outputLimit: 16 << 20)
    }

    /// One transaction for all packages; a pinned version may be older than what is there.
    static func install(_ packages: [PackageRequest], lockTimeout: Int = 300) -> Command {
        let pinned = packages.contains { $0.version != nil }
        return command(
            ["install", "-y", "--no-install-recommends", "-q"] + (pinned ? ["--allow-downgrades"] : [])
                + options(lockTimeout: lockTimeout) + ["--"]
                + packages.map { $0.name + ($0.version.map { "=\($0)" } ?? "") }
        )
    }

    /// Removes packages and keeps their configuration files.
    static func remove(_ names: [String], lockTimeout: Int = 300) -> Command {
        command(["remove", "-y", "-q"] + options(lockTimeout: lockTimeout) + ["--"] + names)
    }

    /// Fetches the package lists.
    static let update = command(["update", "-q"])

    /// Finishes what an interrupted dpkg left.
    static let resume = Command(
        "dpkg",
        ["--force-confdef", "--force-confold", "--configure", "-a"],
        environment: environment,
        timeout: patience,
        outputLimit: 16 << 20
    )

    /// Tells what the package lists know of some packages, all versions.
    static func show(_ names: [String]) -> Command {
        Command("apt-cache", ["show", "--"] + names, outputLimit: 16 << 20)
    }

    /// The requests that the output of ``show(_:)`` does not answer.
    static func unknown(_ packages: [PackageRequest], in output: String) -> [PackageRequest] {
        var known: [String: Set<String>] = [:]
        var name = ""
        for line in output.split(separator: "\n") {
            if line.hasPrefix("Package: ") { name = String(line.dropFirst(9)) }
            if line.hasPrefix("Version: ") { known[name, default: []].insert(String(line.dropFirst(9))) }
        }
        return packages.filter { package in
            let plain = package.name.split(separator: ":").first.map(String.init) ?? package.name
            guard let versions = known[plain] else { return true }
            return package.version.map { !versions.contains($0) } ?? false
        }
    }
}
