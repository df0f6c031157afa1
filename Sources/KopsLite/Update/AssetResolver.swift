// SPDX-License-Identifier: Apache-2.0
import Fetch
import Foundation
import KopsModel
import NodeOS

/// Finds a release's files in a file repository and fixes their digests, once, when a generation is made.
///
/// - Shape: the layout of the official release site, `<base>/v1.20.2/bin/linux/amd64/kubelet`, each file with a
///   `.sha256` beside it. A repository may also carry `assets.lock.json`, which then decides.
struct AssetResolver {
    /// The repository's URL without a trailing slash.
    let base: String
    /// Repositories with the same files.
    var mirrors: [String] = []
    let http: any HTTPClient

    /// A file of the repository under the name that node builders know it by.
    struct Request: Equatable {
        var name: String
        var path: String
        /// The reference an image tarball carries.
        var image: String?
    }

    /// What a lock file says of one file.
    struct LockEntry: Decodable, Equatable {
        var name: String
        var path: String
        var sha256: String
        var size: Int64?
        var kind: String
        var image: String?
    }

    /// Resolves files by their paths.
    ///
    /// - Throws: ``Failure`` `asset-unknown` when the repository does not have one of them.
    func resolve(_ requests: [Request]) async throws -> [AssetLock.Entry] {
        let lock = try await lockEntries()
        var entries: [AssetLock.Entry] = []
        for request in requests {
            let locked = lock.first { $0.path == request.path }
            let sha256 = if let locked { locked.sha256 } else { try await digest(of: request.path) }
            entries.append(
                entry(request.name, request.path, sha256: sha256, size: locked?.size, image: request.image)
            )
        }
        return entries
    }

    /// Image tarballs that only a lock file can name, such as an add-on's; what it lacks comes from a registry.
    func lockedImages(_ names: [String]) async throws -> [AssetLock.Entry] {
        try await lockEntries().filter { $0.kind == "image" && names.contains($0.name) }.map(entry)
    }

    /// Image tarballs by the references they carry.
    ///
    /// - Throws: ``Failure`` `image-not-in-repository` for a reference that no tarball carries.
    func images(carrying references: [String]) async throws -> [AssetLock.Entry] {
        let lock = try await lockEntries()
        return try references.map { reference in
            guard let found = lock.first(where: { $0.kind == "image" && $0.image == reference }) else {
                throw Failure(
                    .permanent,
                    code: "image-not-in-repository",
                    "\(base) has no tarball of the image \(reference)",
                    hint: "name an image of \(base)/assets.lock.json, or leave it to be pulled from its registry"
                )
            }
            return entry(found)
        }
    }

    private func entry(_ found: LockEntry) -> AssetLock.Entry {
        entry(found.name, found.path, sha256: found.sha256, size: found.size, image: found.image)
    }

    private func entry(_ name: String, _ path: String, sha256: String, size: Int64?, image: String?) -> AssetLock.Entry
    {
        AssetLock.Entry(
            name: name,
            sha256: sha256,
            size: size,
            path: path,
            sources: ([base] + mirrors).map { "\($0)/\(path)" },
            image: image,
            roles: []
        )
    }

    /// The digest that stands beside a file.
    private func digest(of path: String) async throws -> String {
        let failure = { (reason: String) in
            Failure(
                .permanent,
                code: "asset-unknown",
                "\(base)/\(path).sha256 \(reason)",
                hint:
                    "check --kubernetes-version and --file-repository; a repository has the layout of the release site"
            )
        }
        guard let bytes = try await read(path + ".sha256") else { throw failure("is not there") }
        let digest = String(decoding: bytes, as: UTF8.self).prefix { $0.isHexDigit }.lowercased()
        guard digest.count == 64 else { throw failure("holds no SHA-256") }
        return digest
    }

    private func lockEntries() async throws -> [LockEntry] {
        struct Lock: Decodable { var assets: [LockEntry] }
        guard let bytes = try await read(AssetLock.objectName) else { return [] }
        do {
            return try JSONDecoder().decode(Lock.self, from: Data(bytes)).assets
        } catch {
            throw Failure(
                .permanent,
                code: "lock-damaged",
                "\(base)/\(AssetLock.objectName) cannot be read as a lock file",
                hint: "build the repository again",
                cause: error
            )
        }
    }

    /// A small file of the repository; `nil` when it is not there.
    private func read(_ path: String) async throws -> [UInt8]? {
        if let url = URL(string: base), url.isFileURL {
            return FileManager.default.contents(atPath: url.path + "/" + path).map { [UInt8]($0) }
        }
        let response = try await http.send(HTTPRequest(url: "\(base)/\(path)"))
        switch response.status {
        case 200: return response.body
        case 404, 403: return nil
        default:
            throw Failure(
                .transient,
                code: "repository-unavailable",
                "\(base)/\(path) answered with status \(response.status)",
                hint: "try again, or name another --file-repository"
            )
        }
    }
}
