// SPDX-License-Identifier: Apache-2.0

/// The command lines of dnf and rpm that packages are managed with.
enum Dnf {
    /// Packages start services and may configure themselves for minutes on a slow machine.
    private static let patience = Duration.seconds(1800)

    private static func command(_ words: [String]) -> Command {
        Command("dnf", words, timeout: patience, outputLimit: 16 << 20)
    }

    /// dnf would wait for another one for ever, and take what it thinks nobody needs along with what it removes.
    private static let options = [
        "-y", "-q", "--setopt=install_weak_deps=False", "--setopt=exit_on_lock=True",
        "--setopt=clean_requirements_on_remove=False",
    ]

    /// One transaction for all packages; a version may be older than what is there.
    ///
    /// A fresh one fetches all metadata first, and fails where a repository cannot be reached.
    static func install(_ packages: [PackageRequest], fresh: Bool = false) -> Command {
        command(
            options + (fresh ? ["--refresh", "--setopt=*.skip_if_unavailable=0"] : []) + ["install", "--"]
                + packages.map { $0.name + ($0.version.map { "-\($0)" } ?? "") }
        )
    }

    /// Removes packages, and those that need them.
    static func remove(_ names: [String]) -> Command { command(options + ["remove", "--"] + names) }

    /// Removes one of several versions that are there, as rpm does at the end of an upgrade.
    static func erase(_ package: String) -> Command {
        Command("rpm", ["--erase", "--", package], timeout: patience)
    }

    /// Locks a version, or releases it; needs no metadata.
    static func lock(_ pattern: String) -> Command {
        command(["-q", "--disablerepo=*", "versionlock", "add", "--raw", pattern])
    }

    /// Releases what a pattern or a name has locked.
    static func unlock(_ pattern: String) -> Command {
        command(["-q", "--disablerepo=*", "versionlock", "delete", pattern])
    }

    private static let unknown = "Error: Unable to find a match: "

    /// Why a transaction failed, from the words of dnf 4.
    static func failure(of command: Command, _ result: CommandResult) -> Failure {
        let errors = String(decoding: result.errors, as: UTF8.self)
        if let line = errors.split(separator: "\n").first(where: { $0.hasPrefix(unknown) }) {
            return Failure(
                .permanent,
                code: "package-not-found",
                "cannot install \(line.dropFirst(unknown.count)): no repository has it",
                hint: "correct the name or version, or add the repository that has it below /etc/yum.repos.d"
            )
        }
        if errors.contains("Failed to download metadata") {
            return command.failure(
                result,
                code: "package-lists-unreachable",
                .transient,
                hint: "see that the repositories below /etc/yum.repos.d can be reached"
            )
        }
        if errors.contains("No space left on device") || errors.contains("more space needed on") {
            return command.failure(
                result,
                code: "disk-full",
                .permanent,
                hint: "free space on / and /var (df -h; `dnf clean packages` empties dnf's cache)"
            )
        }
        if errors.contains("\n Problem") {
            return command.failure(
                result,
                code: "package-conflict",
                .permanent,
                hint: "see `dnf install` for the same packages by hand; a locked version may be in the way"
            )
        }
        return command.failure(result, code: "package-manager-failed", .transient, hint: "see /var/log/dnf.log")
    }

    /// Whether a command ended because another has a lock.
    static func isLockedOut(_ result: CommandResult) -> Bool {
        // 200 is dnf's own answer; rpm's lock it only meets when it begins the transaction.
        result.code == 200 || String(decoding: result.errors, as: UTF8.self).contains("can't create transaction lock")
    }
}
