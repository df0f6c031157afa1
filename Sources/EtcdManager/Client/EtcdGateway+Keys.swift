// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials

extension EtcdGateway {
    /// Sets a key, which with a lease, 0 for none, goes away with that.
    ///
    /// Returns the store's revision thereafter.
    ///
    /// - Throws: ``EtcdError``.
    @discardableResult
    public func put(_ key: [UInt8], _ value: [UInt8], lease: Int64 = 0, at endpoint: String) async throws -> Int64 {
        let answer: HeaderAnswer = try await call(
            "/v3/kv/put",
            PutRequest(key: key, value: value, lease: lease),
            at: endpoint
        )
        return answer.header.revision
    }

    /// Reads keys, agreed on by a quorum unless the range says otherwise.
    ///
    /// - Throws: ``EtcdError``; `.rejected` where its revision is compacted or yet to come.
    public func range(_ range: EtcdRange, at endpoint: String) async throws -> EtcdPage {
        try await self.range(range, at: endpoint, timeouts: timeouts)
    }

    private func range(_ range: EtcdRange, at endpoint: String, timeouts: Timeouts) async throws -> EtcdPage {
        let request = RangeRequest(range)
        let answer: RangeAnswer = try await call("/v3/kv/range", request, at: endpoint, timeouts: timeouts)
        return EtcdPage(
            revision: answer.header.revision,
            pairs: answer.kvs?.map(\.pair) ?? [],
            count: answer.count?.value ?? 0,
            hasMore: answer.more ?? false
        )
    }

    /// Reads all keys of a range page by page, every page as of one revision, and hands each to `body`.
    ///
    /// Returns that revision: the range's own, or that of the first page.
    ///
    /// - Throws: ``EtcdError``, and whatever `body` throws.
    @discardableResult
    public func pages(
        _ range: EtcdRange,
        of size: Int64 = 1000,
        at endpoint: String,
        _ body: (EtcdPage) throws -> Void
    ) async throws -> Int64 {
        var range = range
        range.limit = size
        // A page may be large; a member that is away is still noticed by its silence.
        var patient = timeouts
        patient.total = max(timeouts.total, .seconds(60))
        while true {
            let page: EtcdPage
            do {
                page = try await self.range(range, at: endpoint, timeouts: patient)
            } catch EtcdError.malformed(_, Self.tooLarge) where range.limit > 1 {
                range.limit /= 2
                continue
            }
            if range.revision == 0 { range.revision = page.revision }
            try body(page)
            guard page.hasMore, let last = page.pairs.last else { return range.revision }
            range.key = last.key + [0]
        }
    }

    /// Deletes the keys that begin with `prefix`, all of them for an empty one, and says how many there were.
    ///
    /// - Throws: ``EtcdError``.
    @discardableResult
    public func deletePrefix(_ prefix: [UInt8], at endpoint: String) async throws -> Int64 {
        let request = RangeRequest(.prefix(prefix))
        let answer: DeleteAnswer = try await call("/v3/kv/deleterange", request, at: endpoint)
        return answer.deleted?.value ?? 0
    }

    /// Makes changes that happen together, or not at all.
    ///
    /// - Throws: ``EtcdError``; `.rejected` for more than ``EtcdTransaction/capacity`` of them, a key twice, or more
    ///   than 1.5 MiB.
    public func commit(_ transaction: EtcdTransaction, at endpoint: String) async throws -> EtcdOutcome {
        let answer: TransactionAnswer = try await call("/v3/kv/txn", TransactionRequest(transaction), at: endpoint)
        return EtcdOutcome(isDone: answer.succeeded ?? false, revision: answer.header.revision)
    }
}

private struct HeaderAnswer: Decodable {
    var header: GatewayHeader
}

private struct PutRequest: Encodable {
    var key: Data
    var value: Data
    var lease: GatewayNumber<Int64>

    init(key: [UInt8], value: [UInt8], lease: Int64) {
        self.key = Data(key)
        self.value = Data(value)
        self.lease = GatewayNumber(lease)
    }
}

private struct RangeRequest: Encodable {
    var key: Data
    var end: Data?
    var limit: GatewayNumber<Int64>?
    var revision: GatewayNumber<Int64>?
    var isLocal: Bool?
    var isKeysOnly: Bool?
    var isCountOnly: Bool?

    enum CodingKeys: String, CodingKey {
        case key
        case end = "range_end"
        case limit
        case revision
        case isLocal = "serializable"
        case isKeysOnly = "keys_only"
        case isCountOnly = "count_only"
    }

    init(_ range: EtcdRange) {
        key = Data(range.key)
        end = range.end.map { Data($0) }
        limit = range.limit == 0 ? nil : GatewayNumber(range.limit)
        revision = range.revision == 0 ? nil : GatewayNumber(range.revision)
        isLocal = range.isLocal ? true : nil
        isKeysOnly = range.isKeysOnly ? true : nil
        isCountOnly = range.isCountOnly ? true : nil
    }
}

private struct RangeAnswer: Decodable {
    var header: GatewayHeader
    var kvs: [ListedPair]?
    var count: GatewayNumber<Int64>?
    var more: Bool?
}

private struct DeleteAnswer: Decodable {
    var deleted: GatewayNumber<Int64>?
}

private struct ListedPair: Decodable {
    var pair: EtcdKeyValue

    enum CodingKeys: String, CodingKey {
        case key
        case value
        case createRevision = "create_revision"
        case modRevision = "mod_revision"
        case lease
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        pair = EtcdKeyValue(
            key: Array(try container.decode(Data.self, forKey: .key)),
            value: try container.decodeIfPresent(Data.self, forKey: .value).map { Array($0) } ?? [],
            createRevision: try container.number(.createRevision),
            modRevision: try container.number(.modRevision),
            lease: try container.number(.lease)
        )
    }
}

private struct TransactionRequest: Encodable {
    struct Compare: Encodable {
        var result = "EQUAL"
        var target = "MOD"
        var key: Data
        var revision: GatewayNumber<Int64>

        enum CodingKeys: String, CodingKey {
            case result
            case target
            case key
            case revision = "mod_revision"
        }
    }

    struct Operation: Encodable {
        var put: PutRequest?
        var delete: RangeRequest?

        enum CodingKeys: String, CodingKey {
            case put = "request_put"
            case delete = "request_delete_range"
        }
    }

    var compare: [Compare]
    var success: [Operation]

    init(_ transaction: EtcdTransaction) {
        compare = transaction.conditions.map { condition in
            switch condition {
            case .modRevision(let key, let revision): Compare(key: Data(key), revision: GatewayNumber(revision))
            }
        }
        success = transaction.changes.map { change in
            switch change {
            case .put(let key, let value, let lease):
                Operation(put: PutRequest(key: key, value: value, lease: lease))
            case .delete(let key): Operation(delete: RangeRequest(EtcdRange(key: key)))
            }
        }
    }
}

private struct TransactionAnswer: Decodable {
    var header: GatewayHeader
    var succeeded: Bool?
}
