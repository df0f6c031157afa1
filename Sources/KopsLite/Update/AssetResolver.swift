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
        var kind: String
        var image: String?
    }

    /// Resolves files by their paths.
    ///
    /// - Throws: ``Failure`` `asset-unknown` when the repository does not have one of them.
    func resolve(_ requests: [Request]) async throws -> [String: Asset] {
        var assets: [String: Asset] = [:]
        for request in requests { assets[request.name] = try await resolve(request) }
        return assets
    }

    /// Resolves one file.
    func resolve(_ request: Request) async throws -> Asset {
        let locked = try await lockEntries().first { $0.path == request.path }?.sha256
        let sha256 = if let locked { locked } else { try await digest(of: request.path) }
        return Asset(sha256: sha256, sources: ["\(base)/\(request.path)"], image: request.image)
    }

    /// Image tarballs that only a lock file can name, such as an add-on's; what it lacks comes from a registry.
    func lockedImages(_ names: [String]) async throws -> [String: Asset] {
        let lock = try await lockEntries()
        var assets: [String: Asset] = [:]
        for entry in lock where entry.kind == "image" && names.contains(entry.name) {
            assets[entry.name] = Asset(sha256: entry.sha256, sources: ["\(base)/\(entry.path)"], image: entry.image)
        }
        return assets
    }

    /// Image tarballs by the references they carry.
    ///
    /// - Throws: ``Failure`` `image-not-in-repository` for a reference that no tarball carries.
    func images(carrying references: [String]) async throws -> [String: Asset] {
        let lock = try await lockEntries()
        var assets: [String: Asset] = [:]
        for reference in references {
            guard let entry = lock.first(where: { $0.kind == "image" && $0.image == reference }) else {
                throw Failure(
                    .permanent,
                    code: "image-not-in-repository",
                    "\(base) has no tarball of the image \(reference)",
                    hint: "name an image of \(base)/assets.lock.json, or leave it to be pulled from its registry"
                )
            }
            assets[entry.name] = Asset(sha256: entry.sha256, sources: ["\(base)/\(entry.path)"], image: entry.image)
        }
        return assets
    }

    /// The digest that stands beside a file.
    func digest(of path: String) async throws -> String {
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
        guard let bytes = try await read("assets.lock.json") else { return [] }
        do {
            return try JSONDecoder().decode(Lock.self, from: Data(bytes)).assets
        } catch {
            throw Failure(
                .permanent,
                code: "lock-damaged",
                "\(base)/assets.lock.json cannot be read as a lock file",
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
