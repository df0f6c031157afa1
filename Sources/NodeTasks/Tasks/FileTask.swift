// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A regular file with declared contents.
///
/// - Shape: `file` {`path`, `contents` or `source` and `sha256`, `mode` (`0644`), `owner`, `group`, `secret`, `ensure`}.
/// - A symbolic link at the path is replaced; a directory is a conflict.
public struct FileTask: DeclaredTask {
    /// Where the bytes come from.
    public enum Content: Sendable, Equatable, CustomStringConvertible {
        case bytes([UInt8])
        /// A file on the machine, with its SHA-256.
        case file(FilePath, sha256: String)

        /// Never the contents.
        public var description: String {
            switch self {
            case .bytes(let bytes): "<\(bytes.count) bytes>"
            case .file(let path, _): path.string
            }
        }
    }

    /// The file as it is.
    public struct Found: Sendable, Equatable {
        var kind: FileStatus.Kind
        /// `nil` unless it is a regular file.
        var content: ShownContent?
        var attributes: FoundAttributes
    }

    /// Effects on a file.
    public enum Step: PlannedStep {
        case write(Content, Attributes, [Change])
        case setAttributes(AttributesStep)
        case remove

        /// The line of a plan.
        public var change: Change { changes.first ?? Change("content") }
        /// All lines of a plan.
        public var changes: [Change] {
            switch self {
            case .write(_, _, let changes): changes
            case .setAttributes(let step): step.changes
            case .remove: [Change("file", from: .text("present"))]
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "file"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// Where it lies.
    public let path: FilePath
    let content: Content
    let attributes: Attributes
    let isSecret: Bool
    /// Whether it is to be there.
    public let ensure: Ensure
    /// The digest the file is to have, 64 hex digits.
    private let sha256: String

    /// Declares a file.
    public init(
        _ path: FilePath,
        content: Content,
        attributes: Attributes = Attributes(mode: 0o644),
        secret: Bool = false,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(path.string)
        self.after = after
        self.path = path
        self.content = content
        self.attributes = attributes
        self.isSecret = secret
        self.ensure = ensure
        switch content {
        case .bytes(let bytes): sha256 = SHA256Hex.of(bytes)
        case .file(_, let digest): sha256 = digest
        }
    }

    /// Declares a file by its text.
    public init(
        _ path: FilePath,
        contents: String,
        mode: UInt16 = 0o644,
        owner: String? = nil,
        group: String? = nil,
        secret: Bool = false,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.init(
            path,
            content: .bytes([UInt8](contents.utf8)),
            attributes: Attributes(mode: mode, owner: owner, group: group),
            secret: secret,
            id: id,
            after: after
        )
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(
            decoder,
            "path",
            "contents",
            "source",
            "sha256",
            "mode",
            "owner",
            "group",
            "secret"
        )
        let ensure = try fields.ensure()
        self.init(
            try fields.path("path"),
            content: try Self.content(fields, ensure),
            attributes: try Attributes(fields, defaultMode: 0o644),
            secret: try fields.optional("secret") ?? false,
            ensure: ensure
        )
        guard path != "/" else { throw fields.refuse("path", "is the root directory") }
    }

    private static func content(_ fields: Fields, _ ensure: Ensure) throws -> Content {
        switch (fields.has("contents"), fields.has("source")) {
        case (true, true): throw fields.refuse("source", "stands beside contents; give one of them")
        case (true, false):
            guard !fields.has("sha256") else { throw fields.refuse("sha256", "belongs to source, not to contents") }
            return .bytes([UInt8](try fields.value("contents", String.self).utf8))
        case (false, true): return .file(try fields.path("source"), sha256: try fields.digest("sha256"))
        case (false, false):
            guard ensure == .absent else { throw fields.refuse("contents", "missing, and so is source") }
            return .bytes([])
        }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["path": path.string] }
    /// What it makes and needs.
    public var claims: Claims {
        guard ensure == .present else { return Claims(clears: [path]) }
        var uses = attributes.uses
        if case .file(let source, _) = content { uses.append(.path(source)) }
        return Claims(owns: [.path(path)], uses: uses)
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        guard let status = try await node.status(of: path) else { return nil }
        return Found(
            kind: status.kind,
            content: try await content(status, on: node),
            attributes: try await FoundAttributes(status, wanted: attributes, on: node)
        )
    }

    /// What is removed needs no look at what it holds.
    private func content(_ status: FileStatus, on node: any NodeReader) async throws -> ShownContent? {
        guard status.kind == .regular, ensure == .present else { return nil }
        return try await node.content(of: path, status, wanted: sha256, mayShow: isShown)
    }

    /// Whether a plan may show the declared contents: never what some account may not read.
    private var isShown: Bool {
        if case .bytes = content { !isSecret && ShownContent.isPublic(attributes.mode) } else { false }
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        if let found, found.kind != .regular, found.kind != .symlink {
            throw conflict("not-a-file", "\(path) is \(found.kind.noun); a regular file is declared")
        }
        guard ensure == .present else { return found == nil ? [] : [.remove] }
        guard let found, let digest = found.content?.sha256 else {
            return [.write(content, attributes, [contentChange(from: found)] + attributes.changes)]
        }
        let others = found.attributes.changes(to: attributes)
        if digest != sha256 {
            return [.write(content, attributes.keeping(found.attributes), [contentChange(from: found)] + others)]
        }
        return AttributesStep(from: found.attributes, to: attributes).map { [.setAttributes($0)] } ?? []
    }

    private func contentChange(from found: Found?) -> Change {
        let link: Change.Shown? = found?.content == nil ? found.map { .text($0.kind.rawValue) } : nil
        guard !isSecret else {
            return Change("content", from: link ?? (found == nil ? nil : .secret), to: .secret)
        }
        switch content {
        case .bytes(let bytes):
            let new = ShownContent(bytes, mayShow: isShown && link == nil)
            if let link { return Change("content", from: link, to: new.shown) }
            return Change("content", of: path, from: found?.content, to: new)
        case .file(let source, let sha256):
            let new = Change.Shown.text("sha256:\(sha256.prefix(12)) from \(source)")
            return Change("content", from: link ?? found?.content?.shown, to: new)
        }
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .write(let content, let attributes, _):
            let attributes = try await attributes.resolved(for: path, on: node)
            try await node.makeParent(of: path)
            switch content {
            case .bytes(let bytes): try await node.write(bytes, to: path, attributes: attributes)
            case .file(let source, let sha256):
                try await node.verify(source, sha256: sha256, for: "install \(path)")
                try await node.install(source, sha256: sha256, to: path, attributes: attributes)
            }
        case .setAttributes(let step): try await step.apply(to: path, on: node)
        case .remove: try await node.remove(path)
        }
    }
}

extension Attributes {
    init(_ fields: Fields, defaultMode: UInt16) throws {
        self.init(
            mode: try fields.mode("mode", default: defaultMode),
            owner: try fields.accountName("owner"),
            group: try fields.accountName("group")
        )
    }
}
