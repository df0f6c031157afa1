// SPDX-License-Identifier: Apache-2.0

/// What useradd(8) and its like do, for a root directory that none of its programs run in.
extension AccountTable {
    /// Numbers for accounts of the system, login.defs(5); given out from the top, as useradd does.
    private static let systemRange: ClosedRange<UInt32> = 100...999

    /// Creates or changes a user; `groups` are exactly the supplementary groups afterwards.
    mutating func set(_ user: UserEntry, groups: [String]) throws(Failure) {
        for name in groups where group(named: name) == nil {
            throw Failure(
                .permanent,
                code: "group-unknown",
                "cannot put user \(user.name) in group \(name): there is none",
                hint: "declare the group \(name) as well"
            )
        }
        let old = passwd.record(named: user.name).map { $0 + Array(repeating: "", count: max(0, 7 - $0.count)) }
        let known = self.user(named: user.name)
        let uid = try number(user.uid ?? known?.uid)
        if let other = passwd.records.first(where: { $0.count > 2 && $0[2] == "\(uid)" && $0[0] != user.name }) {
            throw Failure(
                .permanent,
                code: "uid-taken",
                "cannot give user \(user.name) the uid \(uid): \(other[0]) has it",
                hint: "declare another uid, or remove the user \(other[0])"
            )
        }
        let gid: UInt32
        if let wanted = user.gid ?? known?.gid {
            gid = wanted
        } else {
            gid = try ownGroup(of: user.name, preferring: uid)
        }
        passwd.set([
            user.name, old?[1] ?? "x", "\(uid)", "\(gid)", old?[4] ?? "", user.home ?? old?[5] ?? "/home/\(user.name)",
            user.shell ?? old?[6] ?? "/bin/sh",
        ])
        group.update { record in
            guard record.count >= 3 else { return }
            var members = record.count > 3 ? record[3].split(separator: ",").map(String.init) : []
            let belongs = groups.contains(record[0])
            if belongs, !members.contains(user.name) { members.append(user.name) }
            if !belongs { members.removeAll { $0 == user.name } }
            record = Array(record.prefix(3)) + [members.joined(separator: ",")]
        }
    }

    /// Creates a group or changes its number.
    mutating func set(group name: String, gid: UInt32?) throws(Failure) {
        let old = group.record(named: name)
        let number = try number(gid ?? self.group(named: name)?.gid)
        if let other = group.records.first(where: { $0.count > 2 && $0[2] == "\(number)" && $0[0] != name }) {
            throw Failure(
                .permanent,
                code: "gid-taken",
                "cannot give group \(name) the gid \(number): \(other[0]) has it",
                hint: "declare another gid, or remove the group \(other[0])"
            )
        }
        let password = old.flatMap { $0.count > 1 ? $0[1] : nil } ?? "x"
        let members = old.flatMap { $0.count > 3 ? $0[3] : nil } ?? ""
        group.set([name, password, "\(number)", members])
    }

    /// Removes a user, and the group of its name when nobody else is in it.
    mutating func remove(user name: String) {
        let gid = user(named: name)?.gid
        passwd.remove(name)
        group.update { record in
            guard record.count > 3 else { return }
            record[3] = record[3].split(separator: ",").filter { $0 != name }.joined(separator: ",")
        }
        if let own = group(named: name), own.gid == gid, own.members.isEmpty, primaryUser(of: own.gid) == nil {
            group.remove(name)
        }
    }

    /// Removes a group that is nobody's primary one.
    mutating func remove(group name: String) throws(Failure) {
        if let gid = group(named: name)?.gid, let user = primaryUser(of: gid) {
            throw Failure(
                .permanent,
                code: "group-in-use",
                "cannot remove group \(name): it is the primary group of \(user)",
                hint: "remove the user \(user) first"
            )
        }
        group.remove(name)
    }

    private func primaryUser(of gid: UInt32) -> String? {
        passwd.records.first { $0.count > 3 && $0[3] == "\(gid)" }?[0]
    }

    private mutating func ownGroup(of name: String, preferring number: UInt32) throws(Failure) -> UInt32 {
        if let own = group(named: name) { return own.gid }
        let isFree = !group.records.contains { $0.count > 2 && $0[2] == "\(number)" }
        let gid = isFree ? number : try freeIdentifier()
        group.set([name, "x", "\(gid)", ""])
        return gid
    }

    private func number(_ wanted: UInt32?) throws(Failure) -> UInt32 {
        if let wanted { return wanted }
        return try freeIdentifier()
    }

    private func freeIdentifier() throws(Failure) -> UInt32 {
        let taken = identifiers
        guard let free = Self.systemRange.reversed().first(where: { !taken.contains($0) }) else {
            throw Failure(
                .permanent,
                code: "no-free-identifier",
                "every number from 100 to 999 is taken",
                hint: "declare a uid or gid"
            )
        }
        return free
    }
}
