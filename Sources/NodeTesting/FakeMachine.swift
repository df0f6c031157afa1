// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// Everything a ``FakeNode`` is, as a value: two machines are the same when these are equal.
public struct FakeMachine: Sendable, Equatable {
    /// An entry of the file tree.
    public struct Entry: Sendable, Equatable {
        /// What it is.
        public var kind: FileStatus.Kind
        /// Of a regular file.
        public var bytes: [UInt8]
        /// Of a symbolic link.
        public var target: String?
        /// Permission bits.
        public var mode: UInt16
        /// The owner.
        public var uid: UInt32
        /// The group.
        public var gid: UInt32

        /// Makes an entry from its parts.
        public init(
            _ kind: FileStatus.Kind,
            bytes: [UInt8] = [],
            target: String? = nil,
            mode: UInt16,
            uid: UInt32 = 0,
            gid: UInt32 = 0
        ) {
            self.kind = kind
            self.bytes = bytes
            self.target = target
            self.mode = mode
            self.uid = uid
            self.gid = gid
        }
    }

    /// A unit, with what makes it outdated.
    public struct Unit: Sendable, Equatable {
        /// Whether it runs.
        public var isActive = false
        /// Whether it starts at boot.
        public var isEnabled = false
        /// The unit file comes with a package, from this text.
        public var vendorDefinition: String?
        /// What systemd has read of its file; `nil` before it looked.
        public var loaded: String?
        /// The paths whose contents it reads when it starts.
        public var reads: [FilePath] = []
        /// What it read when it started; the restart it needs is what differs from now.
        public var startedWith: [String] = []

        /// Makes a unit nobody has started.
        public init(vendorDefinition: String? = nil, reads: [FilePath] = []) {
            self.vendorDefinition = vendorDefinition
            self.reads = reads
        }
    }

    /// The file tree, by absolute path.
    public var files: [FilePath: Entry] = ["/": Entry(.directory, mode: 0o755)]
    /// The accounts, by name.
    public var users: [String: UserEntry] = ["root": UserEntry(name: "root", uid: 0, gid: 0, home: "/root")]
    /// The groups, by name.
    public var groups: [String: GroupEntry] = ["root": GroupEntry(name: "root", gid: 0)]
    /// What is mounted, the root first.
    public var mounts: [MountEntry] = [MountEntry(source: "/dev/root", path: "/", filesystem: "ext4", options: ["rw"])]
    /// The units, by name.
    public var units: [String: Unit] = [:]
    /// What is installed, by name.
    public var packages: [String: PackageStatus] = [:]
    /// What can be installed, by name: the newest version.
    public var repository: [String: String] = [:]
    /// The kernel's settings, by name.
    public var sysctls: [String: String] = [:]
    /// The kernel modules that are loaded.
    public var modules: Set<String> = []
    /// The block devices, by path.
    public var devices: [FilePath: BlockDeviceStatus] = [:]
    /// The identifiers of images, by runtime.
    public var images: [String: Set<String>] = [:]
    /// Which boot this is.
    public var boot = 1

    /// A machine with a root directory, root, and nothing else.
    public init() {}

    /// Puts a file and its missing directories there.
    public mutating func put(_ text: String, at path: FilePath, mode: UInt16 = 0o644) {
        makeParents(of: path)
        files[path] = Entry(.regular, bytes: [UInt8](text.utf8), mode: mode)
    }

    /// Puts a directory and those above it there.
    public mutating func putDirectory(_ path: FilePath) {
        makeParents(of: path)
        if files[path] == nil { files[path] = Entry(.directory, mode: 0o755) }
    }

    /// A file's text; `nil` when there is none.
    public func text(at path: FilePath) -> String? {
        files[path].flatMap { $0.kind == .regular ? String(decoding: $0.bytes, as: UTF8.self) : nil }
    }

    /// Whether a running unit has not read what its files say now.
    public func needsRestart(_ name: String) -> Bool {
        guard let unit = units[name], unit.isActive else { return false }
        return unit.startedWith != inputs(of: name)
    }

    mutating func makeParents(of path: FilePath) {
        var parent = path
        while parent.removeLastComponent() {
            if files[parent] == nil { files[parent] = Entry(.directory, mode: 0o755) }
        }
    }

    /// What systemd would read for a unit now: its file, and its drop-ins in the order of their names.
    func definition(of name: String) -> String? {
        let directory = FilePath("/etc/systemd/system")
        guard let file = text(at: directory.appending(name)) ?? units[name]?.vendorDefinition else { return nil }
        let dropIns = directory.appending("\(name).d")
        let parts = files.keys.filter { $0.removingLastComponent() == dropIns && $0.string.hasSuffix(".conf") }
        return file + parts.sorted { $0.string < $1.string }.compactMap { text(at: $0) }.joined()
    }

    /// All that a unit reads when it starts.
    func inputs(of name: String) -> [String] {
        guard let unit = units[name] else { return [] }
        return [unit.loaded ?? ""] + unit.reads.map { text(at: resolved($0)) ?? "" }
    }

    /// Follows symbolic links at the end of a path and above it.
    func resolved(_ path: FilePath) -> FilePath {
        // Most paths have no link above them, and walking one is slow.
        let text = path.string
        guard files.contains(where: { $0.value.target != nil && text.hasPrefix($0.key.string) }) else { return path }
        var result: FilePath = "/"
        for component in path.components {
            result.append(component)
            for _ in 0..<8 {
                guard let target = files[result]?.target else { break }
                let next = FilePath(target)
                result = next.isAbsolute ? next : result.removingLastComponent().pushing(next).lexicallyNormalized()
            }
        }
        return result
    }
}
