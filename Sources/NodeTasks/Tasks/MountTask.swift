// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A mounted file system.
///
/// It holds until the next boot, after which the next run mounts it again.
///
/// - Shape: `mount` {`device`, `path`, `filesystem`, `options`, `ensure`}; `device` is a path, or a word such as `tmpfs`.
/// - Something else mounted on the path is a conflict: hiding it could lose what is written there.
public struct MountTask: DeclaredTask {
    /// What is mounted on the path.
    public struct Found: Sendable, Equatable {
        var mount: MountEntry
        /// The declared device's own name.
        var device: String
        /// The mounted device's own name.
        var mountedDevice: String
    }

    /// Effects on a mount.
    public enum Step: PlannedStep {
        case mount(MountEntry)
        case remount(MountEntry, from: [String])
        case unmount(String)

        /// The line of a plan.
        public var change: Change {
            switch self {
            case .mount(let mount): Change("mounted", to: .text("\(mount.source) \(mount.filesystem)"))
            case .remount(let mount, let from):
                Change("options", from: MountOptions.text(from), to: MountOptions.text(mount.options))
            case .unmount(let source): Change("mounted", from: .text(source))
            }
        }
    }

    /// The name in a tasks file.
    public static let kind = "mount"
    /// The name in a graph.
    public var id: TaskID
    /// What comes before it.
    public var after: [TaskID]
    let mount: MountEntry
    /// Whether it is to be there.
    public let ensure: Ensure

    /// Where it is mounted.
    public var path: FilePath { mount.path }

    /// Declares a mount.
    public init(
        device: String,
        path: FilePath,
        filesystem: String,
        options: [String] = [],
        ensure: Ensure = .present,
        id: TaskID? = nil,
        after: [TaskID] = []
    ) {
        self.id = id ?? Self.defaultID(path.string)
        self.after = after
        self.mount = MountEntry(source: device, path: path, filesystem: filesystem, options: options)
        self.ensure = ensure
    }

    /// Reads the object below the kind's name in a tasks file.
    public init(from decoder: any Decoder) throws {
        let fields = try Fields(decoder, "device", "path", "filesystem", "options")
        let ensure = try fields.ensure()
        var device = ""
        var filesystem = ""
        if ensure == .present || fields.has("device") {
            let text = try fields.word("device")
            device = text.hasPrefix("/") ? try fields.path("device").string : try fields.name("device")
        }
        if ensure == .present || fields.has("filesystem") { filesystem = try fields.name("filesystem") }
        self.init(
            device: device,
            path: try fields.path("path"),
            filesystem: filesystem,
            options: try fields.words("options"),
            ensure: ensure
        )
        guard path != "/" else { throw fields.refuse("path", "is the root directory") }
    }

    /// What names it, to have it removed.
    public var naming: [String: String]? { ["path": path.string] }
    /// What it makes and needs.
    public var claims: Claims {
        guard ensure == .present else { return Claims(vacates: [path]) }
        let device: [Claims.Claim] = mount.source.hasPrefix("/") ? [.path(FilePath(mount.source))] : []
        return Claims(owns: [.name("mount:\(path)")], carries: [path], uses: device)
    }

    /// Observes the machine.
    public func find(on node: any NodeReader) async throws -> Found? {
        guard let found = try await node.mount(on: path) else { return nil }
        return Found(
            mount: found,
            device: try await node.device(mount.source),
            mountedDevice: try await node.device(found.source)
        )
    }

    /// Decides, from what was found.
    public func plan(from found: Found?) throws -> [Step] {
        guard ensure == .present else { return found.map { [.unmount($0.mount.source)] } ?? [] }
        guard let found else { return [.mount(mount)] }
        guard found.device == found.mountedDevice, found.mount.filesystem == mount.filesystem else {
            throw conflict(
                "mounted-otherwise",
                "\(path) has \(found.mount.source) (\(found.mount.filesystem)) mounted on it; "
                    + "\(mount.source) (\(mount.filesystem)) is declared",
                hint: "unmount it, or declare another path"
            )
        }
        guard MountOptions.differ(mount.options, from: found.mount.options) else { return [] }
        var remount = mount
        remount.options = ["remount"] + mount.options
        return [.remount(remount, from: found.mount.options)]
    }

    /// Runs one step.
    public func apply(_ step: Step, on node: any NodeWriter) async throws {
        switch step {
        case .mount(let mount):
            if try await node.status(of: path) == nil {
                try await node.makeDirectory(path, attributes: FileAttributes())
            }
            try await node.mount(mount)
        case .remount(let mount, _): try await node.mount(mount)
        case .unmount: try await node.unmount(path)
        }
    }
}
