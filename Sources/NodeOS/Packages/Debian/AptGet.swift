// SPDX-License-Identifier: Apache-2.0

/// The command lines of apt and dpkg that packages are managed with.
enum AptGet {
    /// Packages start services and may configure themselves for minutes on a slow machine.
    private static let patience = Duration.seconds(1800)

    /// Ubuntu's needrestart would restart services in the middle of the run.
    private static let environment = ["NEEDRESTART_SUSPEND": "1", "APT_LISTCHANGES_FRONTEND": "none"]

    /// Existing configuration files are kept; apt itself waits a little, in case another takes the lock in between.
    private static let options = [
        "-o", "DPkg::Lock::Timeout=10", "-o", "Dpkg::Options::=--force-confdef", "-o",
        "Dpkg::Options::=--force-confold",
    ]

    private static func command(_ program: String, _ words: [String]) -> Command {
        Command(program, words, environment: environment, timeout: patience, outputLimit: 16 << 20)
    }

    /// One transaction for all packages; a pinned version may be older than what is there.
    ///
    /// A plan shows no other package going, so none goes. Where held packages are to change, they are some of these: apt
    /// still leaves others that are held alone. A repair is for what an interruption left without its dependencies.
    static func install(_ packages: [PackageRequest], changingHeld: Bool = false, repairing: Bool = false) -> Command {
        let pinned = packages.contains { $0.version != nil }
        return command(
            "apt-get",
            ["install", "-y", "--no-install-recommends", "--no-remove", "-q"] + (pinned ? ["--allow-downgrades"] : [])
                + (changingHeld ? ["--allow-change-held-packages"] : [])
                + (repairing ? ["--fix-broken"] : []) + options + ["--"]
                + packages.map { $0.name + ($0.version.map { "=\($0)" } ?? "") }
        )
    }

    /// Puts packages in place again in the version that is on record; apt takes those that are torn for installed.
    static func reinstall(_ packages: [PackageRequest]) -> Command {
        var command = install(packages, repairing: true)
        command.arguments.insert("--reinstall", at: 1)
        return command
    }

    /// Removes packages and keeps their configuration files.
    static func remove(_ names: [String], changingHeld: Bool = false) -> Command {
        command(
            "apt-get",
            ["remove", "-y", "-q"] + (changingHeld ? ["--allow-change-held-packages"] : []) + options + ["--"] + names
        )
    }

    /// Makes apt and dpkg leave packages as they are, or lets go of them.
    static func hold(_ names: [String], _ isHeld: Bool) -> Command {
        command("apt-mark", [isHeld ? "hold" : "unhold", "-q", "--"] + names)
    }

    /// Fetches the package lists.
    static let update = command("apt-get", ["update", "-q"])

    /// Finishes what an interrupted dpkg left.
    static let resume = command("dpkg", ["--force-confdef", "--force-confold", "--configure", "-a"])

    /// Whether a command ended because another has a lock.
    static func isLockedOut(_ result: CommandResult) -> Bool {
        let errors = String(decoding: result.errors, as: UTF8.self)
        return ["Could not get lock", "Unable to acquire the dpkg frontend lock", "locked by another process"]
            .contains { errors.contains($0) }
    }

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
