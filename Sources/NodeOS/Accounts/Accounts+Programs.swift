// SPDX-License-Identifier: Apache-2.0

extension Accounts {
    /// Runs a program that changes accounts.
    ///
    /// Their exit codes mean the same in all of them (useradd(8), "EXIT VALUES").
    func run(_ command: Command, for account: String) async throws {
        let result = try await runner.result(of: command)
        guard result.code != 0 else { return }
        let isGroup = command.program.hasPrefix("group")
        let meaning: (kind: Failure.Class, code: String, hint: String) =
            switch result.code {
            case 1, 10: Self.unwritable(String(decoding: result.errors, as: UTF8.self))
            case 4 where isGroup: (.permanent, "gid-taken", "declare another gid (getent group)")
            case 4: (.permanent, "uid-taken", "declare another uid (getent passwd)")
            case 6: (.permanent, "group-unknown", "declare the group as well")
            case 8 where isGroup:
                (.permanent, "group-in-use", "remove the user whose primary group it is, or give it another")
            case 8: (.transient, "account-in-use", "end the processes of the \(account) (ps -u)")
            default: (.permanent, "account-not-set", "run the command by hand, and correct the \(account)")
            }
        throw command.failure(result, code: meaning.code, meaning.kind, hint: meaning.hint)
    }

    /// Why the files of accounts could not be written; the exit code is one for all reasons.
    private static func unwritable(_ errors: String) -> (kind: Failure.Class, code: String, hint: String) {
        if errors.contains("Read-only file system") {
            return (.permanent, "read-only-filesystem", "remount the file system of /etc read-write")
        }
        if errors.contains("No space left on device") {
            return (.permanent, "disk-full", "free space or inodes on the file system of /etc (df -h, df -i)")
        }
        let hint = "wait for whoever changes accounts; a lock left behind by one that died can go (/etc/*.lock)"
        return (.transient, "accounts-locked", hint)
    }
}
