// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
public import StateStore

/// A store in a bucket of Google Cloud Storage.
///
/// Versions are the objects' generations, and conditions the service's own (`ifGenerationMatch`).
///
/// - Source: "JSON API reference" of Cloud Storage, v1: objects.get, insert, delete, list.
public struct GCSStore: StateStore {
    /// The store's URL, complete without an environment.
    public let url: String
    let location: GCSLocation
    private let context: StoreContext
    private let credentials: GCSTokens
    private let retries: Retries

    private static let sizeLimit = 16 << 20

    /// Opens a store; nothing is asked yet.
    ///
    /// - Throws: ``StoreError/badURL(_:reason:)``.
    public init(url: String, context: StoreContext = .live) throws(StoreError) {
        location = try GCSLocation(url, context)
        self.url = location.url
        self.context = context
        credentials = GCSTokens(context, needsNone: location.endpoint != nil)
        retries = Retries(clock: context.clock)
    }

    /// An object's bytes and version; `nil` when there is no such object.
    public func read(_ key: StoreKey) async throws -> StoredObject? {
        let address = location.object(key) + "?alt=media"
        return try await retries.run { _ in
            try await outcome("GET", address, permission: "storage.objects.get on \(key)") { response in
                switch response.status {
                case 200:
                    return .done(
                        StoredObject(bytes: response.body, version: try await version(of: key, response))
                    )
                case 404: return try await isBucketThere() ? .done(nil) : nil
                default: return nil
                }
            }
        }
    }

    /// The keys below a prefix, sorted, at any depth.
    public func list(_ prefix: StoreKey) async throws -> [StoreKey] {
        let start = (location.prefix + prefix.parts).map { $0 + "/" }.joined()
        var keys: [StoreKey] = []
        var token: String?
        repeat {
            let page = try await page(start, token)
            for item in page.items ?? [] {
                let parts = item.name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                guard parts.starts(with: location.prefix), parts.count > location.prefix.count,
                    let key = try? StoreKey(parts: Array(parts.dropFirst(location.prefix.count)))
                else { continue }
                keys.append(key)
            }
            token = page.nextPageToken
        } while token != nil
        return keys.sorted()
    }

    private struct Page: Decodable, Sendable {
        struct Item: Decodable { let name: String }
        let items: [Item]?
        let nextPageToken: String?
    }

    private func page(_ prefix: String, _ token: String?) async throws -> Page {
        var address =
            "\(location.bucketURL)/o?fields=items(name),nextPageToken&prefix=\(PercentEncoding.encode(prefix))"
        if let token { address += "&pageToken=\(PercentEncoding.encode(token))" }
        return try await retries.run { _ in
            try await outcome("GET", address, permission: "storage.objects.list below \(prefix)") { response in
                guard response.status == 200 else { return nil }
                guard let page = try? JSONDecoder().decode(Page.self, from: Data(response.body)) else {
                    throw StoreError.corrupt(key: prefix, reason: "the server's list of objects cannot be read")
                }
                return .done(page)
            }
        }
    }

    /// Writes an object when the condition holds, atomically.
    @discardableResult
    public func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion
    {
        guard !key.parts.isEmpty else { throw StoreError.badKey("") }
        let address = location.upload(key) + (try Self.query(condition).map { "&\($0)" } ?? "")
        return try await retries.run { mayHaveHappened in
            try await outcome("POST", address, bytes, permission: "storage.objects.create on \(key)") { response in
                switch response.status {
                case 200..<300:
                    guard let written = try? JSONDecoder().decode(Written.self, from: Data(response.body)) else {
                        throw StoreError.corrupt(key: key.description, reason: "the server names no generation of it")
                    }
                    return .done(ObjectVersion(written.generation))
                case 412:
                    let found = try await read(key)
                    // The answer to an earlier try was lost, and it was this write that won.
                    if mayHaveHappened, let found, found.bytes == bytes { return .done(found.version) }
                    throw Self.conflict(key, condition, found: found?.version)
                default: return nil
                }
            }
        }
    }

