// SPDX-License-Identifier: Apache-2.0
import Foundation
import StateStore

/// Where operators keep a cluster's keyring: a file they name, or the store's part that only they may read.
struct KeyringPlace: Sendable {
    /// A file, or a directory that holds one `<cluster>.keyring.json` for each cluster; `nil` for the store.
    let file: String?
    let store: any StateStore
    let layout: ClusterLayout

    /// A keyring and what a change of it must still find.
    struct Found {
        var keyring: Keyring
        var version: ObjectVersion?
    }

    /// What messages call it.
    var description: String {
        get throws { try path ?? "\(store.url)/\(layout.keyring())" }
    }

    /// The keyring; `nil` before the cluster has one.
    ///
    /// - Throws: ``KeyringError/missing(cluster:place:)`` when the cluster has one, but elsewhere.
    func load() async throws -> Found? {
        if let path {
            if let bytes = try PrivateFile(path).read() {
                return Found(keyring: try Keyring(decoding: bytes, for: layout.clusterName), version: nil)
            }
        } else if let object = try await store.read(layout.keyring()) {
            return Found(
                keyring: try Keyring(decoding: object.bytes, for: layout.clusterName),
                version: object.version
            )
        }
        guard try await store.read(layout.trust()) == nil else {
            throw KeyringError.missing(cluster: layout.clusterName, place: try description)
        }
        return nil
    }

    /// The keyring of a cluster that must have one.
    ///
    /// - Throws: ``KeyringError/missing(cluster:place:)``.
    func existing() async throws -> Keyring {
        guard let found = try await load() else {
            throw KeyringError.missing(cluster: layout.clusterName, place: try description)
        }
        return found.keyring
    }

    /// Makes the keyring where there is none; of two that do so at once the second finds the first one's.
    func create(now: Date) async throws -> Keyring {
        if let found = try await load() { return found.keyring }
        let keyring = Keyring(cluster: layout.clusterName, notAfter: now.addingTimeInterval(Self.lifetime))
        do {
            try await save(keyring, over: nil)
        } catch StoreError.conflict {
            return try await existing()
        }
        return keyring
    }

    /// Puts a keyring in the place of the one that was found.
    ///
    /// - Throws: ``StoreError/conflict(key:expected:found:)`` when somebody else changed it meanwhile.
    func save(_ keyring: Keyring, over found: Found?) async throws {
        if let path { return try PrivateFile(path).write(try keyring.encoded(), isNew: found == nil) }
        try await store.write(
            try keyring.encoded(),
            to: layout.keyring(),
            when: found?.version.map { .version($0) } ?? .absent
        )
    }

    /// Ten years, as the authorities have.
    static let lifetime: TimeInterval = 10 * 365 * 86400

    private var path: String? {
        guard let file else { return nil }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory), isDirectory.boolValue else {
            return file
        }
        return "\(file)/\(layout.clusterName).keyring.json"
    }
}
