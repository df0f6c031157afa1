// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

extension FakeNode {
    /// See ``NodeWriter/write(_:to:attributes:)``.
    public func write(_ bytes: [UInt8], to path: FilePath, attributes: FileAttributes) throws {
        try write("write", path.string) { try place(bytes, at: path, attributes) }
    }

    /// See ``NodeWriter/append(_:to:)``.
    public func append(_ bytes: [UInt8], to path: FilePath) throws {
        try write("append", path.string) {
            let real = machine.resolved(path)
            guard machine.files[real]?.kind == .regular else { throw Self.missing(path) }
            machine.files[real]?.bytes += bytes
        }
    }

    /// See ``NodeWriter/install(_:sha256:to:attributes:)``.
    public func install(
        _ source: FilePath,
        sha256: String,
        to path: FilePath,
        attributes: FileAttributes
    ) throws {
        let bytes = try read(source)
        guard Self.hex(bytes) == sha256 else {
            throw Failure(.permanent, code: "digest-mismatch", "install \(path) from \(source): another digest")
        }
        try write("install", path.string) { try place(bytes, at: path, attributes) }
    }

    private func place(_ bytes: [UInt8], at path: FilePath, _ attributes: FileAttributes) throws {
        let real = try writable(path)
        guard machine.files[real]?.kind != .directory else {
            throw Failure(.permanent, code: "is-directory", "write \(path): it is a directory")
        }
        machine.files[real] = FakeMachine.Entry(
            .regular,
            bytes: bytes,
            mode: attributes.mode ?? 0o644,
            uid: attributes.uid ?? 0,
            gid: attributes.gid ?? 0
        )
    }

    /// The path with links above it followed; its directory has to be there.
    private func writable(_ path: FilePath) throws -> FilePath {
        let parent = machine.resolved(path.removingLastComponent())
        guard machine.files[parent]?.kind == .directory, let name = path.lastComponent else {
            throw Failure(.permanent, code: "no-directory", "write \(path): its directory is not there")
        }
        return parent.appending(name)
    }

    /// See ``NodeWriter/makeDirectory(_:attributes:)``.
    public func makeDirectory(_ path: FilePath, attributes: FileAttributes) throws {
        try write("makeDirectory", path.string) {
            let real = machine.resolved(path)
            machine.makeParents(of: real)
            var entry = machine.files[real] ?? FakeMachine.Entry(.directory, mode: 0o755)
            guard entry.kind == .directory else {
                throw Failure(.permanent, code: "not-a-directory", "make directory \(path): a file is there")
            }
            entry.set(attributes)
            machine.files[real] = entry
        }
    }

    /// See ``NodeWriter/setAttributes(_:of:)``.
    public func setAttributes(_ attributes: FileAttributes, of path: FilePath) throws {
        try write("setAttributes", path.string) {
            let real = machine.resolved(path)
            guard machine.files[real] != nil else { throw Self.missing(path) }
            machine.files[real]?.set(attributes)
        }
    }

    /// See ``NodeWriter/link(_:to:)``.
    public func link(_ path: FilePath, to target: String) throws {
        try write("link", path.string) {
            let real = try writable(path)
            guard machine.files[real]?.kind != .directory else {
                throw Failure(.permanent, code: "is-directory", "link \(path): a directory is there")
            }
            machine.files[real] = FakeMachine.Entry(.symlink, target: target, mode: 0o777)
        }
    }

    /// See ``NodeWriter/remove(_:)``.
    public func remove(_ path: FilePath) throws {
        try write("remove", path.string) {
            guard let name = path.lastComponent else { return }
            let real = machine.resolved(path.removingLastComponent()).appending(name)
            if let mount = machine.mounts.first(where: { $0.path.starts(with: real) }) {
                throw Failure(.permanent, code: "is-mounted", "remove \(path): \(mount.path) is mounted")
            }
            machine.files = machine.files.filter { !$0.key.starts(with: real) }
        }
    }

    /// See ``NodeWriter/rename(_:to:)``.
    public func rename(_ path: FilePath, to target: FilePath) throws {
        try write("rename", "\(path) \(target)") {
            let from = machine.resolved(path)
            let to = try writable(target)
            guard machine.files[from] != nil else { throw Self.missing(path) }
            let moved = machine.files.filter { $0.key.starts(with: from) }
            machine.files = machine.files.filter { !$0.key.starts(with: from) && !$0.key.starts(with: to) }
            for (old, entry) in moved {
                var rest = old
                _ = rest.removePrefix(from)
                machine.files[to.pushing(rest)] = entry
            }
        }
    }

    /// See ``NodeWriter/extract(_:into:stripComponents:)``.
    public func extract(_ archive: FilePath, into directory: FilePath, stripComponents: Int) throws {
        let text = String(decoding: try read(archive), as: UTF8.self)
        let root = machine.resolved(directory)
        var entries: [(FilePath, String)] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            let kept = (fields.first ?? "").split(separator: "/").dropFirst(stripComponents).joined(separator: "/")
            if !kept.isEmpty { entries.append((root.pushing(FilePath(kept)), String(fields.last ?? ""))) }
        }
        try tear {
            if let (path, contents) = entries.first { machine.put(contents, at: path) }
        }
        try write("extract", "\(archive) \(directory)") {
            guard machine.files[root]?.kind == .directory else { throw Self.missing(directory) }
            for (path, contents) in entries { machine.put(contents, at: path) }
        }
    }
}

extension FakeMachine.Entry {
    fileprivate mutating func set(_ attributes: FileAttributes) {
        mode = attributes.mode ?? mode
        uid = attributes.uid ?? uid
        gid = attributes.gid ?? gid
    }
}
