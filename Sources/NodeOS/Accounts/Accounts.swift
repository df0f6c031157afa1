// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Users and groups: by the system's own programs on the machine, by editing files below another root.
struct Accounts: Sendable {
    let files: FileTree
    let runner: any CommandRunner
    /// The account files are changed by one task at a time.
    private let turnstile = Turnstile()

    init(files: FileTree, runner: any CommandRunner) {
        self.files = files
        self.runner = runner
    }

    /// The users and groups as they are now; empty where there are no files.
    func table() throws(Failure) -> AccountTable {
        AccountTable(
            passwd: try file("/etc/passwd") ?? AccountFile(""),
            group: try file("/etc/group") ?? AccountFile("")
        )
    }

    /// Creates or changes a user.
    func setUser(_ user: UserEntry, groups: [String]) async throws {
        try check(names: [user.name] + groups)
        try check(user)
        try await turnstile.pass {
            var table = try table()
            guard files.isMachine else {
                try table.set(user, groups: groups)
                // The shadow first: whoever comes after a crash sees no user yet, and does both.
                try addShadow(of: user.name)
                return try save(table)
            }
            guard let command = Self.command(setting: user, groups: groups, in: table) else { return }
            try await run(command, for: "user \(user.name)")
        }
    }

    /// Creates or changes a group.
    func setGroup(_ name: String, gid: UInt32?) async throws {
        try check(names: [name])
        try await turnstile.pass {
            var table = try table()
            guard files.isMachine else {
                try table.set(group: name, gid: gid)
                return try save(table)
            }
            guard let command = Self.command(settingGroup: name, gid: gid, in: table) else { return }
            try await run(command, for: "group \(name)")
        }
    }

    /// Removes a user; the home directory stays.
    func removeUser(_ name: String) async throws {
        try check(names: [name])
        try await turnstile.pass {
            var table = try table()
            guard table.user(named: name) != nil else { return }
            guard files.isMachine else {
                table.remove(user: name)
                return try save(table, without: name, in: ["/etc/shadow", "/etc/gshadow"])
            }
            try await run(Command("userdel", ["--", name]), for: "user \(name)")
        }
    }

    /// Removes a group.
    func removeGroup(_ name: String) async throws {
        try check(names: [name])
        try await turnstile.pass {
            var table = try table()
            guard table.group(named: name) != nil else { return }
            guard files.isMachine else {
                try table.remove(group: name)
                return try save(table, without: name, in: ["/etc/gshadow"])
            }
            try await run(Command("groupdel", ["--", name]), for: "group \(name)")
        }
    }

    /// The command that leads to a user; `nil` when all is as wanted.
    ///
    /// - Source: useradd(8), usermod(8); accounts without a number are accounts of the system.
    static func command(setting user: UserEntry, groups: [String], in table: AccountTable) -> Command? {
        let old = table.user(named: user.name)
        var words: [String] = []
        func option(_ name: String, _ value: String?, _ present: String?) {
            if let value, value != present { words += [name, value] }
        }
        option("--uid", user.uid.map(String.init), old?.uid.map(String.init))
        option("--gid", user.gid.map(String.init), old?.gid.map(String.init))
        option(old == nil ? "--home-dir" : "--home", user.home, old?.home)
        option("--shell", user.shell, old?.shell)
        let wanted = Set(groups).sorted()
        if wanted != old?.groups ?? [] { words += ["--groups", wanted.joined(separator: ",")] }
        guard old == nil else { return words.isEmpty ? nil : Command("usermod", words + ["--", user.name]) }
        if user.uid.map({ $0 < 1000 }) ?? true { words.append("--system") }
        words.append("--no-create-home")
        if user.gid == nil {
            // A group of its own, or the one of its name that is there already.
            words += table.group(named: user.name).map { ["--gid", "\($0.gid)"] } ?? ["--user-group"]
        }
        return Command("useradd", words + ["--", user.name])
    }

    /// The command that leads to a group; `nil` when all is as wanted.
    static func command(settingGroup name: String, gid: UInt32?, in table: AccountTable) -> Command? {
        let number = gid.map { ["--gid", "\($0)"] } ?? []
        guard let old = table.group(named: name) else {
            return Command("groupadd", number + (gid.map { $0 < 1000 } ?? true ? ["--system"] : []) + ["--", name])
        }
        return gid == nil || gid == old.gid ? nil : Command("groupmod", number + ["--", name])
    }

    private func file(_ path: FilePath) throws(Failure) -> AccountFile? {
        guard try files.status(of: path) != nil else { return nil }
        return AccountFile(String(decoding: try files.read(path), as: UTF8.self))
    }

    private func save(_ table: AccountTable, without name: String = "", in others: [FilePath] = []) throws(Failure) {
        let before = try self.table()
        // What says whether the account is there is changed last, so that a crash before leaves something to do.
        for path in others {
            guard var file = try file(path) else { continue }
            file.remove(name)
            try write(file, to: path, mode: nil)
        }
        if try files.status(of: "/etc") == nil { try files.makeDirectory("/etc", FileAttributes()) }
        // Groups first: a user whose group has no name yet is worse than a group without its user.
        if before.group != table.group { try write(table.group, to: "/etc/group", mode: 0o644) }
        if before.passwd != table.passwd { try write(table.passwd, to: "/etc/passwd", mode: 0o644) }
    }

    /// An account without a password that nobody can log in to, in shadow(5); its other fields are the defaults.
    private func addShadow(of name: String) throws(Failure) {
        guard var shadow = try file("/etc/shadow"), shadow.record(named: name) == nil else { return }
        shadow.set([name, "!", "", "", "", "", "", "", ""])
        try write(shadow, to: "/etc/shadow", mode: nil)
    }

    private func write(_ file: AccountFile, to path: FilePath, mode: UInt16?) throws(Failure) {
        let known = try files.status(of: path) != nil
        if known, String(validating: try files.read(path), as: UTF8.self) == nil {
            throw Failure(
                .permanent,
                code: "not-utf-8",
                "cannot change \(path): it is not in UTF-8, and would be damaged",
                hint: "convert it (iconv -f latin1 -t utf-8)"
            )
        }
        try files.write(Array(file.text.utf8), to: path, FileAttributes(mode: known ? nil : mode ?? 0o640))
    }

    /// The names Debian's adduser takes; anything else could break a line of the file.
    private func check(names: [String]) throws(Failure) {
        for name in names {
            let bytes = name.utf8
            let mayStand = { (byte: UInt8) in
                byte.isLowercaseLetterOrDigit || (65...90).contains(byte) || "_-.$".utf8.contains(byte)
            }
            guard bytes.count <= 32, let first = bytes.first, first != 45, first != 46, bytes.allSatisfy(mayStand)
            else {
                throw Failure(
                    .permanent,
                    code: "account-name-invalid",
                    "\(name) is no name of a user or group",
                    hint: "names have at most 32 letters, digits, _ . and -, and do not start with - or ."
                )
            }
        }
    }

    private func check(_ user: UserEntry) throws(Failure) {
        for text in [user.home, user.shell].compactMap(\.self) where text.contains(where: { ":\n".contains($0) }) {
            throw Failure(
                .permanent,
                code: "account-field-invalid",
                "user \(user.name): a home or shell holds a colon or newline",
                hint: "correct the paths: passwd(5) separates its fields by colons"
            )
        }
    }
}
