// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A directory or file shown at a second path (mount(8), bind mounts).
///
/// - Shape: `bindMount` {`source`, `path`, `options`, `ensure`}; `options` may hold `ro`, `rbind`, `nosuid` and the like.
public struct BindMountTask: DeclaredTask {
    /// What is mounted on the path, beside where the source lies.
    public struct Found: Sendable, Equatable {
        var mount: MountEntry
        /// The mount the source lies in and the source's place in that file system.
        var sourceDevice: String?
        var sourceRoot: String?
    }

    /// Effects on a bind mount.
    public enum Step: PlannedStep {
        case mount(MountEntry)
        case remount(MountEntry, from: [String])
        case unmount(String)

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .mount(let mount): Change("bound", to: .text(mount.source))
            case .remount(let mount, let from):
                Change("options", from: MountOptions.text(from), to: MountOptions.text(mount.options))
            case .unmount(let source): Change("bound", from: .text(source))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "bindMount"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    /// What is shown.
    public let source: FilePath
    /// Where it is shown.
    public let path: FilePath
    let options: [String]
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Declares a bind mount.
    public init(
        _ source: FilePath,
        path: FilePath,
        options: [String] = [],
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(path.string)
        self.after = after
        self.source = source
        self.path = path
        self.options = options
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "source", "path", "options")
        let ensure = try fields.ensure()
        let source = ensure == .present || fields.has("source") ? try fields.path("source") : "/"
        self.init(source, path: try fields.path("path"), options: try fields.words("options"), ensure: ensure)
        guard path != "/" else { throw fields.refuse("path", "is the root directory") }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["path": path.string] }
    /// What it makes and needs.
    public var claims: Claims {
        guard ensure == .present else { return Claims(vacates: [path]) }
        return Claims(owns: [.name("mount:\(path)")], carries: [path], uses: [.path(source)])
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        let mounts = try await node.mounts()
        guard let found = mounts.last(where: { $0.path == path }) else { return nil }
        let around = mounts.filter { source.starts(with: $0.path) }
            .max { $0.path.components.count < $1.path.components.count }
        var below = source
        if let around { _ = below.removePrefix(around.path) }
        let root = around.map { FilePath($0.root).pushing(below).string }
        return Found(mount: found, sourceDevice: around?.source, sourceRoot: root)
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return found.map { [.unmount($0.mount.source)] } ?? [] }
        guard let found else { return [.mount(entry(["bind"]))] }
        let isKernels = found.mount.source == found.sourceDevice && found.mount.root == found.sourceRoot
        guard isKernels || found.mount.source == source.string else {
            throw conflict(
                "mounted-otherwise",
                "\(path) has \(found.mount.source) mounted on it; a bind of \(source) is declared",
                hint: "unmount it, or declare another path"
            )
        }
        guard MountOptions.differ(options, from: found.mount.options) else { return [] }
        return [.remount(entry(["remount", "bind"]), from: found.mount.options)]
    }

    private func entry(_ flags: [String]) -> MountEntry {
        let flags = options.contains("rbind") ? flags.filter { $0 != "bind" } : flags
        return MountEntry(source: source.string, path: path, filesystem: "none", options: flags + options)
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .mount(let mount):
            try await makeMountPoint(on: node)
            try await node.mount(mount)
        case .remount(let mount, _): try await node.mount(mount)
        case .unmount: try await node.unmount(path)
        }
    }

    /// A file can only be shown on a file, a directory only on a directory.
    private func makeMountPoint(on node: any NodeWriter) async throws {
        guard let kind = try await node.status(of: source)?.kind else {
            throw conflict(
                "source-missing",
                "bind \(source) to \(path): there is no such file or directory",
                hint: "make \(source) first, or correct the path"
            )
        }
        guard try await node.status(of: path) == nil else { return }
        if kind == .directory || kind == .symlink {
            try await node.makeDirectory(path, attributes: FileAttributes())
        } else {
            try await node.writeOwn("", to: path)
        }
    }
}