    /// Removes an object when the condition holds; nothing there is no error.
    public func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
        if condition == .absent {
            guard let found = try await read(key) else { return }
            throw Self.conflict(key, condition, found: found.version)
        }
        let address = location.object(key) + (try Self.query(condition).map { "?\($0)" } ?? "")
        try await retries.run { _ in
            try await outcome("DELETE", address, permission: "storage.objects.delete on \(key)") { response in
                switch response.status {
                case 200..<300: return .done(())
                case 404: return try await isBucketThere() ? .done(()) : nil
                case 412: throw Self.conflict(key, condition, found: try await read(key)?.version)
                default: return nil
                }
            }
        }
    }

    /// The generation of what was read; emulators leave out the header that the service sends with it.
    private func version(of key: StoreKey, _ response: HTTPResponse) async throws -> ObjectVersion {
        if let header = response.headers.last(where: { $0.name == "x-goog-generation" }) {
            return ObjectVersion(header.value)
        }
        let metadata = try await send("GET", location.object(key), [])
        guard let written = try? JSONDecoder().decode(Written.self, from: Data(metadata.body)) else {
            throw StoreError.corrupt(key: key.description, reason: "the server names no generation of it")
        }
        return ObjectVersion(written.generation)
    }

    private struct Written: Decodable { let generation: String }

    /// A 404 is of the object or of the bucket; only the first is an answer.
    private func isBucketThere() async throws -> Bool {
        let response = try await send("GET", location.bucketURL + "?fields=name", [])
        // Who may not look at the bucket may still read its objects.
        return response.status != 404
    }

    private func send(_ method: String, _ address: String, _ body: [UInt8]) async throws -> HTTPResponse {
        var headers: [(name: String, value: String)] = []
        if let token = try await credentials.current(for: location.shown) {
            headers.append(("Authorization", "Bearer \(token)"))
        }
        if method == "POST" { headers.append(("Content-Type", "application/octet-stream")) }
        return try await context.http.send(
            HTTPRequest(
                method: method,
                url: address,
                headers: headers,
                body: body,
                bodyLimit: Self.sizeLimit,
                followsRedirects: false,
                timeouts: .sending(body.count)
            )
        )
    }

    /// A try: what `take` makes of the answer, or else the error that the answer is.
    private func outcome<Value: Sendable>(
        _ method: String,
        _ address: String,
        _ body: [UInt8] = [],
        permission: String,
        _ take: (HTTPResponse) async throws -> Retries.Outcome<Value>?
    ) async throws -> Retries.Outcome<Value> {
        let response: HTTPResponse
        do {
            response = try await send(method, address, body)
        } catch let error as FetchError {
            guard error.code != "answer-too-large" else {
                throw refusal("object-too-large", "an object is larger than any of a state", "see who put it there")
            }
            let failure = StoreError.unavailable(url: location.shown, reason: error.message)
            guard error.isTransient else { throw failure }
            return .passing(failure, after: nil)
        }
        if let outcome = try await take(response) { return outcome }
        let said =
            "\(method) was answered with \(response.status)\(Self.message(in: response).map { " (\($0))" } ?? "")"
        if response.status >= 500 || [408, 429].contains(response.status) {
            let asked = response.headers.last { $0.name == "retry-after" }.flatMap { UInt32($0.value) }
            return .passing(
                .unavailable(url: location.shown, reason: said),
                after: asked.map { .seconds(Int64($0)) }
            )
        }
        switch response.status {
        case 401: throw refusal("credentials-refused", said, "log in again: gcloud auth application-default login")
        case 403: throw refusal("store-denied", said, "allow \(permission) to whoever uses these credentials")
        case 404:
            throw refusal(
                "bucket-missing",
                "there is no bucket \(location.bucket)",
                "create it, or correct the store's URL"
            )
        default: throw refusal("store-refused", said, "see the bucket's settings")
        }
    }

    private static func message(in response: HTTPResponse) -> String? {
        struct Document: Decodable {
            struct Reason: Decodable { let message: String }
            let error: Reason
        }
        return try? JSONDecoder().decode(Document.self, from: Data(response.body)).error.message
    }

    private static func query(_ condition: WriteCondition) throws -> String? {
        switch condition {
        case .always: nil
        case .absent: "ifGenerationMatch=0"
        case .version(let version): "ifGenerationMatch=\(PercentEncoding.encode(version.text))"
        }
    }

    private static func conflict(_ key: StoreKey, _ condition: WriteCondition, found: ObjectVersion?) -> StoreError {
        let expected: String = if case .version(let version) = condition { version.text } else { "nothing" }
        return .conflict(key: key.description, expected: expected, found: found?.text ?? "nothing")
    }

    private func refusal(_ code: String, _ reason: String, _ hint: String) -> StoreError {
        .refused(StoreRefusal(code: code, url: location.shown, reason: reason, hint: hint))
    }
}
