// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

extension LiveNode {
    /// See ``NodeReader/status(of:)``.
    public func status(of path: FilePath) async throws -> FileStatus? { try files.status(of: path) }

    /// See ``NodeReader/read(_:)``.
    public func read(_ path: FilePath) async throws -> [UInt8] { try files.read(path) }

    /// See ``NodeReader/sha256(of:)``.
    public func sha256(of path: FilePath) async throws -> String { try files.sha256(of: path) }

    /// See ``NodeReader/sourceSHA256(of:)``; below the root if it is there, else on this machine.
    public func sourceSHA256(of path: FilePath) async throws -> String? {
        let machine = FileTree(root: "/")
        let source = try files.sourcePath(of: path)
        return try machine.status(of: source) == nil ? nil : try machine.sha256(of: source)
    }

    /// See ``NodeReader/list(_:)``; temporaries of this program are not listed.
    public func list(_ path: FilePath) async throws -> [String] { try files.list(path) }

    /// See ``NodeReader/target(of:)``.
    public func target(of path: FilePath) async throws -> String? { try files.target(of: path) }

    /// See ``NodeWriter/write(_:to:attributes:)``.
    public func write(_ bytes: [UInt8], to path: FilePath, attributes: FileAttributes) async throws {
        try files.write(bytes, to: path, attributes)
    }

    /// See ``NodeWriter/append(_:to:)``.
    public func append(_ bytes: [UInt8], to path: FilePath) async throws { try files.append(bytes, to: path) }

    /// See ``NodeWriter/install(_:sha256:to:attributes:)``; a source that is not below the root is taken from this machine.
    public func install(
        _ source: FilePath,
        sha256: String,
        to path: FilePath,
        attributes: FileAttributes
    ) async throws {
        try files.install(source, sha256: sha256, to: path, attributes)
    }

    /// See ``NodeWriter/makeDirectory(_:attributes:)``.
    public func makeDirectory(_ path: FilePath, attributes: FileAttributes) async throws {
        try files.makeDirectory(path, attributes)
    }

    /// See ``NodeWriter/setAttributes(_:of:)``.
    public func setAttributes(_ attributes: FileAttributes, of path: FilePath) async throws {
        try files.setAttributes(attributes, of: path)
    }

    /// See ``NodeWriter/link(_:to:)``.
    public func link(_ path: FilePath, to target: String) async throws { try files.link(path, to: target) }

    /// See ``NodeWriter/remove(_:)``; a directory with a mount on or below it is refused (`is-mounted`).
    public func remove(_ path: FilePath) async throws { try files.remove(path) }

    /// See ``NodeWriter/rename(_:to:)``.
    public func rename(_ path: FilePath, to target: FilePath) async throws { try files.rename(path, to: target) }

    /// See ``NodeWriter/extract(_:into:stripComponents:)``; an archive that is not below the root is taken from this machine.
    public func extract(_ archive: FilePath, into directory: FilePath, stripComponents: Int) async throws {
        try await Archive(files: files, runner: runner)
            .extract(archive, into: directory, stripComponents: stripComponents)
    }
}
