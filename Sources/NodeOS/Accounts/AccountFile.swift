// SPDX-License-Identifier: Apache-2.0

/// A file of lines with fields between colons: passwd(5), group(5), shadow(5), gshadow(5).
///
/// Lines it does not understand are kept as they are.
struct AccountFile: Sendable, Equatable {
    private var lines: [String]

    /// Takes a file apart.
    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
    }

    /// The file again, with a newline at the end.
    var text: String { lines.map { $0 + "\n" }.joined() }

    /// The fields of all lines that are neither comments nor references to NIS.
    var records: [[String]] { lines.map(Self.fields).filter { !$0.isEmpty } }

    /// The fields of the first line of that name.
    func record(named name: String) -> [String]? { records.first { $0[0] == name } }

    /// Replaces the line of that name, or adds one.
    mutating func set(_ record: [String]) {
        let line = record.joined(separator: ":")
        if let index = lines.firstIndex(where: { Self.fields($0).first == record[0] }) {
            lines[index] = line
        } else {
            // References to NIS stay last, because the first match counts.
            let end = lines.lastIndex { !$0.hasPrefix("+") && !$0.hasPrefix("-") }.map { $0 + 1 } ?? 0
            lines.insert(line, at: end)
        }
    }

    /// Changes each line that has a name.
    mutating func update(_ change: (inout [String]) -> Void) {
        for index in lines.indices {
            var fields = Self.fields(lines[index])
            guard !fields.isEmpty else { continue }
            let before = fields
            change(&fields)
            if fields != before { lines[index] = fields.joined(separator: ":") }
        }
    }

    /// Removes the lines of that name.
    mutating func remove(_ name: String) { lines.removeAll { Self.fields($0).first == name } }

    private static func fields(_ line: String) -> [String] {
        guard let first = line.first, !"#+-:".contains(first), !first.isWhitespace else { return [] }
        return line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }
}

/// The users and groups of a machine, as far as they are in files.
struct AccountTable: Sendable, Equatable {
    var passwd: AccountFile
    var group: AccountFile

    /// A user with the groups that list it; a line without two numbers is skipped, as glibc does.
    func user(named name: String) -> UserEntry? {
        for record in passwd.records where record[0] == name && record.count >= 4 {
            guard let uid = UInt32(record[2]), let gid = UInt32(record[3]) else { continue }
            return UserEntry(
                name: name,
                uid: uid,
                gid: gid,
                home: record.count > 5 ? record[5] : "",
                shell: record.count > 6 ? record[6] : "",
                groups: groups(of: name)
            )
        }
        return nil
    }

    /// A group.
    func group(named name: String) -> GroupEntry? {
        group.records.lazy.compactMap(Self.entry).first { $0.name == name }
    }

    /// The names of the groups that list a user, sorted.
    func groups(of user: String) -> [String] {
        Set(group.records.compactMap(Self.entry).filter { $0.members.contains(user) }.map(\.name)).sorted()
    }

    /// Every number a user or group has.
    var identifiers: Set<UInt32> {
        Set((passwd.records + group.records).compactMap { $0.count > 2 ? UInt32($0[2]) : nil })
    }

    private static func entry(_ record: [String]) -> GroupEntry? {
        guard record.count >= 3, let gid = UInt32(record[2]) else { return nil }
        let members = record.count > 3 ? record[3].split(separator: ",").map(String.init) : []
        return GroupEntry(name: record[0], gid: gid, members: members)
    }
}
