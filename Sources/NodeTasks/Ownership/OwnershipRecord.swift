// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS
internal import SystemPackage

/// What the runs of one list of tasks declared, and what of it they created: the only things a run may remove when the
/// list no longer has them.
///
/// - Shape: a text with the list's name, then a sign and an ownership key on each line, sorted: `+` created and
///   declared, `-` created and no longer declared, `=` declared and found there.
struct OwnershipRecord: Equatable {
    /// What is known of one object.
    struct Mark: Equatable {
        var isCreated: Bool
        var isDeclared: Bool

        fileprivate var sign: String { isCreated ? (isDeclared ? "+" : "-") : "=" }
    }

    static let directory: FilePath = "/var/lib/kopslite/lists"

    let list: String
    /// By ownership key.
    var marks: [String: Mark] = [:]

    init(list: String) { self.list = list }

    /// Where the record of a list lies.
    static func path(of list: String) -> FilePath {
        directory.appending("\(SHA256Hex.of([UInt8](list.utf8)).prefix(16)).owned")
    }

    /// Reads the record of a list; empty when there is none.
    static func read(_ list: String, on node: any NodeReader) async throws -> OwnershipRecord {
        try await read(path(of: list), on: node) ?? OwnershipRecord(list: list)
    }

    /// Reads the records of all other lists.
    static func others(than list: String, on node: any NodeReader) async throws -> [OwnershipRecord] {
        var records: [OwnershipRecord] = []
        for name in try await node.list(directory) where name.hasSuffix(".owned") {
            guard let record = try await read(directory.appending(name), on: node), record.list != list else {
                continue
            }
            records.append(record)
        }
        return records
    }

    private static func read(_ path: FilePath, on node: any NodeReader) async throws -> OwnershipRecord? {
        guard try await node.status(of: path)?.kind == .regular else { return nil }
        var lines = try await node.read(path).split(separator: UInt8(ascii: "\n"))[...]
        guard let list = lines.popFirst() else { return nil }
        var record = OwnershipRecord(list: String(decoding: list, as: UTF8.self))
        for line in lines {
            let sign = line.first
            let mark = Mark(isCreated: sign != UInt8(ascii: "="), isDeclared: sign != UInt8(ascii: "-"))
            record.marks[String(decoding: line.dropFirst(), as: UTF8.self)] = mark
        }
        return record
    }

    /// Writes the record, unless the very same is there.
    func write(on node: any NodeWriter) async throws {
        let path = Self.path(of: list)
        let bytes = [UInt8](text.utf8)
        if try await node.status(of: path) != nil, try await node.read(path) == bytes { return }
        if try await node.status(of: Self.directory) == nil {
            try await node.makeDirectory(Self.directory, attributes: FileAttributes(mode: 0o700, uid: 0, gid: 0))
        }
        try await node.write(bytes, to: path, attributes: FileAttributes(mode: 0o600, uid: 0, gid: 0))
    }

    private var text: String {
        let lines = marks.sorted { $0.key < $1.key }.map { "\($0.value.sign)\($0.key)\n" }
        return "\(list)\n" + lines.joined()
    }

    /// Notes what is declared now and what of it was just created.
    mutating func note(declared: Set<String>, created: Set<String>) {
        for (key, mark) in marks where !declared.contains(key) {
            marks[key] = mark.isCreated ? Mark(isCreated: true, isDeclared: false) : nil
        }
        for key in declared {
            let wasCreated = marks[key]?.isCreated ?? false
            marks[key] = Mark(isCreated: wasCreated || created.contains(key), isDeclared: true)
        }
    }

    /// What was created and is no longer declared, sorted.
    func orphans(declared: Set<String>) -> [String] {
        marks.filter { $0.value.isCreated && !declared.contains($0.key) }.keys.sorted()
    }
}
