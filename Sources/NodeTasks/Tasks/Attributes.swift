// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

/// Mode and ownership as they are declared: accounts by name or number, since an earlier task may create them.
public struct Attributes: Sendable, Equatable {
    /// Permission bits.
    public var mode: UInt16
    /// A user's name or number; `nil` leaves it, and is root for something new.
    public var owner: String?
    /// A group's name or number; `nil` leaves it, and is root for something new.
    public var group: String?

    /// Makes attributes from their parts.
    public init(mode: UInt16, owner: String? = nil, group: String? = nil) {
        self.mode = mode
        self.owner = owner
        self.group = group
    }

    /// The tasks that make these accounts come before.
    var uses: [Claims.Claim] {
        (owner.map { [.name("user:\($0)")] } ?? []) + (group.map { [.name("group:\($0)")] } ?? [])
    }

    /// What a plan says of something new.
    var changes: [Change] {
        [Change("mode", to: .text(mode.octal))] + (owner.map { [Change("owner", to: .text($0))] } ?? [])
            + (group.map { [Change("group", to: .text($0))] } ?? [])
    }

    /// The same with numbers kept for what is not declared, so that replacing a file does not give it to root.
    func keeping(_ found: FoundAttributes?) -> Attributes {
        guard let found else { return self }
        return Attributes(mode: mode, owner: owner ?? "\(found.uid)", group: group ?? "\(found.gid)")
    }

    /// The numbers behind the names.
    ///
    /// - Throws: ``Failure`` `user-unknown` or `group-unknown`.
    func resolved(for path: FilePath, on node: any NodeReader) async throws -> FileAttributes {
        var result = FileAttributes(mode: mode)
        if let owner {
            guard let uid = try await Self.uid(owner, on: node) else { throw Self.unknown("user", owner, path) }
            result.uid = uid
        }
        if let group {
            guard let gid = try await Self.gid(group, on: node) else { throw Self.unknown("group", group, path) }
            result.gid = gid
        }
        return result
    }

    static func uid(_ name: String, on node: any NodeReader) async throws -> UInt32? {
        if let number = UInt32(name) { return number }
        return try await node.user(named: name)?.uid
    }

    static func gid(_ name: String, on node: any NodeReader) async throws -> UInt32? {
        if let number = UInt32(name) { return number }
        return try await node.group(named: name)?.gid
    }

    private static func unknown(_ kind: String, _ name: String, _ path: FilePath) -> Failure {
        Failure(
            .permanent,
            code: "\(kind)-unknown",
            "set the \(kind) of \(path) to \(name): there is no such \(kind)",
            hint: "declare a \(kind) task named \(name), or write a number"
        )
    }
}

/// Mode and ownership as they were found, beside the numbers that the declared names have now.
public struct FoundAttributes: Sendable, Equatable {
    var mode: UInt16
    var uid: UInt32
    var gid: UInt32
    var wantedUID: UInt32?
    var wantedGID: UInt32?

    init(_ status: FileStatus, wanted: Attributes, on node: any NodeReader) async throws {
        mode = status.mode
        uid = status.uid
        gid = status.gid
        if let owner = wanted.owner { wantedUID = try await Attributes.uid(owner, on: node) }
        if let group = wanted.group { wantedGID = try await Attributes.gid(group, on: node) }
    }

    /// The differences from what is declared.
    ///
    /// A name that no account has yet differs.
    func changes(to wanted: Attributes) -> [Change] {
        var changes: [Change] = []
        if mode != wanted.mode {
            changes.append(Change("mode", from: .text(mode.octal), to: .text(wanted.mode.octal)))
        }
        if let owner = wanted.owner, wantedUID != uid {
            changes.append(Change("owner", from: .text("\(uid)"), to: .text(owner)))
        }
        if let group = wanted.group, wantedGID != gid {
            changes.append(Change("group", from: .text("\(gid)"), to: .text(group)))
        }
        return changes
    }
}

/// Setting mode and ownership of something that is there, with the lines a plan shows.
public struct AttributesStep: Sendable, Equatable {
    var attributes: Attributes
    var changes: [Change]

    /// `nil` when nothing differs.
    init?(from found: FoundAttributes, to wanted: Attributes) {
        changes = found.changes(to: wanted)
        attributes = wanted
        if changes.isEmpty { return nil }
    }

    var change: Change { changes.first ?? Change("mode", to: .text(attributes.mode.octal)) }

    func apply(to path: FilePath, on node: any NodeWriter) async throws {
        try await node.setAttributes(attributes.resolved(for: path, on: node), of: path)
    }
}

extension UInt16 {
    /// Four octal digits, such as `0644`.
    var octal: String {
        let digits = String(self, radix: 8)
        return String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
    }
}

extension NodeWriter {
    /// Makes the directory a path lies in, when it is not there.
    func makeParent(of path: FilePath) async throws {
        let parent = path.removingLastComponent()
        if try await status(of: parent) == nil { try await makeDirectory(parent, attributes: FileAttributes()) }
    }

    /// Writes a file of this project's own, such as a stamp.
    func writeOwn(_ text: String, to path: FilePath, mode: UInt16 = 0o644) async throws {
        try await makeParent(of: path)
        try await write([UInt8](text.utf8), to: path, attributes: FileAttributes(mode: mode, uid: 0, gid: 0))
    }
}

extension NodeReader {
    /// A file's text; `nil` when there is no regular file at the path.
    func text(of path: FilePath) async throws -> String? {
        guard try await status(of: path)?.kind == .regular else { return nil }
        return String(decoding: try await read(path), as: UTF8.self)
    }

    /// Refuses a file whose bytes are not those declared.
    func verify(_ source: FilePath, sha256 wanted: String, for purpose: String) async throws {
        guard let digest = try await sourceSHA256(of: source) else {
            throw Failure(
                .permanent,
                code: "source-missing",
                "\(purpose) from \(source): there is no such file",
                hint: "put the file there, or correct the path in source"
            )
        }
        guard digest == wanted else {
            throw Failure(
                .permanent,
                code: "digest-mismatch",
                "\(purpose) from \(source): its SHA-256 is \(digest), not \(wanted)",
                hint: "fetch the file again, or correct the digest"
            )
        }
    }
}

/// A conflict that only a person can resolve.
func conflict(
    _ code: String,
    _ message: String,
    hint: String = "move away what is there, or declare another path"
) -> Failure {
    Failure(.permanent, code: code, message, hint: hint)
}
