// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import NodeOS

extension EtcdGateway {
    /// The largest answer taken: every version 2 key at once.
    private static let snapshotLimit = 2 << 30

    /// Every key of version 2, agreed on by a quorum.
    ///
    /// Keys below a name that begins with `_` are hidden: etcd lists them to nobody.
    ///
    /// - Source: etcd v3.4 `Documentation/v2/api.md`.
    /// - Throws: ``EtcdError``, ``Failure`` `migration-no-v2` (permanent).
    func v2Snapshot(at endpoint: String, now: () -> Duration = { .zero }) async throws -> V2Snapshot {
        // A member that is away is noticed here, within the usual limits.
        _ = try await status(of: endpoint)
        let time = now()
        let (body, index) = try await v2("/v2/keys/?recursive=true&quorum=true", at: endpoint)
        let answer: V2Answer = try Self.decode(body, at: endpoint)
        var snapshot = V2Snapshot(index: index, time: time, entries: [:])
        try answer.node.add(to: &snapshot, expiry: nil)
        return snapshot
    }

    /// The number of the last change of version 2's keys, agreed on by a quorum.
    ///
    /// - Throws: ``EtcdError``, ``Failure`` `migration-no-v2` (permanent).
    func v2Index(at endpoint: String) async throws -> UInt64 {
        // etcd hides this key, whether it is there or not, so the answer is short however many keys there are.
        try await v2("/v2/keys/_kopslite?quorum=true", at: endpoint).index
    }

    private func v2(_ path: String, at endpoint: String) async throws -> (body: [UInt8], index: UInt64) {
        let response = try await send(
            "GET",
            path,
            at: endpoint,
            bodyLimit: Self.snapshotLimit,
            timeouts: Timeouts(connect: timeouts.connect, total: .seconds(600), stall: .seconds(30))
        )
        let index = response.headers.last { $0.name == "x-etcd-index" }.flatMap { UInt64($0.value) }
        switch (response.status, index) {
        case (200, let index?), (404, let index?): return (response.body, index)
        case (404, nil):
            throw Failure(
                .permanent,
                code: "migration-no-v2",
                "etcd at \(endpoint) serves no version 2 keys",
                hint: "run etcd 3.4 or 3.5 with --enable-v2, or there is nothing to migrate"
            )
        default:
            let text = String(decoding: response.body.prefix(200).prefix { $0 != 0x0A }, as: UTF8.self)
            throw EtcdError.unreachable(endpoint: endpoint, reason: "HTTP \(response.status) \(text)")
        }
    }
}

private struct V2Answer: Decodable {
    var node: V2Node
}

/// A key or a directory as version 2 lists it.
private struct V2Node: Decodable {
    var key: String?
    var value: String?
    var dir: Bool?
    var nodes: [V2Node]?
    var expiration: String?
    var ttl: Int64?
    var modifiedIndex: UInt64?

    func add(to snapshot: inout V2Snapshot, expiry: V2Snapshot.Expiry?) throws {
        let expiry = Self.earlier(expiry, try ownExpiry())
        if dir ?? false {
            for node in nodes ?? [] { try node.add(to: &snapshot, expiry: expiry) }
            return
        }
        guard let key, let value, let modifiedIndex else { return }
        // etcd writes this where bytes are no text, and then they are not known.
        guard !value.unicodeScalars.contains("\u{FFFD}") else { throw Self.notText(key) }
        let entry = V2Snapshot.Entry(value: Array(value.utf8), modifiedIndex: modifiedIndex, expiry: expiry)
        snapshot.entries[Array(key.utf8)] = entry
    }

    private func ownExpiry() throws -> V2Snapshot.Expiry? {
        guard let expiration, let ttl else { return nil }
        guard let date = try? Date(String(expiration.prefix(19)) + "Z", strategy: .iso8601) else {
            throw Failure(
                .permanent,
                code: "migration-key-unreadable",
                "\(key ?? "/") expires at \(expiration), which is no time",
                hint: "delete the key, or set it again with another lifetime"
            )
        }
        // What follows the whole seconds is rounded up.
        return V2Snapshot.Expiry(second: Int64(date.timeIntervalSince1970) + 1, remaining: ttl)
    }

    private static func earlier(_ one: V2Snapshot.Expiry?, _ other: V2Snapshot.Expiry?) -> V2Snapshot.Expiry? {
        guard let one, let other else { return one ?? other }
        return one.second <= other.second ? one : other
    }

    private static func notText(_ key: String) -> Failure {
        Failure(
            .permanent,
            code: "migration-value-not-text",
            "the value of \(key) is not UTF-8, and version 2 gives other bytes to nobody",
            hint: "delete the key, or write its value as text"
        )
    }
}
