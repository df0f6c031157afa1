// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// The contents of a tar archive.
///
/// - Shape: `archive` {`source`, `sha256`, `path`, `stripComponents` (0), `ensure`}. The contents lie in
///   `<directory>/.<name>.<digest>-<strip>` beside `path`, which is a symbolic link to it, so that what is seen at
///   `path` is always one whole version. Other versions are removed after the switch.
public struct ArchiveTask: DeclaredTask {
    /// What is beside the path.
    public struct Found: Sendable, Equatable {
        var kind: FileStatus.Kind?
        var target: String?
        /// The names of whole and partial versions, sorted.
        var versions: [String]
    }

    /// Effects on an archive's contents.
    public enum Step: PlannedStep {
        case extract(String)
        case point(from: String?, to: String)
        case prune(String)
        case unlink(String?)

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .extract(let version): Change("contents", to: .text(version))
            case .point(let from, let to): Change("target", from: from.map { .text($0) }, to: .text(to))
            case .prune(let version): Change("contents", from: .text(version))
            case .unlink(let from): Change("target", from: .text(from ?? "unknown"))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "archive"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// The archive.
    public let source: FilePath
    let sha256: String
    /// Where the contents are seen.
    public let path: FilePath
    let stripComponents: Int
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares an archive's contents.
    public init(
        _ source: FilePath,
        sha256: String,
        path: FilePath,
        stripComponents: Int = 0,
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(path.string)
        self.after = after
        self.source = source
        self.sha256 = sha256
        self.path = path
        self.stripComponents = stripComponents
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "source", "sha256", "path", "stripComponents")
        let ensure = try fields.ensure()
        let strip = try fields.optional("stripComponents", Int.self) ?? 0
        guard (0...64).contains(strip) else { throw fields.refuse("stripComponents", "is not between 0 and 64") }
        self.init(
            ensure == .present || fields.has("source") ? try fields.path("source") : "/",
            sha256: ensure == .present || fields.has("sha256") ? try fields.digest("sha256") : "",
            path: try fields.path("path"),
            stripComponents: strip,
            ensure: ensure
        )
        guard path != "/" else { throw fields.refuse("path", "is the root directory") }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["path": path.string] }
    /// What it makes and needs.
    public var claims: Claims {
        ensure == .present ? Claims(owns: [.path(path)], uses: [.path(source)]) : Claims(clears: [path])
    }

    private var directory: FilePath { path.removingLastComponent() }
    private var prefix: String { ".\(path.lastComponent?.string ?? "")." }
    private var version: String { "\(prefix)\(sha256.prefix(16))-\(stripComponents)" }
    private var partial: String { "\(version).partial" }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        let kind = try await node.status(of: path)?.kind
        let versions = try await node.list(directory).filter { isVersion($0) }
        if kind == nil, versions.isEmpty { return nil }
        return Found(kind: kind, target: try await node.target(of: path), versions: versions)
    }

    /// Whether a name beside the path is one of ours: sixteen hex digits, the strip count, perhaps `.partial`.
    private func isVersion(_ name: String) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let rest = name.dropFirst(prefix.count)
        let digits = rest.prefix { $0.isHexDigit }
        let tail = rest.dropFirst(digits.count)
        let count = tail.dropFirst().prefix { $0.isNumber }
        return digits.count == 16 && tail.hasPrefix("-") && !count.isEmpty
            && ["", ".partial"].contains(String(tail.dropFirst(1 + count.count)))
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        if let kind = found?.kind, kind != .symlink {
            throw conflict(
                "not-a-symlink",
                "\(path) is \(kind.noun); a symbolic link to an archive's contents is declared",
                hint: "move it away"
            )
        }
        let versions = found?.versions ?? []
        guard ensure == .present else {
            let unlink: [Step] = found?.kind == .symlink ? [.unlink(found?.target)] : []
            return unlink + versions.map { .prune($0) }
        }
        var steps: [Step] = versions.contains(version) ? [] : [.extract(version)]
        if found?.target != version { steps.append(.point(from: found?.target, to: version)) }
        // Extracting consumes its own partial directory.
        let kept = steps.contains(.extract(version)) ? [version, partial] : [version]
        return steps + versions.filter { !kept.contains($0) }.map { .prune($0) }
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .extract(let version): try await extract(version, on: node)
        case .point(_, let target): try await node.link(path, to: target)
        case .prune(let version): try await node.remove(directory.appending(version))
        case .unlink: try await node.remove(path)
        }
    }

    private func extract(_ version: String, on node: any NodeWriter) async throws {
        try await node.verify(source, sha256: sha256, for: "extract \(path)")
        let temporary = directory.appending(partial)
        try await node.remove(temporary)
        try await node.makeDirectory(temporary, attributes: FileAttributes(mode: 0o755))
        do {
            try await node.extract(source, into: temporary, stripComponents: stripComponents)
        } catch {
            // What a full disk cut off would keep it full.
            try? await node.remove(temporary)
            throw error
        }
        try await node.rename(temporary, to: directory.appending(version))
    }
}
