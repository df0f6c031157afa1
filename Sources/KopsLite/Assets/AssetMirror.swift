// SPDX-License-Identifier: Apache-2.0
import Fetch
import Foundation
import KopsModel
import NodeOS
import StateStore
import SystemPackage

/// Copies every file of a lock to a place of one's own, which then is a file repository like the first.
struct AssetMirror {
    /// Where files are downloaded to first, named by digest; what is there already is not downloaded again.
    let cache: FilePath
    let http: any HTTPClient
    /// The place, as a store: a directory or a bucket.
    let target: any StateStore

    /// Copies what the place does not have yet, and last the lock file, which says that all of it is there.
    func copy(_ lock: AssetLock, progress: @escaping @Sendable (String) -> Void) async throws {
        // A store that is not there is an error elsewhere; a mirror begins with nothing.
        if let directory = (target as? FileStore)?.directory {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        }
        let fetcher = AssetFetcher(cache: cache, http: http)
        for entry in lock.assets {
            let key = try StoreKey(entry.path)
            let mark = try StoreKey(entry.path + ".sha256")
            let line = Array("\(entry.sha256)\n".utf8)
            // Written after the file itself, so it says that the file is whole.
            if try await target.read(mark)?.bytes == line {
                progress("\(entry.path)\tunchanged")
                continue
            }
            let file = RemoteFile(name: entry.name, sha256: entry.sha256, sources: entry.sources, size: entry.size)
            let path = try await fetcher.fetch([file])[entry.sha256]
            guard let path, let bytes = FileManager.default.contents(atPath: path.string) else {
                throw CommandFailure("\(entry.name) is not in \(cache) although it was fetched", remedy: "run it again")
            }
            try await target.write([UInt8](bytes), to: key, when: .always)
            try await target.write(line, to: mark, when: .always)
            progress("\(entry.path)\tcopied, \(bytes.count) bytes")
        }
        try await target.write(try Self.repositoryLock(lock), to: StoreKey(AssetLock.objectName), when: .always)
    }

    /// The lock file as a repository carries it.
    static func repositoryLock(_ lock: AssetLock) throws -> [UInt8] {
        struct Entry: Encodable {
            var name: String
            var path: String
            var sha256: String
            var size: Int64?
            var kind: String
            var image: String?
        }
        let entries = lock.assets.map { entry in
            Entry(
                name: entry.name,
                path: entry.path,
                sha256: entry.sha256,
                size: entry.size,
                kind: entry.image == nil ? "file" : "image",
                image: entry.image
            )
        }
        return try ClusterSecrets.encoded(["assets": entries])
    }
}
