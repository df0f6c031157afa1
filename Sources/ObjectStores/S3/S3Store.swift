// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
public import StateStore

/// A store in a bucket of S3, or of anything that speaks its protocol.
///
/// Versions are ETags. Conditional writes are the server's own (`If-None-Match: *`, `If-Match`); nothing is locked.
///
/// - Source: "Amazon S3 API Reference", GetObject, PutObject, DeleteObject, ListObjectsV2.
public struct S3Store: StateStore {
    /// The store's URL, complete without an environment.
    public let url: String
    let location: S3Location
    private let client: S3Client
    private let retries: Retries

    /// An object of the state is a few kilobytes; what is larger than this is something else.
    private static let sizeLimit = 16 << 20

    /// Opens a store; nothing is asked yet.
    ///
    /// - Throws: ``StoreError/badURL(_:reason:)``.
    public init(url: String, context: StoreContext = .live) throws(StoreError) {
        location = try S3Location(url, context)
        self.url = location.url
        client = S3Client(location: location, context: context)
        retries = Retries(clock: context.clock)
    }

    /// An object's bytes and version; `nil` when there is no such object.
    public func read(_ key: StoreKey) async throws -> StoredObject? {
        try await retries.run { _ in
            try await outcome(of: S3Client.Call("GET", location.key(key), limit: Self.sizeLimit)) { answer in
                if answer.response.status == 404, answer.isAboutObject { return .done(nil) }
                guard answer.response.status == 200 else { return nil }
                guard let version = answer.version else {
                    throw corrupt(key, "the server names no version (ETag) of it")
                }
                return .done(StoredObject(bytes: answer.response.body, version: version))
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
            for name in page.keys {
                guard let name = PercentEncoding.decode(name.replacing("+", with: " ")) else {
                    throw StoreError.corrupt(key: start, reason: "the server lists a name that cannot be decoded")
                }
                let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                // Names that are no keys of a store are somebody else's.
                guard parts.starts(with: location.prefix), parts.count > location.prefix.count,
                    let key = try? StoreKey(parts: Array(parts.dropFirst(location.prefix.count)))
                else { continue }
                keys.append(key)
            }
            token = page.next
        } while token != nil
        return keys.sorted()
    }

    private func page(_ prefix: String, _ token: String?) async throws -> (keys: [String], next: String?) {
        var query = [(name: "list-type", value: "2"), ("encoding-type", "url")]
        if !prefix.isEmpty { query.append(("prefix", prefix)) }
        if let token { query.append(("continuation-token", token)) }
        return try await retries.run { _ in
            try await outcome(of: S3Client.Call("GET", "", query: query, limit: Self.sizeLimit)) { answer in
                guard answer.response.status == 200 else { return nil }
                guard let list = XMLElement(parsing: answer.response.body), list.name == "ListBucketResult" else {
                    throw StoreError.corrupt(key: prefix, reason: "the server's list of objects cannot be read")
                }
                let next = list["IsTruncated"] == "true" ? list["NextContinuationToken"] : nil
                return .done((list.all("Contents").compactMap { $0["Key"] }, next))
            }
        }
    }

    /// Writes an object when the condition holds, atomically.
    @discardableResult
    public func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion
    {
        guard !key.parts.isEmpty else { throw StoreError.badKey("") }
        let call = S3Client.Call(
            "PUT",
            location.key(key),
            headers: Self.headers(of: condition) + location.writeHeaders,
            body: bytes
        )
        return try await retries.run { mayHaveHappened in
            try await outcome(of: call, isConditional: condition != .always) { answer in
                switch answer.response.status {
                case 200..<300:
                    guard let version = answer.version else {
                        throw corrupt(key, "the server names no version (ETag) of it")
                    }
                    return .done(version)
                case 412,
                    409 where answer.code == "ConditionalRequestConflict",
                    404 where condition != .always && answer.isAboutObject:
                    let found = try await read(key)
                    // The answer to an earlier try was lost, and it was this write that won.
                    if mayHaveHappened, let found, found.bytes == bytes { return .done(found.version) }
                    throw conflict(key, condition, found: found?.version)
                default: return nil
                }
            }
        }
    }

    /// Removes an object when the condition holds; nothing there is no error.
    public func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
        if condition != .always {
            // Not every server looks at conditions of a DELETE.
            guard let found = try await read(key) else { return }
            guard case .version(found.version) = condition else { throw conflict(key, condition, found: found.version) }
        }
        let call = S3Client.Call("DELETE", location.key(key), headers: Self.headers(of: condition))
        try await retries.run { _ in
            try await outcome(of: call, isConditional: condition != .always) { answer in
                switch answer.response.status {
                case 200..<300,
                    404 where answer.isAboutObject:
                    return .done(())
                case 412: throw conflict(key, condition, found: try await read(key)?.version)
                default: return nil
                }
            }
        }
    }

    /// A try: what `take` makes of the answer, or else the error that the answer is.
    private func outcome<Value: Sendable>(
        of call: S3Client.Call,
        isConditional: Bool = false,
        _ take: (S3Client.Answer) async throws -> Retries.Outcome<Value>?
    ) async throws -> Retries.Outcome<Value> {
        let answer: S3Client.Answer
        do {
            answer = try await client.send(call)
        } catch let error as FetchError {
            guard error.code != "answer-too-large" else { throw tooLarge(call) }
            let failure = StoreError.unavailable(url: location.shown, reason: error.message)
            guard error.isTransient else { throw failure }
            return .passing(failure, after: nil)
        }
        if let outcome = try await take(answer) { return outcome }
        return try S3Refusal(answer, call, location, isConditional: isConditional).outcome()
    }

    private static func headers(of condition: WriteCondition) -> [(name: String, value: String)] {
        switch condition {
        case .always: []
        case .absent: [("If-None-Match", "*")]
        case .version(let version): [("If-Match", version.text)]
        }
    }

    private func conflict(_ key: StoreKey, _ condition: WriteCondition, found: ObjectVersion?) -> StoreError {
        let expected: String = if case .version(let version) = condition { version.text } else { "nothing" }
        return .conflict(key: key.description, expected: expected, found: found?.text ?? "nothing")
    }

    private func corrupt(_ key: StoreKey, _ reason: String) -> StoreError {
        .corrupt(key: key.description, reason: reason)
    }

    private func tooLarge(_ call: S3Client.Call) -> StoreError {
        .refused(
            StoreRefusal(
                code: "object-too-large",
                url: location.shown,
                reason: "\(call.key) is larger than \(Self.sizeLimit >> 20) MiB, which no object of a state is",
                hint: "see who put it there, and remove it"
            )
        )
    }
}

extension S3Location {
    /// What is asked for with every object that is written.
    var writeHeaders: [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let encryption { headers.append(("x-amz-server-side-encryption", encryption)) }
        if let kmsKey { headers.append(("x-amz-server-side-encryption-aws-kms-key-id", kmsKey)) }
        if let acl { headers.append(("x-amz-acl", acl)) }
        return headers
    }
}
