// SPDX-License-Identifier: Apache-2.0
import Glibc
public import SystemPackage

/// A store in a directory of this machine: one file an object.
///
/// Versions are digests of the bytes. A write holds flock(2) on the object's own directory, so no lock file is needed:
/// a machine may see the store read-only and write where a subdirectory is mounted writable. Symbolic links are never
/// followed below the store's directory. Files are 0600 below `private/` and 0644 elsewhere, directories 0700 and 0755.
public struct FileStore: StateStore {
    /// The store's URL without a trailing slash.
    public let url: String
    /// The directory on this machine.
    public let directory: FilePath
    private let lockTimeout: Duration
    private let clock: any Clock<Duration>

    /// Makes a store; the directory is made with the first write.
    ///
    /// - Parameters:
    ///   - directory: An absolute path.
    ///   - lockTimeout: How long a write waits for another one in the same directory.
    ///   - clock: What measures that wait.
    public init(
        directory: FilePath,
        lockTimeout: Duration = .seconds(10),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.directory = directory
        self.url = "file://" + directory.string
        self.lockTimeout = lockTimeout
        self.clock = clock
    }

    /// An object's bytes and version; `nil` when there is no such object.
    public func read(_ key: StoreKey) async throws -> StoredObject? {
        let place = try Place(key)
        return try reporting(key) {
            guard let parent = try StoreDirectory(root: directory).descend(place.parents, create: false) else {
                return nil
            }
            return try stored(place.name, in: parent)
        }
    }

    /// The keys below a prefix, sorted, at any depth.
    public func list(_ prefix: StoreKey) async throws -> [StoreKey] {
        try reporting(prefix) {
            let root = try StoreDirectory(root: directory)
            guard let (last, before) = prefix.parts.last.map({ ($0, prefix.parts.dropLast()) }) else {
                return try names(in: root, below: []).sorted()
            }
            guard let parent = try root.descend(Array(before), create: false),
                try parent.kind(of: last) == .directory,
                let start = try parent.descend([last], create: false)
            else { return [] }
            return try names(in: start, below: prefix.parts).sorted()
        }
    }

    /// Writes an object when the condition holds, atomically.
    @discardableResult
    public func write(
        _ bytes: [UInt8],
        to key: StoreKey,
        when condition: WriteCondition
    ) async throws -> ObjectVersion {
        let place = try Place(key)
        let parent = try reporting(key) { () throws -> StoreDirectory? in
            try StoreDirectory.makeRoot(directory)
            return try StoreDirectory(root: directory).descend(place.parents, create: true)
        }
        guard let parent else { throw StoreError.unavailable(url: url, reason: "\(key) vanished while being written") }
        try await lock(parent, for: key)
        defer { parent.unlock() }
        return try reporting(key) {
            // Whoever holds the lock is the only writer here, so temporary files are left-overs of a crash.
            try parent.removeTemporaryFiles()
            if condition != .always {
                try condition.check(key, found: try stored(place.name, in: parent)?.version)
            }
            try parent.replace(place.name, with: bytes, mode: place.fileMode)
            return .digest(of: bytes)
        }
    }

    /// Removes an object when the condition holds; nothing there is no error.
    public func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
        let place = try Place(key)
        let found = try reporting(key) { try StoreDirectory(root: directory).descend(place.parents, create: false) }
        guard let parent = found else { return }
        try await lock(parent, for: key)
        defer { parent.unlock() }
        try reporting(key) {
            guard let object = try stored(place.name, in: parent) else { return }
            try condition.check(key, found: object.version)
            try parent.remove(place.name)
        }
    }

    private func stored(_ name: String, in parent: borrowing StoreDirectory) throws -> StoredObject? {
        guard let bytes = try parent.read(name) else { return nil }
        return StoredObject(bytes: bytes, version: .digest(of: bytes))
    }

    private func names(in start: borrowing StoreDirectory, below parts: [String]) throws -> [StoreKey] {
        var keys: [StoreKey] = []
        for name in try start.names() where !name.hasPrefix(StoreDirectory.temporaryPrefix) {
            let path = parts + [name]
            if try start.kind(of: name) == .directory {
                if let next = try start.step(name, create: false) { keys += try names(in: next, below: path) }
            } else {
                keys.append(try StoreKey(parts: path))
            }
        }
        return keys
    }

    /// Waits in small steps, not in flock(2), so that a stuck holder costs an error and not a thread for ever.
    private func lock(_ parent: borrowing StoreDirectory, for key: StoreKey) async throws {
        var waited = Duration.zero
        let step = Duration.milliseconds(5)
        while true {
            if try reporting(key, { try parent.tryLock() }) { return }
            guard waited < lockTimeout else {
                throw StoreError.unavailable(url: url, reason: "\(key) stays locked by another writer")
            }
            try await clock.sleep(for: step)
            waited += step
        }
    }

    private func reporting<Result: ~Copyable>(_ key: StoreKey, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let oddity as StoreOddity {
            throw StoreError.corrupt(key: key.description, reason: oddity.text)
        } catch let failure as StoreDirectory.CallFailure {
            throw StoreError.unavailable(
                url: url,
                reason: "\(key.parts.isEmpty ? "" : "\(key): ")\(failure.call): \(failure.errno)"
            )
        }
    }
}

/// A key as a place in the file system.
private struct Place {
    let parents: [String]
    let name: String

    init(_ key: StoreKey) throws(StoreError) {
        guard let name = key.parts.last else { throw .badKey("") }
        guard !key.parts.contains(where: { $0.hasPrefix(StoreDirectory.temporaryPrefix) }) else {
            throw .badKey(key.description)
        }
        self.name = name
        parents = Array(key.parts.dropLast())
    }

    var fileMode: mode_t { parents.contains("private") ? 0o600 : 0o644 }
}
