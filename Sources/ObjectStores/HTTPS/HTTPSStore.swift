// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
public import StateStore

/// A store that a web server shows, read-only: a directory of a bundle, or a bucket in public.
///
/// HTTP has no lists: what is below a prefix is what `index.json` of the prefix says, a JSON array of keys relative to it.
/// Without TLS only servers near by are read, as anybody on the way could put back an old generation.
public struct HTTPSStore: StateStore {
    /// The store's URL without a slash at the end.
    public let url: String
    private let base: String
    private let context: StoreContext
    private let retries: Retries

    private static let sizeLimit = 16 << 20
    static let index = "index.json"

    /// Opens a store; nothing is asked yet.
    ///
    /// - Throws: ``StoreError/badURL(_:reason:)``.
    public init(url: String, context: StoreContext = .live) throws(StoreError) {
        let parts = try StoreURL(url, options: [])
        guard parts.scheme == "https" || Self.isNear(parts.authority) else {
            throw .badURL(url, reason: "is not encrypted and not near by; write https://")
        }
        base = StoreURL.canonical(scheme: parts.scheme, authority: parts.authority, path: parts.path, query: [:])
        self.url = base
        self.context = context
        retries = Retries(clock: context.clock)
    }

    /// An object's bytes and version; `nil` when there is no such object.
    public func read(_ key: StoreKey) async throws -> StoredObject? {
        let address = ([base] + key.parts.map(PercentEncoding.encode)).joined(separator: "/")
        return try await retries.run { _ in try await attempt(address, key) }
    }

    /// The keys below a prefix, sorted, as its `index.json` lists them.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `store-unlistable` where there is none.
    public func list(_ prefix: StoreKey) async throws -> [StoreKey] {
        guard let object = try await read(StoreKey(parts: prefix.parts + [Self.index])) else {
            throw refusal(
                "store-unlistable",
                "there is no \(Self.index) below \(prefix), and HTTP lists nothing by itself",
                "write a JSON array of the keys below each directory to \(Self.index), or use a store that can list"
            )
        }
        guard let names = try? JSONDecoder().decode([String].self, from: Data(object.bytes)) else {
            throw StoreError.corrupt(key: "\(prefix)/\(Self.index)", reason: "it is no JSON array of keys")
        }
        return try names.map { try StoreKey(parts: prefix.parts + StoreKey($0).parts) }.sorted()
    }

    /// Never: the store is read-only.
    @discardableResult
    public func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion
    {
        throw readOnly(key)
    }

    /// Never: the store is read-only.
    public func remove(_ key: StoreKey, when condition: WriteCondition) async throws { throw readOnly(key) }

    private func attempt(_ address: String, _ key: StoreKey) async throws -> Retries.Outcome<StoredObject?> {
        let response: HTTPResponse
        do {
            response = try await context.http.send(
                HTTPRequest(
                    url: address,
                    bodyLimit: Self.sizeLimit,
                    timeouts: .sending(0)
                )
            )
        } catch let error as FetchError {
            guard error.code != "answer-too-large" else {
                throw refusal("object-too-large", "\(key) is larger than any object of a state", "see who put it there")
            }
            let failure = StoreError.unavailable(url: url, reason: error.message)
            guard error.isTransient else { throw failure }
            return .passing(failure, after: nil)
        }
        switch response.status {
        case 200:
            let tag = response.headers.last { $0.name == "etag" }?.value
            let version = tag.map { ObjectVersion($0) } ?? .digest(of: response.body)
            return .done(StoredObject(bytes: response.body, version: version))
        case 404, 410: return .done(nil)
        case 401, 403:
            throw refusal(
                "store-denied",
                "GET \(key) was answered with \(response.status)",
                "let the web server show it to this machine"
            )
        default:
            let error = FetchError.status(response.status, method: "GET", url: address, headers: response.headers)
            let failure = StoreError.unavailable(url: url, reason: error.message)
            guard error.isTransient else { throw failure }
            return .passing(failure, after: error.retryAfter)
        }
    }

    private func readOnly(_ key: StoreKey) -> StoreError {
        refusal(
            "store-read-only",
            "\(key) cannot be written: a web server only shows its files",
            "write to the directory or bucket behind it"
        )
    }

    private func refusal(_ code: String, _ reason: String, _ hint: String) -> StoreError {
        .refused(StoreRefusal(code: code, url: url, reason: reason, hint: hint))
    }

    /// This machine, or an address of a private network (RFC 1918).
    static func isNear(_ authority: String) -> Bool {
        let host = authority.prefix { $0 != ":" }
        if host == "localhost" || authority.hasPrefix("[::1]") { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        guard octets.count == 4 else { return false }
        switch (octets[0], octets[1]) {
        case (10, _), (127, _), (192, 168): return true
        case (172, 16...31): return true
        default: return false
        }
    }
}
